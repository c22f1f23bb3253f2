import Glibc

extension VHCI {
    /// Whether the controller is there.
    public var isLoaded: Bool { FileAccess.exists("\(controllerFolder)/nports") }

    /// Loads `vhci-hcd` unless it is loaded.
    ///
    /// - Throws: ``VHCIError/notLoaded(_:)``, with what to do.
    public func load() throws(VHCIError) {
        guard !isLoaded else { return }
        guard calls.isRoot() else {
            throw .notLoaded("vhci-hcd is not loaded, and only root can do that: run 'sudo modprobe vhci-hcd' first")
        }
        let outcome = calls.run(["modprobe", "vhci-hcd"])
        guard let outcome, outcome.status == 0 else { throw .notLoaded(advice(outcome?.output).text) }
        // The module's first controller comes while it is being loaded; this is for kernels that do so later.
        for _ in 0..<200 {
            if isLoaded { return }
            calls.pause(10)
        }
        throw .notLoaded("'modprobe vhci-hcd' succeeded, but \(controllerFolder) is not there; is sysfs mounted?")
    }

    private func advice(_ words: String?) -> ModuleAdvice {
        let release = FileAccess.attribute("/proc/sys/kernel/osrelease") ?? "?"
        let system = (try? FileAccess.read("/etc/os-release")) ?? ""
        let marks = ["/.dockerenv", "/run/.containerenv", "/run/systemd/container"]
        return ModuleAdvice(
            release: release, distributions: ModuleAdvice.distributions(osRelease: system),
            isContainer: marks.contains(where: FileAccess.exists),
            hasModules: FileAccess.exists("/lib/modules/\(release)/modules.dep"), words: words)
    }
}
