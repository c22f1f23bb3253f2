import TestSupport
import Testing
import USBCore
import USBDeviceKit
import USBIPSession

@Suite("Resets that USB/IP does not carry")
struct ResetTests {
    private func deviceDescriptor(_ length: UInt16) -> SetupPacket {
        SetupPacket(requestType: 0x80, request: 6, value: 0x0100, length: length)
    }

    @Test(
        "the first read of an enumeration means that the port was reset; other reads of the descriptor do not",
        arguments: [
            (.low, 64, true), (.full, 64, true), (.high, 64, true), (.high, 18, false), (.high, 8, false),
            (.super, 8, true), (.super, 64, false), (.super, 18, false), (.superPlus, 8, true),
        ] as [(Speed, UInt16, Bool)])
    func inferred(speed: Speed, length: UInt16, isReset: Bool) throws {
        let harness = SessionHarness(ScriptedDevice(speed: speed))
        harness.device.react = { _ in .answer(.bytes([UInt8](repeating: 1, count: 18))) }
        let replies = try harness.exchange(harness.client.control(1, deviceDescriptor(length)))
        #expect(harness.device.resets == (isReset ? [.inferred] : []))
        #expect(replies.first?.submit?.data.count == min(18, Int(length)), "the read itself is answered")
    }

    @Test(
        "reads of other things are no resets",
        arguments: [
            SetupPacket(requestType: 0x80, request: 6, value: 0x0200, length: 64),
            SetupPacket(requestType: 0x80, request: 6, value: 0x0101, length: 64),
            SetupPacket(requestType: 0x81, request: 6, value: 0x0100, length: 64),
            SetupPacket(requestType: 0x80, request: 7, value: 0x0100, length: 64),
            SetupPacket(requestType: 0x23, request: 3, value: 5),
            SetupPacket(requestType: 0x23, request: 1, value: 4),
        ])
    func others(setup: SetupPacket) throws {
        let harness = SessionHarness()
        harness.device.react = { _ in .answer(.status(.success)) }
        #expect(try harness.exchange(harness.client.control(1, setup)).count == 1)
        #expect(harness.device.resets == [] && harness.device.submissions.count == 1)
    }

    @Test("setup bytes of a transfer that is not control mean nothing")
    func bulkWithSetup() throws {
        let harness = SessionHarness()
        harness.device.react = { _ in .answer(.bytes([1])) }
        try harness.arrive(harness.client.submit(1, .in(1), length: 64, setup: deviceDescriptor(64)))
        #expect(harness.device.resets == [])
    }

    @Test("usbip-win2's port reset is one, and succeeds without troubling the device with the request")
    func portReset() throws {
        let harness = SessionHarness()
        let setup = SetupPacket(requestType: 0x23, request: 3, value: 4, index: 1)
        #expect(try harness.exchange(harness.client.control(1, setup)) == [.submit(SubmitReply(1))])
        #expect(harness.device.resets == [.port] && harness.device.submissions == [])
    }

    @Test("a port reset that says IN, and asks for data, gets none", arguments: [64, 9000, 100_000])
    func contradictoryPortReset(length: Int) throws {
        let harness = SessionHarness()
        let setup = SetupPacket(requestType: 0x23, request: 3, value: 4)
        #expect(
            try harness.exchange(harness.client.submit(1, .in(0), length: length, setup: setup))
                == [.submit(SubmitReply(1))])
        #expect(harness.output.bytes.count == 48)
    }

    @Test("a device that ends its transfers on a reset has each answered before the read that began it")
    func endsTransfers() throws {
        let harness = SessionHarness()
        let device = harness.device
        try harness.arrive(harness.client.submit(1, .in(1), length: 8) + harness.client.submit(2, .in(2), length: 8))
        device.react = { [unowned device] _ in
            device.completeAll(.shutdown)
            return .answer(.bytes([1]))
        }
        #expect(
            try harness.exchange(harness.client.control(3, deviceDescriptor(64))) == [
                .submit(SubmitReply(1, status: -108)), .submit(SubmitReply(2, status: -108)),
                .submit(SubmitReply(3, actualLength: 1, data: [1])),
            ])
    }
}
