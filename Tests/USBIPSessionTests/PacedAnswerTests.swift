import DirectHost
import TestSupport
import Testing
import USBCore
import USBDeviceKit
import USBIPSession
import USBIPWire

@Suite("Answers that a paced device gives later")
struct PacedAnswerTests {
    /// Interrupt IN 1 of 8 bytes every millisecond, bulk IN 2 and isochronous IN 3, all answered in place.
    private final class Filling: Gadget {
        let description = DeviceDescription(speed: .full, vendorID: 0x1209, productID: 1) {
            Configuration {
                Interface(0, class: .vendorSpecific) {
                    Endpoint(.in(1), .interrupt, maxPacketSize: 8, interval: 1)
                    Endpoint(.in(2), .bulk)
                    Endpoint(.in(3), .isochronous, maxPacketSize: 8, interval: 1)
                }
            }
        }
        let endpoints: [any EndpointHandler] = (1...3).map { number in
            let pipe = InPipe(UInt8(number))
            pipe.onRequest { room, output in
                unsafe output.append(repeating: UInt8(number), count: room, as: UInt8.self)
            }
            return pipe
        }
    }

    @Test("an answer that waits for its turn stays whole while others are given, and none of them waits for it")
    func parkedAnswer() throws {
        let clock = ManualClock()
        let executor = DeviceExecutor(clock: clock)
        let device = PacedDevice(try GadgetDevice(Filling()))
        device.attach(to: executor)
        let output = OutputCollector()
        let session = URBSession(device: device, deviceID: 0x10002, output: output)
        var client = ClientModel()
        client.deviceID = 0x10002
        device.connect()
        defer { session.close() }
        var seen = 0
        func exchange(_ bytes: [UInt8]) throws {
            let used = try unsafe bytes.withUnsafeBytes { unsafe try session.receive($0) }
            #expect(used == bytes.count)
            try collect()
        }
        func collect() throws {
            session.flush()
            try client.read(Array(output.bytes[seen...]))
            seen = output.bytes.count
        }
        try exchange(client.control(1, SetupPacket(requestType: 0, request: 9, value: 1)))
        // Four packets: the device answers in the first turn, the bus is done with it in the fourth.
        try exchange(client.submit(2, .in(1), length: 32))
        clock.advance(by: 1_500_000)
        try exchange(client.submit(3, .in(2), length: 100))
        try exchange(client.submit(4, .in(2), length: 70_000))
        clock.advance(by: 10_000_000)
        try collect()
        let replies = client.replies.compactMap(\.submit)
        #expect(replies.map(\.sequence) == [1, 3, 4, 2])
        #expect(
            replies.map(\.data) == [
                [], [UInt8](repeating: 2, count: 100), [UInt8](repeating: 2, count: 70_000),
                [UInt8](repeating: 1, count: 32),
            ])
    }
}
