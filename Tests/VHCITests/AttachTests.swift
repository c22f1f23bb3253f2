import Glibc
import Testing
import USBCore

@testable import VHCI

@Suite("Attaching")
struct AttachTests {
    @Test(
        "a device goes to the lowest free port of the half of its speed",
        arguments: [
            (Speed.low, UInt32(0)), (.full, 0), (.high, 0), (.super, 15), (.superPlus, 15),
        ])
    func half(speed: Speed, port: UInt32) throws {
        let system = FakeSystem()
        system.load(controllers: 8, portsPerHalf: 15)
        let number = try system.vhci.attach(descriptor: 9, deviceID: 0x10002, speed: speed)
        #expect(number.rawValue == port)
        #expect(system.written == ["attach \(port) 9 65538 \(speed.rawValue)"])
    }

    @Test("ports with a device, in whatever state, are passed over")
    func passedOver() throws {
        let system = FakeSystem()
        system.load()
        system.setPort(0, state: 5)
        system.setPort(1, state: 6, busID: "1-2")
        system.setPort(2, state: 7)
        #expect(try system.vhci.attach(descriptor: 3, deviceID: 1, speed: .high) == PortNumber(rawValue: 3))
    }

    @Test("a full half is followed by the next controller's")
    func spill() throws {
        let system = FakeSystem()
        system.load(controllers: 2, portsPerHalf: 8)
        for port in 8..<16 { system.setPort(UInt32(port), state: 6, speed: 5, busID: "2-\(port - 7)") }
        #expect(try system.vhci.attach(descriptor: 3, deviceID: 1, speed: .super) == PortNumber(rawValue: 24))
        #expect(try system.vhci.attach(descriptor: 3, deviceID: 1, speed: .high) == PortNumber(rawValue: 0))
    }

    @Test("the least used controller is chosen where that is asked for")
    func spread() throws {
        let system = FakeSystem()
        system.load(controllers: 3, portsPerHalf: 8)
        system.setPort(0, state: 6, busID: "1-1")
        // Also by the other half.
        system.setPort(24, state: 6, speed: 5, busID: "4-1")
        let first = try system.vhci.attach(
            descriptor: 3, deviceID: 1, speed: .high, placement: .leastUsedController)
        #expect(first == PortNumber(rawValue: 32))
        system.setPort(32, state: 5)
        let second = try system.vhci.attach(
            descriptor: 3, deviceID: 1, speed: .high, placement: .leastUsedController)
        #expect(second == PortNumber(rawValue: 1))
    }

    @Test("a port that another takes meanwhile is left to it")
    func race() throws {
        let system = FakeSystem()
        system.load(controllers: 2, portsPerHalf: 2)
        system.onWrite { [unowned system] _, text in
            // Two others are faster, on the only ports of the first controller.
            guard let port = text.split(separator: " ").first.flatMap({ UInt32($0) }), port < 2 else { return 0 }
            system.setPort(port, state: 5)
            return EBUSY
        }
        #expect(try system.vhci.attach(descriptor: 3, deviceID: 1, speed: .high) == PortNumber(rawValue: 4))
        #expect(system.written == ["attach 0 3 1 3", "attach 1 3 1 3", "attach 4 3 1 3"])
    }

    @Test("a port that says busy and looks free is not tried for ever")
    func stubborn() {
        let system = FakeSystem()
        system.load(portsPerHalf: 3)
        system.onWrite { _, _ in EBUSY }
        #expect(throws: VHCIError.noFreePort(half: .high, ports: 3)) {
            try system.vhci.attach(descriptor: 3, deviceID: 1, speed: .high)
        }
        #expect(system.written.count == 3)
    }

    @Test("no free port is an error that says how many there are, and what to do")
    func full() {
        let system = FakeSystem()
        system.load(portsPerHalf: 2)
        for port in 2..<4 { system.setPort(UInt32(port), state: 6, speed: 5, busID: "2-1") }
        let error = #expect(throws: VHCIError.self) {
            try system.vhci.attach(descriptor: 3, deviceID: 1, speed: .super)
        }
        #expect(error == .noFreePort(half: .super, ports: 2))
        #expect(error?.description.contains("all 2 SuperSpeed ports") == true)
        #expect(system.written.isEmpty)
    }

    @Test("a controller that is not ready gives way to the next; if none is, the kernel's words are told")
    func notReady() throws {
        let system = FakeSystem()
        system.load(controllers: 2, portsPerHalf: 1)
        system.onWrite { _, text in text.hasPrefix("0 ") ? EAGAIN : 0 }
        #expect(try system.vhci.attach(descriptor: 3, deviceID: 1, speed: .high) == PortNumber(rawValue: 2))
        system.onWrite { _, _ in EAGAIN }
        #expect(throws: VHCIError.refused(what: "a device on every port", code: EAGAIN)) {
            try system.vhci.attach(descriptor: 3, deviceID: 1, speed: .high)
        }
    }

    @Test(
        "what the kernel says is told with what to do",
        arguments: [
            (EACCES, "sudo"), (EPERM, "SUBSYSTEM==\"platform\""), (EROFS, "container"), (ENOENT, "modprobe"),
            (EINVAL, "dmesg"),
        ])
    func refused(code: Int32, words: String) {
        let system = FakeSystem()
        system.load()
        system.onWrite { _, _ in code }
        let error = #expect(throws: VHCIError.self) {
            try system.vhci.attach(descriptor: 3, deviceID: 1, speed: .high)
        }
        #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
        // Only a port that is taken is a reason to try another.
        #expect(system.written.count == 1)
    }

    @Test("a note that an earlier device left is not taken for the new one's")
    func staleNote() throws {
        let system = FakeSystem()
        system.load()
        try system.vhci.record(VHCI.RemoteRecord(host: "old", service: "1", busID: "9-9"), for: PortNumber(rawValue: 0))
        let port = try system.vhci.attach(descriptor: 3, deviceID: 1, speed: .high)
        #expect(system.vhci.remote(of: port) == nil)
    }
}

@Suite("Detaching")
struct DetachTests {
    @Test("the port is written as status shows it, and waited for until it is free")
    func detach() throws {
        let system = FakeSystem()
        system.load(controllers: 2, portsPerHalf: 15)
        system.setPort(23, state: 6, speed: 5, busID: "2-9")
        system.onPause { [unowned system] time in if time >= 100 { system.setPort(23, state: 4) } }
        try system.vhci.detach(PortNumber(rawValue: 23))
        #expect(system.written == ["detach 23"])
        #expect((100...120).contains(system.time))
    }

    @Test("the device's folder is waited for as well, since drivers let go later")
    func folder() throws {
        let system = FakeSystem()
        system.load()
        system.setPort(0, state: 6, busID: "1-1")
        let devnum = "\(system.folder)/sys/bus/usb/devices/1-1/devnum"
        system.write("5\n", to: devnum)
        system.onWrite { [unowned system] _, _ in
            system.setPort(0, state: 4)
            return 0
        }
        system.onPause { [unowned system] time in if time >= 200 { system.removeFile(devnum) } }
        try system.vhci.detach(PortNumber(rawValue: 0))
        #expect((200...220).contains(system.time))
    }

    @Test("a device that another plugs in there meanwhile is not waited for")
    func replaced() throws {
        let system = FakeSystem()
        system.load()
        system.setPort(0, state: 6, busID: "1-1")
        system.onWrite { [unowned system] _, _ in
            system.setPort(0, state: 5)
            return 0
        }
        try system.vhci.detach(PortNumber(rawValue: 0), timeout: .seconds(1))
        #expect(system.time < 1000)
    }

    @Test("the note goes, and the folder with the last one")
    func note() throws {
        let system = FakeSystem()
        system.load()
        for port in 0..<2 {
            system.setPort(UInt32(port), state: 6, busID: "1-\(port + 1)")
            try system.vhci.record(
                VHCI.RemoteRecord(host: "h", service: "3240", busID: "1-1"), for: PortNumber(rawValue: UInt32(port)))
        }
        system.onWrite { [unowned system] _, text in
            UInt32(text).map { system.setPort($0, state: 4) }
            return 0
        }
        try system.vhci.detach(PortNumber(rawValue: 0))
        #expect(!system.exists("\(system.statePath)/port0") && system.exists("\(system.statePath)/port1"))
        try system.vhci.detach(PortNumber(rawValue: 1))
        #expect(!system.exists(system.statePath))
    }

    @Test("a port that is free, or is none, is an error and nothing is written")
    func nothingThere() {
        let system = FakeSystem()
        system.load()
        #expect(throws: VHCIError.portFree(PortNumber(rawValue: 2))) {
            try system.vhci.detach(PortNumber(rawValue: 2))
        }
        #expect(throws: VHCIError.noPort(PortNumber(rawValue: 16))) {
            try system.vhci.detach(PortNumber(rawValue: 16))
        }
        #expect(system.written.isEmpty)
    }

    @Test("a device that does not go is an error in time, even when the port failed", arguments: [6, 7])
    func hangs(state: Int) {
        let system = FakeSystem()
        system.load()
        system.setPort(1, state: state, busID: "1-2")
        #expect(throws: VHCIError.notDetached(PortNumber(rawValue: 1), after: .seconds(2))) {
            try system.vhci.detach(PortNumber(rawValue: 1), timeout: .seconds(2))
        }
        #expect((2000...2050).contains(system.time))
    }

    @Test("a device that has gone by itself is no failure")
    func byItself() throws {
        let system = FakeSystem()
        system.load()
        system.setPort(1, state: 6, busID: "1-2")
        system.onWrite { [unowned system] _, _ in
            system.setPort(1, state: 4)
            return EINVAL
        }
        try system.vhci.detach(PortNumber(rawValue: 1))
    }

    @Test("a device is found by what this machine calls it")
    func byName() throws {
        let system = FakeSystem()
        system.load()
        system.setPort(5, state: 6, busID: "3-6")
        #expect(try system.vhci.port(ofDevice: "3-6") == PortNumber(rawValue: 5))
        #expect(throws: VHCIError.noDevice(busID: "3-7")) { try system.vhci.port(ofDevice: "3-7") }
    }
}

@Suite("Notes of what a port is connected to")
struct StateFolderTests {
    private let remote = VHCI.RemoteRecord(host: "192.168.1.7", service: "3240", busID: "1-1.2")

    @Test("a note is what the usbip tool writes, in a folder for root alone")
    func format() throws {
        let system = FakeSystem()
        try system.vhci.record(remote, for: PortNumber(rawValue: 17))
        #expect(system.text("\(system.statePath)/port17") == "192.168.1.7 3240 1-1.2\n")
        var status = stat()
        #expect(unsafe stat(system.statePath, &status) == 0 && status.st_mode & 0o777 == 0o700)
        #expect(system.vhci.remote(of: PortNumber(rawValue: 17)) == remote)
        // Longer ones do not show through.
        let short = VHCI.RemoteRecord(host: "h", service: "1", busID: "b")
        try system.vhci.record(short, for: PortNumber(rawValue: 17))
        #expect(system.vhci.remote(of: PortNumber(rawValue: 17)) == short)
    }

    @Test("fields that the tool would read differently are refused", arguments: ["", "a b", "a\nb", "a\tb"])
    func refused(host: String) {
        let system = FakeSystem()
        #expect(throws: VHCIError.self) {
            try system.vhci.record(
                VHCI.RemoteRecord(host: host, service: "3240", busID: "1-1"), for: PortNumber(rawValue: 0))
        }
        #expect(!system.exists("\(system.statePath)/port0"))
    }

    @Test("what is no note is none", arguments: ["", "a b", "a b c d", "a  b", " a b", "a b \u{1b}[2J"])
    func malformed(text: String) {
        let system = FakeSystem()
        system.write(text + "\n", to: "\(system.statePath)/port0")
        #expect(system.vhci.remote(of: PortNumber(rawValue: 0)) == nil)
    }

    @Test("a link that somebody laid is not followed")
    func link() {
        let system = FakeSystem()
        let victim = "\(system.folder)/victim"
        system.write("precious", to: victim)
        system.link("\(system.statePath)/port0", to: victim)
        #expect(throws: VHCIError.self) { try system.vhci.record(remote, for: PortNumber(rawValue: 0)) }
        #expect(system.text(victim) == "precious")
    }
}
