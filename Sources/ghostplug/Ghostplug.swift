import ArgumentParser
import CommandSupport

@main
struct Ghostplug: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ghostplug",
        abstract: "USB devices that exist only in software, on a real Linux USB bus.",
        discussion: """
            EXAMPLES:
              ghostplug serve drive                   a thumb drive on 127.0.0.1:3240
              sudo usbip attach -r 127.0.0.1 -b 1-1   plug it in: /dev/sdX appears
              sudo usbip detach -p 00                 pull it out ('usbip port')
              ghostplug models drive                  what a drive can be

            EXIT STATUS:
              0    done
              1    a failure that the message explains
              64   the command line or the configuration file is wrong
              69   a server cannot be reached, an address not be listened on
              74   data could not be written where they belong

            CLIENTS:
              The vhci-hcd kernel module (sudo modprobe vhci-hcd) and the usbip tool
              (Debian: usbip; Ubuntu: linux-tools-generic).
            """,
        version: "0.1.0",
        subcommands: [Serve.self, List.self, Inspect.self, Bench.self, Plot.self, Models.self])
}

/// How the command ends when it fails; documented in the help.
extension ExitCode {
    static let unavailable = ExitCode(69)
    static let dataLoss = ExitCode(74)
}

/// Ends the command with a message and a status.
struct Failure: Error, CustomStringConvertible {
    let description: String
    let code: ExitCode

    init(_ description: String, _ code: ExitCode) {
        self.description = description
        self.code = code
    }

    /// Writes the message where messages go, for commands that end by throwing the code.
    func report() -> ExitCode {
        // One line, whatever file names have in them.
        let line = description.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7f ? "?" : String($0) }.joined()
        StandardError.write("ghostplug: \(line)\n")
        return code
    }
}
