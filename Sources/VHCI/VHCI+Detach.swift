import Glibc

extension VHCI {
    /// The port of a device by what this machine calls it, such as `1-1`.
    ///
    /// - Throws: ``VHCIError/noDevice(busID:)``, or as ``ports()``.
    public func port(ofDevice busID: String) throws(VHCIError) -> PortNumber {
        guard let port = try ports().first(where: { $0.busID == busID && $0.state != .free }) else {
            throw .noDevice(busID: busID)
        }
        return port.number
    }

    /// Pulls a device out, and waits until its port is free and the device has gone.
    ///
    /// - Parameters:
    ///   - number: the port, as `status` shows it.
    ///   - timeout: how long drivers may take to let go; the port is detached even if they take longer.
    /// - Throws: ``VHCIError/noPort(_:)``, ``VHCIError/portFree(_:)``, ``VHCIError/notDetached(_:after:)``,
    ///   ``VHCIError/notPermitted(file:)``, ``VHCIError/readOnly(file:)``, or as ``ports()``.
    public func detach(_ number: PortNumber, timeout: Duration = .seconds(30)) throws(VHCIError) {
        let before = try port(number)
        guard before.state != .free else { throw .portFree(number) }
        let file = "\(controllerFolder)/detach"
        let identity = before.busID.flatMap(deviceIdentity)
        guard unsafe access(file, W_OK) == 0 else {
            throw failure(of: file, code: errno, doing: "to detach port \(number)")
        }
        // First, as the usbip tool does: once the port is free, a note may be that of the next device.
        state.remove(number)
        switch calls.write(file, "\(number)") {
        case 0: break
        // It has gone by itself.
        case EINVAL: break
        case let code: throw failure(of: file, code: code, doing: "to detach port \(number)")
        }
        let deadline = calls.now() + timeout.milliseconds
        while true {
            let now = try refreshed(before)
            if hasGone(before, now), identity == nil || before.busID.flatMap(deviceIdentity) != identity { return }
            guard calls.now() < deadline else { throw .notDetached(number, after: timeout) }
            calls.pause(5)
        }
    }

    /// Whether the device has left the port, though another may have it already.
    private func hasGone(_ before: Port, _ now: Port) -> Bool {
        if now.state == .free { return true }
        return now.state == .enumerating ? before.state != .enumerating : now.deviceID != before.deviceID
    }

    /// What tells a device from another that later has its name: each enumeration gives a new device number.
    private func deviceIdentity(_ busID: String) -> String? {
        FileAccess.attribute("\(root)/bus/usb/devices/\(busID)/devnum")
    }
}

extension Duration {
    /// Rounded up, and cut to a span between nothing and thirty years.
    var milliseconds: Int64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        return min(seconds, 1_000_000_000) * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
    }
}
