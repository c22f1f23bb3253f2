import CommandSupport
import DeviceControl
import Logging
import SocketIO
import USBCore
import USBDeviceKit
import USBIPServer

/// One run of `ghostplug serve`: make the devices, listen, wait for a signal, end in order.
struct ServeRun {
    private let serving: Serving
    private let explains: Bool

    init(_ settings: ServeSettings, explains: Bool) throws(Failure) {
        serving = try Serving(settings, settings.makeServer())
        self.explains = explains
    }

    func run() throws(Failure) {
        let signals = SignalWaiter()
        announce(try serving.begin())
        signals.wait()
        defer { if explains { StandardOutput.print(Explanation.text(for: serving.devices.all)) } }
        try serving.end()
    }

    /// What a person needs to go on, and a script to wait for.
    private func announce(_ addresses: [SocketAddress]) {
        let devices = serving.devices.all
        for device in devices { StandardOutput.print(device.line) }
        if let path = serving.controlPath { StandardOutput.print("control: \(path)") }
        for address in addresses { StandardOutput.print("listening on \(address)") }
        guard let address = addresses.first else { return }
        let isWildcard = address.addressBytes.allSatisfy { $0 == 0 }
        let host = isWildcard ? "THIS-HOST" : address.host
        let port = address.port == HostAndPort.usbipPort ? "" : " --tcp-port \(address.port)"
        let busID = devices.first?.busID ?? "BUSID"
        StandardOutput.print(
            "attach with: sudo modprobe vhci-hcd; sudo usbip\(port) attach -r \(host) -b \(busID)")
        if addresses.contains(where: { !$0.isLoopback }), serving.settings.server.allow.isEmpty {
            serving.logger.warning("every machine that reaches this one can use these devices; --allow narrows that")
        }
    }
}

extension RunningDevice {
    /// The device in a line for people.
    var line: String {
        let identity = export.identity
        return "\(busID)  \(hex(identity.vendorID)):\(hex(identity.productID))  "
            + "\(speedName(identity.speed.rawValue))  \(identity.name)  (\(backing))"
    }
}
