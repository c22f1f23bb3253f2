import ArgumentParser
import CommandSupport
import SocketIO
import USBCore
import USBIPClient
import USBIPWire
import VHCI

/// `ghostplug attach`.
struct Attach: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Plug a device of a USB/IP server into this machine.",
        discussion: """
            Imports the device and hands the connection to the kernel, which keeps it \
            when this command has ended. Loads vhci-hcd if it is not loaded. Returns \
            when the device can be used: drivers bound, device nodes there. An \
            interface that no driver takes is waited for no longer than half a second.

            Needs root, or a udev rule that lets a group do it: without either, the \
            error shows the rule. 'usbip port' and 'usbip detach' know the device as if \
            the usbip tool had attached it.

            EXAMPLES:
              ghostplug list 192.168.1.7                      which bus ids there are
              sudo ghostplug attach 192.168.1.7 1-1
              sudo ghostplug attach '[::1]:3241' 1-1 --timeout 60
              sudo ghostplug attach 127.0.0.1 1-1 --json | jq -r '.nodes[].path'
              sudo ghostplug detach 0                         and out again

            JSON:
              One object, as 'ghostplug ports --json' has one for each port, without
              state; with --no-wait only port, controller and half.

            EXIT STATUS:
              1    this machine's kernel does not take the device, or it is not ready
                   in time; it then stays attached
              69   the server cannot be reached, or does not give the device
            """)

    @Argument(
        help: ArgumentHelp("The server; the port is 3240 unless given.", valueName: "host[:port]"),
        transform: Self.server)
    var server: HostAndPort

    @Argument(help: ArgumentHelp("The device, as 'ghostplug list' names it.", valueName: "busid"))
    var busID: String

    @Flag(help: "Return as soon as the kernel has the connection.")
    var noWait = false

    @Option(
        help: ArgumentHelp(
            "How long the device may take to be ready, 1 to 3600. (default: 30)", valueName: "seconds"),
        transform: Self.seconds)
    var timeout: Int?

    @Flag(help: "One JSON object instead of text.")
    var json = false

    mutating func run() throws {
        do throws(Failure) {
            try attach()
        } catch {
            throw error.report()
        }
    }

    private func attach() throws(Failure) {
        let vhci = VHCI()
        let port: VHCI.Port
        do throws(VHCIError) {
            // Before the server gives the device away.
            try vhci.load()
            try vhci.checkAccess()
        } catch {
            throw Failure(error)
        }
        let number = try handOver(to: vhci)
        let remote = VHCI.RemoteRecord(host: server.host, service: "\(server.port)", busID: busID)
        do throws(VHCIError) {
            try vhci.record(remote, for: number)
        } catch {
            StandardError.write("ghostplug: note: 'usbip port' will not know the server: \(error)\n")
        }
        var device: PluggedDevice?
        do throws(VHCIError) {
            if !noWait { device = try vhci.waitUntilReady(number, timeout: .seconds(timeout ?? 30)) }
            port = try vhci.port(number)
        } catch {
            throw Failure(error)
        }
        try WholeFile.printResult(text(port, device, remote))
    }

    /// Imports the device and gives the kernel the connection; this process's copy is closed on return.
    private func handOver(to vhci: VHCI) throws(Failure) -> PortNumber {
        let (socket, record): (StreamSocket, DeviceRecord)
        do throws(HostError) {
            (socket, record) = try RemoteImport.open(server, busID: busID)
        } catch {
            throw ImportFailure.words(error, server: server, busID: busID)
        }
        guard let speed = Speed(rawValue: record.speed) else {
            throw Failure("\(server) says that \(busID) has speed \(record.speed), which is none", .unavailable)
        }
        defer { withExtendedLifetime(socket) {} }
        do throws(VHCIError) {
            return try vhci.attach(descriptor: socket.descriptor, deviceID: record.deviceID, speed: speed)
        } catch {
            throw Failure(error)
        }
    }

    private func text(_ port: VHCI.Port, _ device: PluggedDevice?, _ remote: VHCI.RemoteRecord) -> String {
        if json {
            let members = device.map { PortOutput.members($0, remote: remote) } ?? []
            return JSON.object(PortOutput.members(port) + members).text
        }
        guard let device else { return "port \(port.number)  \(port.half.rawValue)" }
        return PortOutput.lines(device, half: port.half, remote: nil).joined(separator: "\n")
    }

    private static func server(_ text: String) throws -> HostAndPort {
        guard let server = HostAndPort(text), server.port != 0 else {
            throw ValidationError("'\(text)' is no server; write HOST, HOST:PORT or [IPV6]:PORT")
        }
        return server
    }

    private static func seconds(_ text: String) throws -> Int {
        guard let seconds = Int(text), (1...3600).contains(seconds) else {
            throw ValidationError("'\(text)' is no time; write seconds, 1 to 3600")
        }
        return seconds
    }
}
