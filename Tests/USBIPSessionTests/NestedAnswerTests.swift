import TestSupport
import Testing
import USBCore
import USBDeviceKit

@testable import USBIPSession

@Suite("A device that completes one transfer while it writes the answer to another")
struct NestedAnswerTests {
    /// Answers EP 1 IN in place, and while it does, a waiting transfer of EP 2 IN with other bytes.
    private final class Nesting: Gadget {
        let description = DeviceDescription(speed: .high, vendorID: 0x1209, productID: 1) {
            Configuration {
                Interface(0, class: .vendorSpecific) {
                    Endpoint(.in(1), .bulk)
                    Endpoint(.in(2), .bulk)
                }
            }
        }
        let outer = InPipe(1)
        let inner = InPipe(2)
        var endpoints: [any EndpointHandler] { [outer, inner] }

        init(innerSize: Int) {
            outer.onRequest { [inner] room, output in
                unsafe output.append(repeating: 1, count: room / 2, as: UInt8.self)
                inner.send([UInt8](repeating: 2, count: innerSize))
                unsafe output.append(repeating: 1, count: room - room / 2, as: UInt8.self)
            }
        }
    }

    @Test(
        "both answers are whole, whatever their sizes",
        arguments: [100, 5000, 70_000] as [Int], [100, 5000, 200_000] as [Int])
    func whole(outerSize: Int, innerSize: Int) throws {
        let device = try GadgetDevice(Nesting(innerSize: innerSize))
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
            session.flush()
            try client.read(Array(output.bytes[seen...]))
            seen = output.bytes.count
        }
        try exchange(client.control(1, SetupPacket(requestType: 0, request: 9, value: 1)))
        try exchange(client.submit(2, .in(2), length: innerSize))
        try exchange(client.submit(3, .in(1), length: outerSize))
        let data = client.replies.compactMap(\.submit).map(\.data)
        #expect(data.count == 3)
        #expect(data.contains([UInt8](repeating: 1, count: outerSize)), "the answer in place is as it was written")
        #expect(data.contains([UInt8](repeating: 2, count: innerSize)), "so is the one given meanwhile")
    }
}
