import Testing
import USBCore

@testable import VHCI

@Suite("Waiting until a device is ready")
struct WaitTests {
    private let port = PortNumber(rawValue: 0)

    /// A system with a device on port 0 that enumeration has just given an address.
    private func started() -> (FakeSystem, FakeDevice) {
        let system = FakeSystem()
        system.load()
        system.setPort(0, state: 6, busID: "1-1")
        let device = FakeDevice(system)
        device.makeNode("bus/usb/001/007")
        return (system, device)
    }

    /// Does each step once its time has come, in milliseconds since the beginning.
    private func play(_ system: FakeSystem, _ steps: [(Int64, @Sendable () -> Void)]) {
        let done = Counter()
        system.onPause { time in
            while done.value < steps.count, steps[done.value].0 <= time {
                steps[done.value].1()
                done.value += 1
            }
        }
    }

    @Test("a drive is ready once its medium was searched for partitions, and they are among its nodes")
    func drive() throws {
        let system = FakeSystem()
        system.load()
        system.setPort(0, state: 5)
        let device = FakeDevice(system)
        device.makeNode("bus/usb/001/007")
        play(
            system,
            [
                (200, { [unowned system] in system.setPort(0, state: 6, busID: "1-1") }),
                (300, { device.configure(interfaces: 1) }),
                (310, { device.addInterface(0, classCode: "08", driver: "usb-storage") }),
                (1310, { device.addSCSI(unit: 0) }),
                (1400, { device.addDisk("sda", unit: 0, sectors: 65536) }),
                (1410, { device.setReads("sda", unit: 0, 1) }),
                (1420, { device.addPartition("sda1", of: "sda", unit: 0) }),
            ])
        let ready = try system.vhci.waitUntilReady(port)
        #expect((1420...1500).contains(system.time), "\(system.time)")
        #expect(ready.busID == "1-1" && ready.port == port && ready.speed == .high && ready.product == "Drive")
        #expect(ready.vendorID == 0x1209 && ready.productID == 0xa1 && ready.manufacturer == nil)
        #expect(
            ready.interfaces == [
                PluggedDevice.Interface(
                    number: 0, classCode: 8, subclass: 6, protocol: 0x50, driver: "usb-storage")
            ])
        #expect(
            ready.nodes.map { "\($0.path.split(separator: "/").last ?? "") \($0.kind.rawValue)" } == [
                "sda disk", "sda1 partition", "007 usb",
            ])
        #expect(ready.nodes.map(\.interface) == [0, 0, nil])
    }

    @Test("a drive whose driver is still waiting is waited for to the end, and the error says for what")
    func silentDrive() {
        let (system, device) = started()
        device.configure(interfaces: 1)
        device.addInterface(0, classCode: "08", driver: "usb-storage")
        let error = #expect(throws: VHCIError.self) {
            try system.vhci.waitUntilReady(port, timeout: .seconds(3))
        }
        #expect(
            error
                == .notReady(port, missing: ["usb-storage has found no disk behind interface 0"], after: .seconds(3)))
        #expect((3000...3100).contains(system.time))
    }

    @Test("an empty slot is ready without a medium, beside one with")
    func cardReader() throws {
        let (system, device) = started()
        device.configure(interfaces: 1)
        device.addInterface(0, classCode: "08", driver: "uas")
        for unit in 0..<2 { device.addSCSI(unit: unit) }
        device.addDisk("sda", unit: 0, sectors: 16384)
        device.setReads("sda", unit: 0, 2)
        device.addDisk("sdb", unit: 1, sectors: 0)
        let ready = try system.vhci.waitUntilReady(port)
        #expect(ready.nodes.count { $0.kind == .disk } == 2)
        #expect((Readiness.mediumPatience...Readiness.mediumPatience + 60).contains(system.time))
    }

    @Test("a unit without its block device is waited for; one of a kind that has none is not")
    func units() throws {
        let (system, device) = started()
        device.configure(interfaces: 1)
        device.addInterface(0, classCode: "08", driver: "usb-storage")
        // A medium changer.
        device.addSCSI(unit: 0, type: 8)
        #expect(try system.vhci.waitUntilReady(port).nodes.map(\.kind) == [.usb])
        device.addSCSI(unit: 1, type: 5)
        let error = #expect(throws: VHCIError.self) {
            try system.vhci.waitUntilReady(port, timeout: .seconds(1))
        }
        #expect(error?.description.contains("2:0:0:1 has no block device") == true)
    }

    @Test("a keyboard is ready when its reports and its events can be read")
    func keyboard() throws {
        let (system, device) = started()
        device.configure(interfaces: 1)
        device.addInterface(0, classCode: "03", driver: "usbhid")
        play(
            system,
            [
                (50, { device.addPlain("0003:1209:00A1.0001", of: 0, subsystem: "hid") }),
                (60, { device.addPlain("0003:1209:00A1.0001/input/input5", of: 0, subsystem: "input") }),
                (
                    70,
                    {
                        device.add(
                            "0003:1209:00A1.0001/hidraw/hidraw0", of: 0, subsystem: "hidraw", name: "hidraw0")
                    }
                ),
                // evdev is loaded on demand.
                (
                    400,
                    {
                        device.add(
                            "0003:1209:00A1.0001/input/input5/event3", of: 0, subsystem: "input", name: "input/event3")
                    }
                ),
            ])
        let ready = try system.vhci.waitUntilReady(port)
        #expect((400...410).contains(system.time), "\(system.time)")
        #expect(ready.nodes.map(\.kind) == [.hidraw, .event, .usb])
        #expect(ready.nodes.map(\.subsystem) == ["hidraw", "input", "usb"])
    }

    @Test("each interface of a driver has to have its node, where the driver makes one for each")
    func composite() throws {
        let (system, device) = started()
        device.configure(interfaces: 2)
        for number in 0..<2 { device.addInterface(UInt8(number), classCode: "03", driver: "usbhid") }
        device.add("0003:1209:00A1.0001/hidraw/hidraw0", of: 0, subsystem: "hidraw", name: "hidraw0")
        _ = try system.vhci.waitUntilReady(port)
        #expect(system.time >= Readiness.childPatience)
    }

    @Test("a driver that takes two interfaces for one line needs one node")
    func serial() throws {
        let (system, device) = started()
        device.configure(interfaces: 2)
        for number in 0..<2 { device.addInterface(UInt8(number), classCode: "02", driver: "cdc_acm") }
        device.add("tty/ttyACM0", of: 0, subsystem: "tty", name: "ttyACM0")
        let ready = try system.vhci.waitUntilReady(port)
        #expect(system.time < 50)
        #expect(ready.nodes.contains { $0.kind == .serial && $0.path.hasSuffix("/dev/ttyACM0") })
    }

    @Test("a network interface is told by its name")
    func network() throws {
        let (system, device) = started()
        device.configure(interfaces: 1)
        device.addInterface(0, classCode: "02", driver: "cdc_ether")
        device.addPlain("net/usb0", of: 0, subsystem: "net")
        let ready = try system.vhci.waitUntilReady(port)
        #expect(ready.nodes.first { $0.kind == .network }?.path == "usb0")
    }

    @Test("an interface that no driver takes is waited for half a second after the last change")
    func vendorSpecific() throws {
        let (system, device) = started()
        device.configure(interfaces: 2)
        device.addInterface(0, classCode: "ff")
        play(system, [(300, { device.addInterface(1, classCode: "ff") })])
        let ready = try system.vhci.waitUntilReady(port)
        #expect((300 + Readiness.driverPatience...310 + Readiness.driverPatience).contains(system.time))
        #expect(ready.interfaces.map(\.driver) == [nil, nil])
    }

    @Test("a node that the kernel has announced must be there")
    func missingNode() {
        let (system, device) = started()
        device.configure(interfaces: 1)
        device.addInterface(0, classCode: "07", driver: "usblp")
        device.add("usbmisc/lp0", of: 0, subsystem: "usbmisc", name: "usb/lp0", isMade: false)
        let error = #expect(throws: VHCIError.self) { try system.vhci.waitUntilReady(port, timeout: .seconds(4)) }
        #expect(error?.description.contains("dev/usb/lp0; is udev running?") == true)
    }

    @Test("a name that leads out of the folder of device nodes is none")
    func hostileName() throws {
        let (system, device) = started()
        device.configure(interfaces: 1)
        device.addInterface(0, classCode: "ff", driver: "odd")
        device.add("odd", of: 0, subsystem: "odd", name: "../../etc/passwd", isMade: false)
        #expect(try system.vhci.waitUntilReady(port).nodes.map(\.kind) == [.usb])
    }

    @Test("a device that the kernel does not configure, and one that it does not accept, are told apart")
    func halfWay() {
        let (system, _) = started()
        let unconfigured = #expect(throws: VHCIError.self) {
            try system.vhci.waitUntilReady(port, timeout: .seconds(1))
        }
        #expect(unconfigured?.description.contains("no configuration is selected") == true)
        system.setPort(1, state: 5)
        let asking = #expect(throws: VHCIError.self) {
            try system.vhci.waitUntilReady(PortNumber(rawValue: 1), timeout: .seconds(1))
        }
        #expect(asking?.description.contains("still asking it for its descriptors") == true)
        system.setPort(2, state: 6, busID: "1-3")
        let refused = #expect(throws: VHCIError.self) {
            try system.vhci.waitUntilReady(PortNumber(rawValue: 2), timeout: .milliseconds(1500))
        }
        #expect(refused?.description.contains("not ready after 1.5 s: the kernel does not accept it") == true)
    }

    @Test("a port that is free again, or failed, ends the waiting at once", arguments: [4, 7])
    func disconnected(state: Int) {
        let system = FakeSystem()
        system.load()
        system.setPort(0, state: 5)
        system.onPause { [unowned system] time in if time >= 100 { system.setPort(0, state: state) } }
        #expect(throws: VHCIError.disconnected(port)) { try system.vhci.waitUntilReady(port) }
        #expect(system.time < 120)
    }

    @Test("a device that is being removed is none")
    func removed() throws {
        let (system, device) = started()
        system.removeFile("\(device.folder)/devnum")
        #expect(try system.vhci.device(on: port) == nil)
        #expect(try system.vhci.device(on: PortNumber(rawValue: 3)) == nil)
    }
}

/// A number that a closure counts in; one thread only.
private final class Counter: @unchecked Sendable {
    var value = 0
}
