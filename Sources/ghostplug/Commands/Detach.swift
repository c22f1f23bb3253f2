import ArgumentParser
import VHCI

/// `ghostplug detach`.
struct Detach: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Pull a device out that was attached over USB/IP.",
        discussion: """
            Ends the connection and waits until the port is free and the device has \
            gone. It does not matter who attached it. Unmount its file systems \
            first: to them this is a device that is pulled out.

            EXAMPLES:
              ghostplug ports              which there are
              sudo ghostplug detach 3      the device on port 3
              sudo ghostplug detach 1-1    the device that this machine calls 1-1
              sudo ghostplug detach all
            """)

    @Argument(
        help: ArgumentHelp(
            "A port's number or a device's local name, as 'ghostplug ports' shows them, or all.",
            valueName: "port|busid|all"))
    var target: String

    mutating func run() throws {
        do throws(Failure) {
            try detach()
        } catch {
            throw error.report()
        }
    }

    private func detach() throws(Failure) {
        let vhci = VHCI()
        do throws(VHCIError) {
            try vhci.checkAccess()
            var failure: VHCIError?
            for port in try targets(vhci) {
                do throws(VHCIError) {
                    try vhci.detach(port)
                } catch {
                    // Of all, one may have gone by itself meanwhile; and one that hangs must not keep the others.
                    if target == "all", case .portFree = error { continue }
                    failure = failure ?? error
                }
            }
            if let failure { throw failure }
        } catch {
            throw Failure(error)
        }
    }

    private func targets(_ vhci: VHCI) throws(VHCIError) -> [PortNumber] {
        if target == "all" { return try vhci.portsInUse().map(\.number) }
        if let number = PortNumber(target) { return [number] }
        return [try vhci.port(ofDevice: target)]
    }
}
