/// Why `vhci-hcd` cannot be loaded here, and what to do about it.
struct ModuleAdvice: Sendable {
    /// The kernel's release, as `uname -r` has it.
    var release: String
    /// The distribution's names, `ID` and `ID_LIKE` of os-release (os-release(5)).
    var distributions: [String]
    /// Whether this is a container.
    var isContainer: Bool
    /// Whether there is a folder of modules for this kernel.
    var hasModules: Bool
    /// What `modprobe` said; nil when there is no `modprobe`.
    var words: String?

    /// The advice, in one line.
    var text: String {
        if isContainer {
            return "vhci-hcd is not loaded, and a container cannot load it: run 'sudo modprobe vhci-hcd' on the host"
        }
        guard let words else {
            return "vhci-hcd is not loaded, and there is no modprobe to do it (Debian, Ubuntu: package kmod)"
        }
        let said = words.split(separator: "\n").first.map { ": \($0)" } ?? ""
        guard words.contains("not found") else { return "'modprobe vhci-hcd' fails\(said)" }
        return "the kernel \(release) has no module vhci-hcd: \(remedy)"
    }

    private var remedy: String {
        guard hasModules else {
            return "/lib/modules has nothing for it; if the kernel was updated, restart the machine"
        }
        if distributions.contains("ubuntu") { return "sudo apt install linux-modules-extra-\(release)" }
        if distributions.contains("debian") {
            return release.contains("cloud")
                ? "cloud kernels leave it out; sudo apt install linux-image-\(architecture), remove the cloud kernel, "
                    + "and restart the machine"
                : "sudo apt install linux-image-\(architecture), and restart the machine"
        }
        if distributions.contains("fedora") { return "sudo dnf install kernel-modules-extra-\(release)" }
        return "install your distribution's package with the rest of the modules, or a kernel with "
            + "CONFIG_USBIP_VHCI_HCD=m"
    }

    /// What Debian calls the machine; its releases end with that.
    private var architecture: String {
        release.split(separator: "-").last.map(String.init).flatMap { Int($0) == nil ? $0 : nil } ?? "amd64"
    }

    /// The values of `ID` and `ID_LIKE`.
    static func distributions(osRelease: String) -> [String] {
        osRelease.split(separator: "\n").flatMap { line -> [String] in
            guard let sign = line.firstIndex(of: "="), ["ID", "ID_LIKE"].contains(line[..<sign]) else { return [] }
            return line[line.index(after: sign)...].split(whereSeparator: { " \"'".contains($0) }).map(String.init)
        }
    }
}
