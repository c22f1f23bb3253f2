internal import USBCore

/// Reads the records of Linux's usbmon: the headers of 48 bytes (link type 189) and of 64 (220), each followed by the
/// descriptors of isochronous packets and by data.
///
/// Numbers are in the byte order of the file, but for the setup packet's (Linux Documentation/usb/usbmon.rst).
enum USBMonPacket {
    /// The most isochronous packets that the kernel describes in a record.
    private static let mostDescriptors = 128
    private static let descriptorSize = 16

    /// What a packet means, and where its data are in it; nil when it is none of ours or too short for its header.
    ///
    /// - Parameter hasFineTime: the container's times are finer than microseconds, which is all that the record has.
    @inline(__always)
    static func event(
        _ frame: CapturedFrame, _ bytes: UnsafeRawBufferPointer, hasFineTime: Bool
    ) -> (event: CapturedEvent, data: Range<Int>)? {
        let header = frame.linkType == LinkType.usbmonMapped ? 64 : 48
        let isBigEndian = frame.isBigEndian
        guard bytes.count >= header, let kind = unsafe kind(bytes[8]), let type = unsafe type(bytes[9]) else {
            return nil
        }
        var event = CapturedEvent(
            kind, number: frame.number, offset: frame.offset, time: frame.time, channel: frame.interface,
            bus: unsafe bytes.number(UInt16.self, at: 12, isBigEndian: isBigEndian),
            device: UInt16(unsafe bytes[11]),
            urb: unsafe bytes.number(UInt64.self, at: 0, isBigEndian: isBigEndian),
            endpoint: EndpointAddress(rawValue: unsafe bytes[10]), type: type,
            length: Int(unsafe bytes.number(UInt32.self, at: 32, isBigEndian: isBigEndian)))
        if !hasFineTime, let time = unsafe time(bytes, isBigEndian) { event.time = time }
        if kind != .submission {
            event.status = TransferStatus(
                rawValue: unsafe bytes.number(Int32.self, at: 28, isBigEndian: isBigEndian))
        } else if type == .control, unsafe bytes[14] == 0 {
            event.setup = SetupPacket(littleEndian: unsafe bytes.number(UInt64.self, at: 40, isBigEndian: false))
        }
        if header == 64 {
            event.interval = unsafe bytes.number(Int32.self, at: 48, isBigEndian: isBigEndian)
            event.startFrame = unsafe bytes.number(Int32.self, at: 52, isBigEndian: isBigEndian)
            event.flags = unsafe bytes.number(UInt32.self, at: 56, isBigEndian: isBigEndian)
        }
        // The length that was captured counts the descriptors as well; the file can have cut the packet further.
        let captured = unsafe bytes.number(UInt32.self, at: 36, isBigEndian: isBigEndian)
        var start = header
        let end = header + min(Int(captured), bytes.count - header)
        var expected = event.length
        if type == .isochronous {
            unsafe readDescriptors(bytes, &start, end, &expected, &event, isBigEndian)
        }
        // Who does not capture in the kernel fills in the data flag as he likes; whether there are bytes tells more.
        guard
            (kind == .submission && event.endpoint.direction == .out)
                || (kind == .completion && event.endpoint.direction == .in)
        else { return (event, 0..<0) }
        let data = start..<min(end, start + expected)
        event.dataCount = data.count
        if !data.isEmpty { event.dataOffset = frame.bytesOffset + Int64(start) }
        if data.count < expected { event.isCut = true }
        return (event, data)
    }

    /// Reads the descriptors of isochronous packets.
    ///
    /// - Parameters:
    ///   - start: where they begin; left where the data do.
    ///   - end: where the packet's bytes end.
    ///   - expected: the data's length; set for a completion of an IN, whose data reach up to the last packet's end.
    @inline(never)
    private static func readDescriptors(
        _ bytes: UnsafeRawBufferPointer, _ start: inout Int, _ end: Int, _ expected: inout Int,
        _ event: inout CapturedEvent, _ isBigEndian: Bool
    ) {
        let all = Int(unsafe bytes.number(UInt32.self, at: 44, isBigEndian: isBigEndian))
        // The short header does not say how many descriptors there are. The kernel describes all packets, up to its
        // limit; very old ones describe none, and then there is no room for so many.
        let room = (end - start) / descriptorSize
        let said: Int
        if start == 64 {
            said = Int(unsafe bytes.number(UInt32.self, at: 60, isBigEndian: isBigEndian))
        } else {
            said = min(all, mostDescriptors) <= room ? min(all, mostDescriptors) : 0
        }
        let count = min(said, room)
        var reach = 0
        event.packets.reserveCapacity(count)
        for index in 0..<count {
            let place = start + index * descriptorSize
            let packet = CapturedPacket(
                status: TransferStatus(
                    rawValue: unsafe bytes.number(Int32.self, at: place, isBigEndian: isBigEndian)),
                offset: unsafe bytes.number(UInt32.self, at: place + 4, isBigEndian: isBigEndian),
                length: unsafe bytes.number(UInt32.self, at: place + 8, isBigEndian: isBigEndian))
            if packet.length > 0 { reach = max(reach, Int(packet.offset) + Int(packet.length)) }
            event.packets.append(packet)
        }
        // Packets that are not described, and descriptors that were cut off.
        if all > count || said > count { event.isCut = true }
        start += count * descriptorSize
        // An IN's length is what arrived, but its data keep the gaps between the packets.
        if event.kind == .completion, event.endpoint.direction == .in, count > 0 { expected = reach }
    }

    /// The record's own time; nil when it has none.
    @inline(__always)
    private static func time(_ bytes: UnsafeRawBufferPointer, _ isBigEndian: Bool) -> Int64? {
        let seconds = unsafe bytes.number(Int64.self, at: 16, isBigEndian: isBigEndian)
        let microseconds = unsafe bytes.number(Int32.self, at: 24, isBigEndian: isBigEndian)
        guard seconds != 0 || microseconds != 0 else { return nil }
        let product = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let sum = product.partialValue.addingReportingOverflow(Int64(microseconds) * 1000)
        return product.overflow || sum.overflow ? nil : sum.partialValue
    }

    @inline(__always)
    private static func kind(_ letter: UInt8) -> CapturedEvent.Kind? {
        switch letter {
        case UInt8(ascii: "S"): .submission
        case UInt8(ascii: "C"): .completion
        case UInt8(ascii: "E"): .refusal
        default: nil
        }
    }

    @inline(__always)
    private static func type(_ number: UInt8) -> TransferType? {
        switch number {
        case 0: .isochronous
        case 1: .interrupt
        case 2: .control
        case 3: .bulk
        default: nil
        }
    }
}
