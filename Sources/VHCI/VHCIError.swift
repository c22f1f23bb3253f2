import Glibc

/// Why the virtual host controller could not do what it was asked, in words that say what to do.
public enum VHCIError: Error, Hashable, Sendable {
    /// `vhci-hcd` is not loaded, and could not be: why, and what to do.
    case notLoaded(String)
    /// This user may not attach and detach: the file that refuses.
    case notPermitted(file: String)
    /// sysfs is mounted read-only, as in most containers: the file that refuses.
    case readOnly(file: String)
    /// A file of the controller does not look as Linux writes it; the line counts from 1.
    case malformed(file: String, line: Int, reason: String)
    /// Every port of this half of every controller has a device.
    case noFreePort(half: VHCI.Half, ports: Int)
    /// The kernel does not take what it was given: what that was, and its error number.
    case refused(what: String, code: Int32)
    /// There is no such port.
    case noPort(PortNumber)
    /// No port has a device of this local name.
    case noDevice(busID: String)
    /// The port has no device.
    case portFree(PortNumber)
    /// The port still has its device after this time.
    case notDetached(PortNumber, after: Duration)
    /// The device has gone from its port while it was waited for.
    case disconnected(PortNumber)
    /// The device is attached, and was not ready in time: what was missing.
    case notReady(PortNumber, missing: [String], after: Duration)
    /// A file could not be read or written: which, and its error number.
    case file(path: String, code: Int32)
}

extension VHCIError: CustomStringConvertible {
    /// What happened and what to do, in one line.
    public var description: String {
        switch self {
        case .notLoaded(let why): why
        case .notPermitted(let file):
            "this user may not write \(file): run the command as root (sudo), or let a group do it, here plugdev: put "
                + "\(VHCI.udevRule(group: "plugdev")) into \(VHCI.udevRuleFile), the line vhci-hcd into "
                + "\(VHCI.moduleListFile), and restart"
        case .readOnly(let file):
            "\(file) is read-only here, as in a container: attach on the host, or start the container with "
                + "--privileged"
        case .malformed(let file, let line, let reason): "\(file), line \(line): \(reason)"
        case .noFreePort(let half, let ports):
            "all \(ports) \(half == .super ? "SuperSpeed" : "high-speed") ports have a device; detach one "
                + "('ghostplug ports' shows them)"
        case .refused(let what, let code): "the kernel refuses \(what): \(SystemWords.of(code)); 'dmesg' may say why"
        case .noPort(let port): "there is no port \(port); 'ghostplug ports' shows those in use"
        case .noDevice(let busID):
            "no device that this machine calls \(busID) hangs on a port; 'ghostplug ports' shows those that do"
        case .portFree(let port): "port \(port) has no device; 'ghostplug ports' shows those in use"
        case .notDetached(let port, let time):
            "port \(port) still has its device after \(Self.seconds(time)): a driver does not let go of it; 'dmesg' "
                + "may say why"
        case .disconnected(let port):
            "the device on port \(port) has gone again: its server ended the connection or broke the protocol; "
                + "'dmesg' says more"
        case .notReady(let port, let missing, let time):
            "the device on port \(port) is attached, but not ready after \(Self.seconds(time)): "
                + missing.joined(separator: "; ")
        case .file(let path, let code): "\(path): \(SystemWords.of(code))"
        }
    }

    private static func seconds(_ time: Duration) -> String {
        let (seconds, attoseconds) = time.components
        let tenths = attoseconds / 100_000_000_000_000_000
        return tenths == 0 ? "\(seconds) s" : "\(seconds).\(tenths) s"
    }
}

/// What the system says of its error numbers.
enum SystemWords {
    static func of(_ code: Int32) -> String {
        guard let text = unsafe strerror(code) else { return "error \(code)" }
        return unsafe String(cString: text)
    }
}
