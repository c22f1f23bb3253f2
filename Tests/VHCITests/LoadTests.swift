import Testing

@testable import VHCI

@Suite("Loading the module, and leave to attach")
struct LoadTests {
    @Test("a module that is loaded is left alone")
    func loaded() throws {
        let system = FakeSystem()
        system.load()
        system.setRoot(false)
        try system.vhci.load()
        #expect(system.programs.isEmpty)
    }

    @Test("one that is not is loaded with modprobe")
    func load() throws {
        let system = FakeSystem()
        system.onRun(ProgramOutcome(status: 0, output: "")) { [unowned system] in system.load() }
        try system.vhci.load()
        #expect(system.programs == [["modprobe", "vhci-hcd"]])
    }

    @Test("a controller that comes a little later is waited for, one that never comes is an error")
    func late() throws {
        let system = FakeSystem()
        system.onRun(ProgramOutcome(status: 0, output: ""))
        system.onPause { [unowned system] time in if time == 500 { system.load() } }
        try system.vhci.load()

        let other = FakeSystem()
        other.onRun(ProgramOutcome(status: 0, output: ""))
        let error = #expect(throws: VHCIError.self) { try other.vhci.load() }
        #expect(error?.description.contains("sysfs") == true)
        #expect(other.time <= 5000)
    }

    @Test("who is not root is told the command")
    func notRoot() {
        let system = FakeSystem()
        system.setRoot(false)
        let error = #expect(throws: VHCIError.self) { try system.vhci.load() }
        #expect(error?.description.contains("sudo modprobe vhci-hcd") == true)
        #expect(system.programs.isEmpty)
    }

    private static let missing = "modprobe: FATAL: Module vhci-hcd not found in directory /lib/modules/X\n"

    @Test(
        "each system is told which package has the module",
        arguments: [
            ("6.1.0-31-cloud-amd64", ["debian"], "apt install linux-image-amd64"),
            ("6.1.0-31-cloud-amd64", ["debian"], "cloud"),
            ("6.12.9-cloud-arm64", ["debian"], "apt install linux-image-arm64"),
            ("6.8.0-52-generic", ["ubuntu", "debian"], "apt install linux-modules-extra-6.8.0-52-generic"),
            ("6.13.4-200.fc41.x86_64", ["fedora"], "kernel-modules-extra-6.13.4-200.fc41.x86_64"),
            ("6.6.87-microsoft-standard", ["arch"], "CONFIG_USBIP_VHCI_HCD"),
        ])
    func packages(release: String, distributions: [String], words: String) {
        let advice = ModuleAdvice(
            release: release, distributions: distributions, isContainer: false, hasModules: true, words: Self.missing)
        #expect(advice.text.contains(words) && advice.text.contains(release), "\(advice.text)")
    }

    @Test("a container, a kernel without its modules, and a system without modprobe are told apart")
    func circumstances() {
        var advice = ModuleAdvice(
            release: "6.1.0-31-amd64", distributions: ["debian"], isContainer: true, hasModules: true,
            words: Self.missing)
        #expect(advice.text.contains("on the host"))
        advice.isContainer = false
        advice.hasModules = false
        #expect(advice.text.contains("restart the machine"))
        advice.words = nil
        #expect(advice.text.contains("kmod"))
        advice.words = "modprobe: ERROR: could not insert 'vhci_hcd': Key was rejected by service\nmore\n"
        #expect(advice.text.contains("Key was rejected") && !advice.text.contains("\n"))
    }

    @Test("the distribution's names are read with and without quotation marks")
    func distributions() {
        let text = "NAME=\"Linux Mint\"\nID=linuxmint\nID_LIKE=\"ubuntu debian\"\nVERSION_ID='22'\nBROKEN\n"
        #expect(ModuleAdvice.distributions(osRelease: text) == ["linuxmint", "ubuntu", "debian"])
    }

    @Test("the rule is one line, and gives both files to the group")
    func rule() {
        let rule = VHCI.udevRule(group: "usbusers")
        #expect(!rule.contains("\n"))
        #expect(rule.contains("chgrp usbusers attach detach") && rule.contains("chmod 0220 attach detach"))
        #expect(rule.contains("KERNEL==\"vhci_hcd.0\""))
    }

    @Test("access is checked without writing")
    func access() throws {
        let system = FakeSystem()
        let error = #expect(throws: VHCIError.self) { try system.vhci.checkAccess() }
        #expect(error?.description.contains("modprobe") == true)
        system.load()
        try system.vhci.checkAccess()
        #expect(system.written.isEmpty)
    }

    @Test("a program's status and words come back; one that is not there is none")
    func programs() {
        let outcome = Program.run(["sh", "-c", "echo out; echo err >&2; exit 3"])
        #expect(outcome?.status == 3)
        #expect(outcome?.output == "out\nerr\n")
        #expect(Program.run(["sh", "-c", "kill -9 $$"])?.status == 137)
        #expect(Program.run(["sh", "-c", "head -c 100000 /dev/zero"])?.output.utf8.count == 8192)
        #expect(Program.run(["no-such-program"]) == nil)
        #expect(Program.run([]) == nil)
    }
}
