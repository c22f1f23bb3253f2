import USBCore
import USBIPWire

/// The op phase: devices are listed, and one is imported.
extension USBIPConversation {
    /// Whether eight bytes may be an op-phase header: a version that was ever spoken, and a code that is known.
    static func isOpHeader(_ bytes: ByteView, at position: Int) -> Bool {
        guard position + OpHeader.size <= bytes.count, bytes[position] == 1, bytes.big32(position + 4) <= 5 else {
            return false
        }
        switch OpCode(rawValue: bytes.big16(position + 2)) {
        case .importRequest, .importReply, .deviceListRequest, .deviceListReply: return true
        default: return false
        }
    }

    /// Takes an op-phase header.
    func takeOp(_ part: USBIPPart, _ lane: USBIPLane) {
        guard Self.isOpHeader(part.bytes, at: 0) else {
            return giveUp("neither a request nor a transfer begins with \(hex(part.bytes.big32(0)))")
        }
        let status = OpStatus(rawValue: part.bytes.big32(4))
        switch (OpCode(rawValue: part.bytes.big16(2)), lane.isClient) {
        case (.deviceListRequest, true): break
        case (.importRequest, true): expect(.importRequest, DeviceRecord.busIDSize, after: part, lane)
        case (.deviceListReply, false):
            if status == .ok { expect(.listCount, 4, after: part, lane) }
        case (.importReply, false):
            if status == .ok { expect(.importReply, DeviceRecord.size, after: part, lane) }
        default: giveUp("a request comes from the server, or an answer from the client")
        }
    }

    /// Takes what follows an op-phase header.
    func takeOpBody(
        _ body: USBIPLane.Body, _ part: USBIPPart,
        _ lane: USBIPLane, into output: DecodedEvents
    ) {
        lane.expectation = .beginning
        switch body.content {
        case .importReply:
            let bytes = part.bytes.copy(0..<DeviceRecord.size)
            guard let record = DeviceRecord(parsing: bytes) else { return giveUp("the imported device has no name") }
            announce(record, into: output)
        case .listCount: expectDevice(part.bytes.big32(0), part, lane)
        case .listedDevice(let others):
            let interfaces = Int(part.bytes[DeviceRecord.size - 1])
            if interfaces > 0 {
                expect(.listedInterfaces(others), interfaces * ClassRecord.interfaceSize, after: part, lane)
            } else {
                expectDevice(others, part, lane)
            }
        case .listedInterfaces(let others): expectDevice(others, part, lane)
        case .importRequest, .submission, .completion: break
        }
    }

    private func expectDevice(
        _ count: UInt32, _ part: USBIPPart, _ lane: USBIPLane
    ) {
        guard count > 0 else { return }
        expect(.listedDevice(count - 1), DeviceRecord.size, after: part, lane)
    }

    private func announce(_ record: DeviceRecord, into output: DecodedEvents) {
        var announcement = DeviceAnnouncement(
            channel: channel, bus: UInt16(truncatingIfNeeded: record.deviceID >> 16),
            device: UInt16(truncatingIfNeeded: record.deviceID), speed: Speed(rawValue: record.speed))
        announcement.vendorID = record.vendorID
        announcement.productID = record.productID
        announcement.busID = record.busID
        deviceID = record.deviceID
        output.announce(announcement)
    }

    /// A number as it stands in a packet.
    func hex(_ value: UInt32) -> String {
        let digits = String(value, radix: 16)
        return "0x" + String(repeating: "0", count: 8 - digits.count) + digits
    }
}
