import ArgumentParser
import CommandSupport

@main
struct Ghostplug: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ghostplug",
        abstract: "USB devices that exist only in software, on a real Linux USB bus.",
        discussion: """
            EXAMPLES:
              sudo ghostplug plug drive               a thumb drive: /dev/sdX appears
              sudo ghostplug plug keyboard -b         a keyboard, in the background
              sudo ghostplug ctl type 1-1 'hello'     and somebody who types on it
              sudo ghostplug unplug                   pull it out
              ghostplug serve drive                   one for others, on 127.0.0.1:3240
              sudo ghostplug attach 127.0.0.1 1-1     and how they plug it in
              ghostplug models drive                  what a drive can be

            EXIT STATUS:
              0    done
              1    a failure that the message explains
              64   the command line or the configuration file is wrong
              69   a server cannot be reached, an address not be listened on
              74   data could not be written where they belong
              75   what was waited for did not happen in time

            CLIENTS:
              The vhci-hcd kernel module, with this command or the usbip tool (Debian:
              usbip; Ubuntu: linux-tools-generic).
            """,
        version: "0.1.0",
        subcommands: [
            Plug.self, Unplug.self, Play.self, Serve.self, Ctl.self, Attach.self, Ports.self, Detach.self, List.self,
            Devices.self, Inspect.self, Show.self, ReplayHost.self, Proxy.self, Bench.self, Plot.self, Models.self,
        ])
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
