import ArgumentParser
import CommandSupport
import VHCI

/// `ghostplug ports`.
struct Ports: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what is attached to this machine over USB/IP.",
        discussion: """
            Shows each port of the virtual host controller that has a device, whoever \
            attached it: which half it is on (hs: up to high speed, ss: SuperSpeed), \
            what this machine calls the device, and what programs can open of it. \
            Needs no root; but only root may read where a device comes from.

            EXAMPLES:
              ghostplug ports
              sudo ghostplug ports                            with the servers
              ghostplug ports --json | jq -r '.[].nodes[] | select(.kind == "disk").path'

            JSON:
              An array, an object for each port: port, controller, half, state (used;
              enumerating: the kernel is asking it for its descriptors; failed: detach
              it), and of a device that is used busid, speed, busnum, devnum, idVendor,
              idProduct, manufacturer, product, serial, remote (host, port, busid),
              sysfs, interfaces (number, bInterfaceClass, bInterfaceSubClass,
              bInterfaceProtocol, driver), nodes (path, kind, subsystem, interface);
              each where there is one.
              Kinds: usb, disk, partition, scsi, event, input, hidraw, serial, printer,
              sound, video, network, other.
            """)

    @Flag(help: "One JSON array, an object for each port.")
    var json = false

    mutating func run() throws {
        do throws(Failure) {
            try WholeFile.printResult(text())
        } catch {
            throw error.report()
        }
    }

    private func text() throws(Failure) -> String {
        let vhci = VHCI()
        var ports: [VHCI.Port] = []
        if vhci.isLoaded {
            do throws(VHCIError) {
                ports = try vhci.portsInUse()
            } catch {
                throw Failure(error)
            }
        }
        if json { return JSON.array(ports.map { Self.object($0, vhci) }).text }
        guard !ports.isEmpty else {
            return vhci.isLoaded ? "no port is in use" : "no port is in use; vhci-hcd is not loaded"
        }
        return ports.flatMap { Self.lines($0, vhci) }.joined(separator: "\n")
    }

    private static func lines(_ port: VHCI.Port, _ vhci: VHCI) -> [String] {
        guard let device = vhci.device(on: port) else {
            return ["port \(port.number)  \(port.half.rawValue)  \(word(for: port.state))"]
        }
        return PortOutput.lines(device, half: port.half, remote: vhci.remote(of: port.number))
    }

    private static func object(_ port: VHCI.Port, _ vhci: VHCI) -> JSON {
        var members = PortOutput.members(port) + [("state", .string(word(for: port.state)))]
        if let device = vhci.device(on: port) {
            members += PortOutput.members(device, remote: vhci.remote(of: port.number))
        }
        return .object(members)
    }

    private static func word(for state: VHCI.PortState) -> String {
        switch state {
        case .free: "free"
        case .enumerating: "enumerating"
        case .used: "used"
        case .failed: "failed"
        }
    }
}

extension Failure {
    /// What the virtual host controller refuses: status 1, with words that say what to do.
    init(_ error: VHCIError) { self.init("\(error)", .failure) }
}
