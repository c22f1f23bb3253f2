import CaptureTraces
import Testing
import USBCapture
import USBCore

@Suite("Devices and their addresses")
struct FollowingTests {
    private let setAddress = { (n: UInt16) in SetupPacket(requestType: 0, request: 5, value: n) }
    private let portStatus = SetupPacket(requestType: 0xa3, request: 0, index: 1, length: 4)

    @Test("A device goes from address 0 to the next that answers with its descriptor, without SET_ADDRESS")
    func withoutSetAddress() throws {
        var script = Script()
        script.device = 1
        script.control(portStatus, answer: [1, 1, 0, 0])
        script.device = 0
        script.descriptor(1, length: 64, Samples.device())
        script.device = 1
        script.control(portStatus, answer: [3, 1, 0, 0])
        script.device = 9
        script.descriptor(1, length: 18, Samples.device())
        script.output(2, [1])

        let devices = script.summary.devices
        #expect(devices.map(\.addresses) == [[1], [0, 9]])
        #expect(devices.map(\.isHub) == [true, false])
        #expect(devices[1].descriptors.productID == 1)
        #expect(try script.traces()[1].transfers.count == 3)
        #expect(devices.map(\.number) == [1, 2])
    }

    @Test("SET_ADDRESS says where it goes")
    func setAddressSeen() throws {
        var script = Script()
        script.device = 0
        script.descriptor(1, length: 8, Samples.device())
        script.control(setAddress(7))
        script.device = 3
        script.input(1, [0], .interrupt)
        script.device = 7
        script.output(1, [1])
        #expect(script.summary.devices.map(\.addresses) == [[0, 7], [3]])
    }

    @Test("SET_ADDRESS that fails says nothing")
    func setAddressFails() {
        var script = Script()
        script.device = 0
        script.control(setAddress(7), answer: nil)
        #expect(script.summary.devices.map(\.addresses) == [[0]])
    }

    @Test("A device that is reset goes to address 0 and comes back", arguments: [false, true])
    func reset(hasSetAddress: Bool) {
        var script = Script()
        script.device = 16
        script.descriptor(1, length: 18, Samples.device())
        script.device = 0
        script.descriptor(1, length: 64, Samples.device())
        if hasSetAddress { script.control(setAddress(16)) }
        script.device = 16
        script.descriptor(1, length: 18, Samples.device())
        #expect(script.summary.devices.map(\.addresses) == [[16, 0, 16]])
        #expect(script.summary.devices[0].submissions == (hasSetAddress ? 4 : 3))
    }

    @Test("Another device descriptor at an address is another device", arguments: [false, true])
    func replaced(hasSetAddress: Bool) throws {
        var script = Script()
        script.descriptor(1, length: 18, Samples.device(product: 1))
        script.output(1, [1])
        if hasSetAddress {
            script.device = 0
            script.control(setAddress(5))
            script.device = 5
        }
        script.descriptor(1, length: 18, Samples.device(product: 2))
        script.output(1, [2, 2])
        let traces = try script.traces()
        #expect(traces.map { $0.device.descriptors.productID } == [1, 2])
        #expect(traces.map { $0.transfers.count } == [2, hasSetAddress ? 3 : 2])
        #expect(traces.map { $0.device.submissions } == [2, hasSetAddress ? 3 : 2])
    }

    @Test("The same device descriptor at an address is the same device")
    func asked() {
        var script = Script()
        for length: UInt16 in [8, 18, 64, 8] { script.descriptor(1, length: length, Samples.device()) }
        #expect(script.summary.devices.count == 1)
    }

    @Test("A device that is only looked at while another waits at address 0 stays what it is")
    func bystander() {
        var script = Script()
        script.device = 3
        script.descriptor(1, length: 18, Samples.device(product: 3))
        script.device = 0
        script.descriptor(1, length: 8, Samples.device(product: 9))
        script.device = 3
        script.descriptor(1, length: 18, Samples.device(product: 3))
        script.device = 4
        script.descriptor(1, length: 18, Samples.device(product: 9))
        #expect(script.summary.devices.map(\.addresses) == [[3], [0, 4]])
    }

    @Test("A device that was looked at while another waited is followed through its own reset later")
    func laterReset() {
        var script = Script()
        for (n, product): (UInt16, UInt16) in [(3, 3), (0, 9), (3, 3), (4, 9), (0, 3), (3, 3), (0, 3), (3, 3)] {
            script.device = n
            script.descriptor(1, length: 18, Samples.device(product: product))
        }
        #expect(script.summary.devices.map(\.addresses) == [[3, 0, 3, 0, 3], [0, 4]])
    }

    @Test("One whose descriptor contradicts address 0's is not its continuation")
    func stranger() {
        var script = Script()
        script.device = 0
        script.descriptor(1, length: 64, Samples.device(product: 9))
        script.device = 4
        script.descriptor(1, length: 18, Samples.device(product: 3))
        script.device = 6
        script.descriptor(1, length: 18, Samples.device(product: 9))
        #expect(script.summary.devices.map(\.addresses) == [[0, 6], [4]])
    }

    @Test("One that is configured after address 0's request continues it, though its descriptor is not asked for again")
    func shortEnumeration() {
        var script = Script()
        script.device = 0
        script.descriptor(1, length: 64, Samples.device())
        script.device = 4
        script.descriptor(2, length: 9, Samples.storage)
        #expect(script.summary.devices.map(\.addresses) == [[0, 4]])
        #expect(script.summary.devices[0].descriptors.productID == 1)
    }

    @Test("Devices that begin one after another are told apart")
    func oneAfterAnother() {
        var script = Script()
        for n: UInt16 in 2...5 {
            script.device = 0
            script.descriptor(1, length: 64, Samples.device(product: n))
            script.device = n
            script.descriptor(1, length: 18, Samples.device(product: n))
        }
        #expect(script.summary.devices.map(\.addresses) == [[0, 2], [0, 3], [0, 4], [0, 5]])
    }

    @Test("Address 0 of another bus is another device's")
    func buses() {
        var script = Script()
        script.device = 0
        script.descriptor(1, length: 64, Samples.device())
        script.bus = 2
        script.device = 4
        script.descriptor(1, length: 18, Samples.device())
        #expect(script.summary.devices.map(\.addresses) == [[0], [4]])
    }

    @Test("A hub is one by its class, or by what it is asked")
    func hubs() {
        var script = Script()
        script.descriptor(1, length: 18, Samples.device(class: .hub))
        script.device = 6
        script.control(portStatus, answer: [0, 0, 0, 0])
        script.device = 7
        script.control(SetupPacket(requestType: 0xa1, request: 0xfe, length: 1), answer: [0])
        #expect(script.summary.devices.map(\.isHub) == [true, true, false])
    }

    @Test("What is said of a device is its speed, and what its descriptors lack")
    func announced() {
        var script = Script()
        script.descriptor(1, length: 8, Samples.device(strings: true))
        var said = DeviceAnnouncement(channel: 0, bus: 1, device: 5, speed: .high)
        said.descriptors = Samples.device(strings: true) + Samples.storage
        said.product = "A disk"
        script.announcements = [said, DeviceAnnouncement(channel: 1, bus: 1, device: 5, speed: .low)]

        let device = script.summary.devices[0]
        #expect(device.speed == .high)
        #expect(device.isSpeedKnown)
        #expect(device.descriptors.isComplete)
        #expect(device.descriptors.string(2) == "A disk")
        #expect(device.announcement == said)
    }

    @Test("What is said with ids is meant for the device of these ids, though another has the address")
    func announcedByIDs() {
        var script = Script()
        script.descriptor(1, length: 18, Samples.device(product: 1))
        script.descriptor(1, length: 18, Samples.device(product: 2))
        var said = DeviceAnnouncement(bus: 1, device: 5, speed: .low)
        said.vendorID = 0x1209
        said.productID = 2
        script.announcements = [said]
        #expect(script.summary.devices.map(\.isSpeedKnown) == [false, true])
    }

    @Test("A hundred thousand addresses are more than are told apart; the rest are one, and it is said")
    func manyAddresses() {
        var script = Script()
        for n in 0..<100_000 {
            script.bus = UInt16(n >> 10)
            script.device = UInt16(n & 0x3ff) + 1
            script.add(.submission, .bulk, 0x81, urb: UInt64(n), length: 1)
        }
        let summary = script.summary
        #expect(summary.devices.count == 4097)
        #expect(summary.devices.last?.submissions == 100_000 - 4096)
        #expect(summary.devices.reduce(0) { $0 + $1.unanswered } == 100_000)
        #expect(summary.notes == ["there are more than 4096 devices; device 4097 is all the others together"])
    }
}
