import Glibc

extension VHCI {
    /// Where a rule for udev belongs.
    public static let udevRuleFile = "/etc/udev/rules.d/60-vhci-hcd.rules"
    /// Where the names of modules belong that are to be loaded when the machine starts (modules-load.d(5)).
    public static let moduleListFile = "/etc/modules-load.d/vhci-hcd.conf"

    /// The rule that lets a group attach and detach without root (udev(7)), one line.
    ///
    /// Whoever may attach can plug in any device, a keyboard that types included: give it to those only who could as
    /// well walk up to the machine.
    ///
    /// - Parameter group: the group's name; it must exist.
    public static func udevRule(group: String) -> String {
        // The files come while the driver starts; "add" may be told before that, "bind" is told after it. "add" is
        // what udev itself says again when the machine starts.
        "ACTION==\"add|bind\", SUBSYSTEM==\"platform\", KERNEL==\"vhci_hcd.0\", RUN+=\"/bin/sh -c 'cd /sys%p && "
            + "chgrp \(group) attach detach && chmod 0220 attach detach'\""
    }

    /// Finds out whether this process may attach and detach, without doing either.
    ///
    /// - Throws: ``VHCIError/notPermitted(file:)``, ``VHCIError/readOnly(file:)`` or ``VHCIError/notLoaded(_:)``.
    public func checkAccess() throws(VHCIError) {
        guard isLoaded else { throw Self.absent }
        for name in ["attach", "detach"] {
            let path = "\(controllerFolder)/\(name)"
            guard unsafe access(path, W_OK) != 0 else { continue }
            throw failure(of: path, code: errno, doing: "to write it")
        }
    }

    /// What it means that a file of the controller cannot be written.
    func failure(of path: String, code: Int32, doing what: String) -> VHCIError {
        switch code {
        case EACCES, EPERM: .notPermitted(file: path)
        case EROFS: .readOnly(file: path)
        case ENOENT: Self.absent
        default: .refused(what: what, code: code)
        }
    }

    static let absent = VHCIError.notLoaded("vhci-hcd is not loaded: run 'sudo modprobe vhci-hcd'")
}
