extension VHCI {
    /// The device on a port as it is now; nil when there is none, or the kernel has not enumerated it yet.
    ///
    /// - Throws: as ``port(_:)``.
    public func device(on number: PortNumber) throws(VHCIError) -> PluggedDevice? {
        snapshot(of: try port(number))?.device
    }

    /// The device on a port that was read before; nil when there is none, or the kernel has not enumerated it yet.
    public func device(on port: Port) -> PluggedDevice? { snapshot(of: port)?.device }

    private func snapshot(of port: Port) -> DeviceSnapshot? {
        guard port.state == .used, let busID = port.busID else { return nil }
        return DeviceFolder.read(
            "\(root)/bus/usb/devices/\(busID)", port: port.number, busID: busID, deviceRoot: deviceRoot)
    }

    /// Waits until the device on a port can be used: enumerated, drivers bound, and what they make of it there.
    ///
    /// A disk is ready when its medium can be read and its partitions are known, or when it has no medium. An interface
    /// that no driver takes is waited for no longer than half a second.
    ///
    /// - Parameters:
    ///   - number: the port, as ``attach(descriptor:deviceID:speed:placement:)`` gave it.
    ///   - timeout: how long all of it may take.
    /// - Returns: the device, with its nodes.
    /// - Throws: ``VHCIError/disconnected(_:)``, ``VHCIError/notReady(_:missing:after:)``, or as ``port(_:)``.
    public func waitUntilReady(_ number: PortNumber, timeout: Duration = .seconds(30)) throws(VHCIError)
        -> PluggedDevice
    {
        let deadline = calls.now() + timeout.milliseconds
        var port = try port(number)
        var last: DeviceSnapshot?
        var changed = calls.now()
        while true {
            guard port.state != .free, port.state != .failed else { throw .disconnected(number) }
            let start = calls.now()
            let snapshot = snapshot(of: port)
            if snapshot != last {
                last = snapshot
                changed = start
            }
            let readiness = snapshot.map(Readiness.init)
            if let snapshot, let readiness, readiness.isReached(quiet: start - changed) { return snapshot.device }
            guard start < deadline else {
                throw .notReady(number, missing: readiness?.missing ?? [Self.notEnumerated(port)], after: timeout)
            }
            // Looking takes its time where there are many files: never more of it than half of what passes.
            calls.pause(Int32(clamping: min(50, max(Self.interval, calls.now() - start))))
            port = try refreshed(port)
        }
    }

    /// How often is looked, in milliseconds.
    private static let interval: Int64 = 5

    private static func notEnumerated(_ port: Port) -> String {
        port.state == .enumerating
            ? "the kernel is still asking it for its descriptors, or has given up; 'dmesg' says"
            : "the kernel does not accept it; 'dmesg' says why"
    }
}
