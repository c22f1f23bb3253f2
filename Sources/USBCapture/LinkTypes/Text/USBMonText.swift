import USBCore

/// usbmon's text, as `/sys/kernel/debug/usb/usbmon/1u` gives it (Linux's `Documentation/usb/usbmon.rst`), and the older
/// `1t`, which lacks the bus.
///
/// It has at most 32 bytes of data and five packets of a transfer: what has more is cut.
package enum USBMonText {
    /// The most bytes that a line may have; usbmon's have at most 220.
    static let maximumLine = 4096

    /// Whether a file that begins so is usbmon's text.
    package static func isText(_ beginning: UnsafeRawBufferPointer) -> Bool {
        let bytes = unsafe ByteView(beginning)
        var start = 0
        while start < bytes.count, bytes[start] == 0x0a || bytes[start] == 0x0d { start += 1 }
        let end = (start..<min(bytes.count, start + maximumLine)).first { bytes[$0] == 0x0a }
        return head(bytes[start..<(end ?? bytes.count)]) != nil
    }

    /// The words that begin every line.
    private struct Head {
        var cursor: TextCursor
        var urb: UInt64
        /// Microseconds; they begin again at 0.
        var time: Int64
        var kind: CapturedEvent.Kind
        var type: TransferType
        var bus: UInt16
        var device: UInt16
        var endpoint: EndpointAddress
        var hasBus: Bool
    }

    private static func head(_ line: ByteView) -> Head? {
        var cursor = TextCursor(line)
        guard let urb = cursor.hexadecimal(16), let time = cursor.decimal(), time >= 0, time <= Int64(UInt32.max),
            let kind = kind(cursor.character()), let address = cursor.word(), address.count > 3,
            let type = type(address[0]), address[2] == UInt8(ascii: ":"),
            address[1] == UInt8(ascii: "i") || address[1] == UInt8(ascii: "o"),
            let numbers = TextCursor.numbers(address[3..<address.count]), numbers.count == 2 || numbers.count == 3,
            let number = numbers.last, (0...15).contains(number)
        else { return nil }
        let hasBus = numbers.count == 3
        guard let bus = UInt16(exactly: hasBus ? numbers[0] : 0),
            let device = UInt16(exactly: numbers[hasBus ? 1 : 0])
        else { return nil }
        let isIn = address[1] == UInt8(ascii: "i")
        return Head(
            cursor: cursor, urb: urb, time: time, kind: kind, type: type, bus: bus, device: device,
            endpoint: isIn ? .in(UInt8(number)) : .out(UInt8(number)), hasBus: hasBus)
    }

    private static func kind(_ character: UInt8?) -> CapturedEvent.Kind? {
        switch character {
        case UInt8(ascii: "S"): .submission
        case UInt8(ascii: "C"): .completion
        case UInt8(ascii: "E"): .refusal
        default: nil
        }
    }

    private static func type(_ character: UInt8) -> TransferType? {
        switch character {
        case UInt8(ascii: "C"): .control
        case UInt8(ascii: "Z"): .isochronous
        case UInt8(ascii: "I"): .interrupt
        case UInt8(ascii: "B"): .bulk
        default: nil
        }
    }

    // MARK: - A line

    /// Reads a line; nil when it is not one of usbmon's.
    ///
    /// The event's time is in nanoseconds, and begins again at 0.
    static func event(_ line: ByteView, number: Int, offset: Int64) -> (event: CapturedEvent, data: [UInt8])? {
        guard var head = head(line) else { return nil }
        var event = CapturedEvent(
            head.kind, number: number, offset: offset, time: head.time * 1000, bus: head.bus, device: head.device,
            urb: head.urb, endpoint: head.endpoint, type: head.type)
        guard readStatus(&head.cursor, into: &event) else { return nil }
        if event.type == .isochronous, event.kind != .refusal, head.hasBus {
            guard readPackets(&head.cursor, into: &event) else { return nil }
        }
        guard let length = head.cursor.decimal(), length <= Int64(Int32.max) else { return nil }
        // The kernel prints what a driver put there, also when it is negative.
        event.length = Int(max(0, length))
        guard event.length > 0 else { return head.cursor.isAtEnd ? (event, []) : nil }
        guard let mark = head.cursor.character() else { return nil }
        let hasData = event.endpoint.direction == (event.kind == .submission ? .out : .in)
        guard mark == UInt8(ascii: "=") else {
            event.isCut = event.isCut || hasData && event.kind != .refusal
            return head.cursor.isAtEnd ? (event, []) : nil
        }
        guard let data = readData(&head.cursor), data.count <= event.length else { return nil }
        event.dataCount = data.count
        event.isCut = event.isCut || data.count < event.length
        return (event, data)
    }

    /// Reads the status and what is joined to it, or in its place the setup stage.
    private static func readStatus(_ cursor: inout TextCursor, into event: inout CapturedEvent) -> Bool {
        guard let word = cursor.word() else { return false }
        if let numbers = TextCursor.numbers(word) {
            guard numbers.count <= 4, let status = Int32(exactly: numbers[0]),
                let interval = Int32(exactly: numbers.count > 1 ? numbers[1] : 0),
                let frame = Int32(exactly: numbers.count > 2 ? numbers[2] : 0)
            else { return false }
            event.interval = interval
            event.startFrame = frame
            // Of a submission it is what the driver left there, mostly -EINPROGRESS.
            if event.kind != .submission {
                guard status <= 0, status > -4096 else { return false }
                event.status = TransferStatus(rawValue: status)
            }
            return true
        }
        guard word.count == 1, event.kind == .submission else { return false }
        let isRead = word[0] == UInt8(ascii: "s")
        var fields: [UInt16] = []
        for digits in [2, 2, 4, 4, 4] {
            guard let field = cursor.word() else { return false }
            guard isRead else { continue }
            guard field.count == digits, let value = TextCursor.hexadecimal(field, digits) else { return false }
            fields.append(UInt16(value))
        }
        // Another letter: the setup stage could not be read.
        guard isRead else { return true }
        event.setup = SetupPacket(
            requestType: UInt8(fields[0]), request: UInt8(fields[1]), value: fields[2], index: fields[3],
            length: fields[4])
        return true
    }

    /// Reads how many packets there are, and the first five.
    private static func readPackets(_ cursor: inout TextCursor, into event: inout CapturedEvent) -> Bool {
        guard let count = cursor.decimal(), (0...Int64(UInt16.max)).contains(count) else { return false }
        for _ in 0..<min(count, 5) {
            guard let word = cursor.word(), let numbers = TextCursor.numbers(word), numbers.count == 3,
                let status = Int32(exactly: numbers[0]), let offset = UInt32(exactly: numbers[1]),
                let length = UInt32(exactly: numbers[2])
            else { return false }
            event.packets.append(
                CapturedPacket(status: TransferStatus(rawValue: status), offset: offset, length: length))
        }
        event.isCut = count > 5
        return true
    }

    private static func readData(_ cursor: inout TextCursor) -> [UInt8]? {
        var data: [UInt8] = []
        while let word = cursor.word() {
            guard word.count.isMultiple(of: 2), word.count <= 8 else { return nil }
            for index in stride(from: 0, to: word.count, by: 2) {
                guard let high = TextCursor.digit(word[index]), let low = TextCursor.digit(word[index + 1]) else {
                    return nil
                }
                data.append(high << 4 | low)
            }
        }
        return data
    }
}
