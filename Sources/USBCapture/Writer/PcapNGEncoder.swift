/// Encodes the blocks of a pcapng file of usbmon records (draft-ietf-opsawg-pcapng §4), little-endian.
///
/// A file is a section, an interface for each bus, packets, and at the end statistics of each interface. Times are in
/// nanoseconds.
public enum PcapNGEncoder {
    /// The link type of usbmon records with a header of 64 bytes (`LINKTYPE_USB_LINUX_MMAPPED`).
    public static let linkType: UInt16 = 220

    private enum Kind {
        static let section: UInt32 = 0x0a0d_0d0a
        static let interface: UInt32 = 1
        static let statistics: UInt32 = 5
        static let packet: UInt32 = 6
    }

    private enum Option {
        static let comment: UInt16 = 1
        static let interfaceName: UInt16 = 2
        static let interfaceDescription: UInt16 = 3
        static let application: UInt16 = 4
        static let timeResolution: UInt16 = 9
        static let packetDropCount: UInt16 = 4
        static let startTime: UInt16 = 2
        static let endTime: UInt16 = 3
        static let received: UInt16 = 4
        static let dropped: UInt16 = 5
    }

    // MARK: Whole blocks

    /// A section header: the file's first block.
    ///
    /// - Parameters:
    ///   - application: what writes the file, such as `ghostplug 1.0`.
    ///   - comment: what to say of the file; nothing when empty.
    public static func section(application: String, comment: String = "") -> [UInt8] {
        var body: [UInt8] = []
        body.append(littleEndian: UInt32(0x1a2b_3c4d))
        body.append(littleEndian: UInt16(1))
        body.append(littleEndian: UInt16(0))
        // The section's length is not known.
        body.append(littleEndian: UInt64.max)
        body.append(comment, as: Option.comment)
        body.append(application, as: Option.application)
        return block(Kind.section, body, hasOptions: !comment.isEmpty || !application.isEmpty)
    }

    /// An interface: what packets name by its number, which counts from 0 in the order in which interfaces come.
    public static func interface(name: String, description: String = "", comment: String = "") -> [UInt8] {
        var body: [UInt8] = []
        body.append(littleEndian: linkType)
        body.append(littleEndian: UInt16(0))
        // Nothing is ever cut.
        body.append(littleEndian: UInt32(0))
        body.append(comment, as: Option.comment)
        body.append(name, as: Option.interfaceName)
        body.append(description, as: Option.interfaceDescription)
        body.append([9], as: Option.timeResolution)
        return block(Kind.interface, body, hasOptions: true)
    }

    /// What an interface's statistics say.
    public struct Statistics: Hashable, Sendable {
        /// When recording began and ended, in nanoseconds since 1970.
        public var start: Int64
        /// When it ended.
        public var end: Int64
        /// Records there were, those included that were dropped.
        public var received: UInt64
        /// Records that were dropped, since there was no room for them.
        public var dropped: UInt64

        /// Makes statistics.
        public init(start: Int64, end: Int64, received: UInt64, dropped: UInt64) {
            self.start = start
            self.end = end
            self.received = received
            self.dropped = dropped
        }
    }

    /// An interface's statistics.
    public static func statistics(_ interface: UInt32, _ statistics: Statistics, comment: String = "") -> [UInt8] {
        var body: [UInt8] = []
        body.append(littleEndian: interface)
        body.append(time: statistics.end)
        body.append(comment, as: Option.comment)
        for (option, time) in [(Option.startTime, statistics.start), (Option.endTime, statistics.end)] {
            var bytes: [UInt8] = []
            bytes.append(time: time)
            body.append(bytes, as: option)
        }
        for (option, count) in [(Option.received, statistics.received), (Option.dropped, statistics.dropped)] {
            var bytes: [UInt8] = []
            bytes.append(littleEndian: count)
            body.append(bytes, as: option)
        }
        return block(Kind.statistics, body, hasOptions: true)
    }

    /// An event as a packet, with its data.
    ///
    /// - Parameter data: `dataCount` bytes; missing ones are zero.
    public static func packet(_ interface: UInt32, _ event: CapturedEvent, data: [UInt8] = []) -> [UInt8] {
        let record = USBMonRecord(event)
        var bytes = [UInt8](repeating: 0, count: packetSize(record.size))
        unsafe bytes.withUnsafeMutableBytes { memory in
            guard let base = memory.baseAddress else { return }
            let cut = event.isCut ? max(0, event.length - event.dataCount) : 0
            unsafe encodePacket(to: base, interface, event.time, count: record.size, original: record.size + cut)
            let start = unsafe base + packetHeaderSize
            unsafe record.encodeHeader(to: start, time: event.time)
            var place = USBMonRecord.headerSize
            for packet in event.packets.prefix(record.packetCount) {
                unsafe USBMonRecord.encode(
                    packet.status, offset: packet.offset, length: packet.length, to: start + place)
                place += USBMonRecord.packetSize
            }
            unsafe UnsafeMutableRawBufferPointer(start: start + place, count: record.dataCount)
                .copyBytes(from: data.prefix(record.dataCount))
        }
        return bytes
    }

    // MARK: Packets in place

    /// What stands in front of a packet's bytes.
    package static let packetHeaderSize = 28

    /// Bytes of the block of a packet of `count` bytes, with `options` bytes of options.
    package static func packetSize(_ count: Int, options: Int = 0) -> Int {
        packetHeaderSize + padded(count) + options + 4
    }

    /// Writes what stands before and behind a packet's bytes.
    ///
    /// - Parameters:
    ///   - memory: room for ``packetSize(_:options:)`` bytes.
    ///   - time: nanoseconds since 1970.
    ///   - count: bytes of the packet, which the caller writes behind ``packetHeaderSize``.
    ///   - original: bytes it had before it was cut.
    ///   - options: encoded options, such as ``gap(_:comment:)``.
    @unsafe package static func encodePacket(
        to memory: UnsafeMutableRawPointer, _ interface: UInt32, _ time: Int64, count: Int, original: Int,
        options: [UInt8] = []
    ) {
        let size = packetSize(count, options: options.count)
        let ticks = UInt64(bitPattern: time)
        unsafe memory.store(Kind.packet, at: 0)
        unsafe memory.store(UInt32(clamping: size), at: 4)
        unsafe memory.store(interface, at: 8)
        unsafe memory.store(UInt32(truncatingIfNeeded: ticks >> 32), at: 12)
        unsafe memory.store(UInt32(truncatingIfNeeded: ticks), at: 16)
        unsafe memory.store(UInt32(clamping: count), at: 20)
        unsafe memory.store(UInt32(clamping: original), at: 24)
        let end = packetHeaderSize + padded(count)
        for place in (packetHeaderSize + count)..<end { unsafe memory.store(UInt8(0), at: place) }
        if !options.isEmpty {
            unsafe UnsafeMutableRawBufferPointer(start: memory + end, count: options.count).copyBytes(from: options)
        }
        unsafe memory.store(UInt32(clamping: size), at: size - 4)
    }

    /// The options of the first packet after `dropped` ones that were not recorded.
    package static func gap(_ dropped: UInt64, comment: String) -> [UInt8] {
        var options: [UInt8] = []
        options.append(comment, as: Option.comment)
        var count: [UInt8] = []
        count.append(littleEndian: dropped)
        options.append(count, as: Option.packetDropCount)
        options.append(littleEndian: UInt32(0))
        return options
    }

    private static func padded(_ count: Int) -> Int { (count + 3) & ~3 }

    private static func block(_ kind: UInt32, _ body: [UInt8], hasOptions: Bool) -> [UInt8] {
        var bytes: [UInt8] = []
        let size = UInt32(clamping: 12 + body.count + (hasOptions ? 4 : 0))
        bytes.append(littleEndian: kind)
        bytes.append(littleEndian: size)
        bytes += body
        if hasOptions { bytes.append(littleEndian: UInt32(0)) }
        bytes.append(littleEndian: size)
        return bytes
    }
}

extension [UInt8] {
    fileprivate mutating func append<Number: FixedWidthInteger>(littleEndian value: Number) {
        var rest = value
        for _ in 0..<(Number.bitWidth / 8) {
            append(UInt8(truncatingIfNeeded: rest))
            // A shift by a whole byte empties a byte.
            rest = Number.bitWidth > 8 ? rest >> 8 : 0
        }
    }

    fileprivate mutating func append(time: Int64) {
        let ticks = UInt64(bitPattern: time)
        append(littleEndian: UInt32(truncatingIfNeeded: ticks >> 32))
        append(littleEndian: UInt32(truncatingIfNeeded: ticks))
    }

    /// Appends an option and what fills it up to four bytes.
    fileprivate mutating func append(_ value: [UInt8], as option: UInt16) {
        append(littleEndian: option)
        append(littleEndian: UInt16(clamping: value.count))
        self += value
        self += repeatElement(0, count: -value.count & 3)
    }

    /// Appends a text as an option, cut to what an option can have; nothing when it is empty.
    fileprivate mutating func append(_ text: String, as option: UInt16) {
        guard !text.isEmpty else { return }
        var bytes: [UInt8] = []
        for character in text {
            guard bytes.count + character.utf8.count <= 0xffff else { break }
            bytes += character.utf8
        }
        append(bytes, as: option)
    }
}
