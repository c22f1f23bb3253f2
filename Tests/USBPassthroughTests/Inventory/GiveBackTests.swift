import Testing
import USBCore

@testable import USBPassthrough

@Suite("Giving a device back to the kernel's drivers")
struct GiveBackTests {
    private let machine = FakeMachine()

    private func giveBack() throws -> [Inventory.OfferedInterface] {
        let inventory = machine.inventory
        return try inventory.giveBack(try #require(try inventory.devices().first))
    }

    @Test("offers each interface without a driver, and says what became of it")
    func offering() throws {
        machine.add(
            "1-1", 1, 1, address: 2,
            interfaces: [(0, 8, nil), (1, 3, "usbhid"), (2, 0xff, nil), (3, 1, nil), (4, 1, nil)])
        let machine = machine
        machine.onAttach { interface throws(LibUSBError) in
            switch interface {
            case 0: machine.setDriver("usb-storage", of: "1-1:1.0")
            case 2: throw .notFound
            case 3: throw .io
            default:
                // Another was faster.
                machine.setDriver("snd-usb-audio", of: "1-1:1.4")
                throw .busy
            }
        }
        #expect(
            try giveBack() == [
                .init(number: 0, outcome: .taken(driver: "usb-storage")),
                .init(number: 1, outcome: .kept(driver: "usbhid")), .init(number: 2, outcome: .unwanted),
                .init(number: 3, outcome: .refused(.io)), .init(number: 4, outcome: .taken(driver: "snd-usb-audio")),
            ])
        #expect(
            machine.calls == ["open /dev/bus/usb/001/002", "attach 0", "attach 2", "attach 3", "attach 4", "close"])
    }

    @Test("does not open a device that has nothing to be given back")
    func nothing() throws {
        machine.add("1-1", 1, 1, address: 2)
        #expect(try giveBack() == [.init(number: 0, outcome: .kept(driver: "usb-storage"))])
        #expect(machine.calls.isEmpty)
    }

    @Test("says why when the device cannot be opened")
    func closed() throws {
        machine.add("1-1", 1, 1, address: 2, interfaces: [(0, 8, nil)], name: "Stick")
        machine.failOpening(.access)
        let error = #expect(throws: InventoryError.self) { try giveBack() }
        #expect(error?.description == "1-1 (Stick): cannot open it: no permission" && error?.isMistake == false)
        #expect(machine.calls == ["open /dev/bus/usb/001/002"])
    }
}
