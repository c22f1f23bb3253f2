import Testing
import USBCapture
import USBCore

/// One keyboard was recorded twice at the same moment: by dumpcap, and as usbmon's text.
struct TextFixtureTests {
    /// What both formats have of an event; the text has at most 32 bytes of data.
    private struct Both: Hashable {
        let kind: CapturedEvent.Kind
        let urb: UInt64
        let bus: UInt16
        let device: UInt16
        let endpoint: EndpointAddress
        let type: TransferType
        let setup: SetupPacket?
        let status: TransferStatus
        let length: Int
        let data: [UInt8]
    }

    private static func events(of name: String) throws -> [Both] {
        let folder = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let reader = try CaptureReader(path: "/\(folder)/Fixtures/captures/\(name)")
        var events: [Both] = []
        // The root hub, address 1, was busy before both had begun.
        while let event = try reader.next() {
            guard event.device != 1 else { continue }
            let data = reader.withData { span in
                (0..<min(32, span.byteCount)).map { unsafe span.unsafeLoad(fromByteOffset: $0, as: UInt8.self) }
            }
            events.append(
                Both(
                    kind: event.kind, urb: event.urb, bus: event.bus, device: event.device, endpoint: event.endpoint,
                    type: event.type, setup: event.setup, status: event.kind == .submission ? .success : event.status,
                    length: event.length, data: data))
        }
        return events
    }

    @Test("usbmon's text says the same as its records")
    func sameInBoth() throws {
        let text = try Self.events(of: "keyboard.txt")
        let binary = try Self.events(of: "keyboard.pcapng")
        #expect(text.count > 50, "the text has only \(text.count) events")
        // One was stopped a moment before the other.
        let count = min(text.count, binary.count)
        for index in 0..<count {
            #expect(text[index] == binary[index], "event \(index + 1)")
            guard text[index] == binary[index] else { return }
        }
        #expect(abs(text.count - binary.count) <= 4)
    }
}
