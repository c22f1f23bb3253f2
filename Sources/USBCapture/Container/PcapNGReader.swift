/// Reads the packets of a pcapng file (draft-ietf-opsawg-pcapng): any number of sections, each of either byte order,
/// with interfaces of different link types and clocks.
///
/// Blocks are taken one after another by their own length; a section's length is not used. Blocks of other kinds are
/// read over. ``PcapReader`` says why libpcap does not serve.
@safe
final class PcapNGReader {
    /// What the file says beside its packets, as far as it has been read.
    let notes: CaptureNotes
    /// Where the next block begins.
    private(set) var offset: Int64 = 0

    private let source: ByteSource
    private var isBigEndian = false
    private var interfaces: [PcapNGInterface] = []
    /// How many interfaces the sections before this one had.
    private var base = 0
    private var number = 0
    private var lastTime: Int64 = 0

    /// Whether a file that begins with these bytes is a pcapng file.
    static func isPcapNG(_ beginning: UnsafeRawBufferPointer) -> Bool {
        unsafe beginning.number(UInt32.self, at: 0, isBigEndian: false) == BlockType.sectionHeader
    }

    /// Makes a reader that stands at the file's beginning.
    init(_ source: ByteSource, notes: CaptureNotes) {
        self.source = source
        self.notes = notes
    }

    private enum BlockType {
        // The same in both byte orders.
        static let sectionHeader: UInt32 = 0x0A0D_0D0A
        static let interfaceDescription: UInt32 = 1
        static let obsoletePacket: UInt32 = 2
        static let simplePacket: UInt32 = 3
        static let interfaceStatistics: UInt32 = 5
        static let enhancedPacket: UInt32 = 6
    }

    /// Reads up to the next packet; false at the end.
    ///
    /// - Throws: ``CaptureError`` when the file is cut or damaged there, or asks for more than is allowed.
    func next(into packet: inout ContainerPacket) throws(CaptureError) -> Bool {
        while true {
            let header = try unsafe source.piece(at: offset, count: 12)
            if header.count == 0 { return false }
            guard header.count == 12 else { throw cut("in a block's header") }
            let type = unsafe header.number(UInt32.self, at: 0, isBigEndian: isBigEndian)
            if type == BlockType.sectionHeader { isBigEndian = try unsafe byteOrder(header) }
            let length = Int(unsafe header.number(UInt32.self, at: 4, isBigEndian: isBigEndian))
            let least = Self.leastLength(type)
            guard length >= least, length & 3 == 0 else {
                throw damaged("A block of type \(type) says it has \(length) bytes, which cannot be")
            }
            guard Int64(length) <= source.size - offset else {
                throw cut("\(Int64(length) - (source.size - offset)) bytes before a block of \(length) bytes does")
            }
            let isPacket = Self.isPacket(type)
            guard !isPacket || length <= ByteSource.largestPiece else {
                throw CaptureError(
                    .excessive,
                    "A packet's block has \(length) bytes, more than the limit of \(ByteSource.largestPiece)",
                    offset: offset, packet: number + 1)
            }
            // A packet's block is borrowed whole: what is borrowed of it below does not move the window.
            let block = try unsafe source.piece(at: offset, count: isPacket ? length : 0)
            let closing = try unsafe source.piece(at: offset + Int64(length) - 4, count: 4)
            let repeated = Int(unsafe closing.number(UInt32.self, at: 0, isBigEndian: isBigEndian))
            guard repeated == length else {
                throw damaged("A block has \(length) bytes by its beginning, and \(repeated) by its end")
            }
            switch type {
            case BlockType.enhancedPacket, BlockType.obsoletePacket: try unsafe timedPacket(type, block, &packet)
            case BlockType.simplePacket: try unsafe simplePacket(block, &packet)
            case BlockType.sectionHeader: try sectionHeader(length)
            case BlockType.interfaceDescription: try interfaceDescription(length)
            case BlockType.interfaceStatistics: try interfaceStatistics(length)
            default: break
            }
            offset += Int64(length)
            if isPacket {
                number += 1
                return true
            }
        }
    }

    @inline(__always)
    private static func isPacket(_ type: UInt32) -> Bool {
        type == BlockType.enhancedPacket || type == BlockType.simplePacket || type == BlockType.obsoletePacket
    }

    private static func leastLength(_ type: UInt32) -> Int {
        switch type {
        case BlockType.enhancedPacket, BlockType.obsoletePacket: 32
        case BlockType.sectionHeader: 28
        case BlockType.interfaceStatistics: 24
        case BlockType.interfaceDescription: 20
        case BlockType.simplePacket: 16
        default: 12
        }
    }

    private func byteOrder(_ header: UnsafeRawBufferPointer) throws(CaptureError) -> Bool {
        switch unsafe header.number(UInt32.self, at: 8, isBigEndian: false) {
        case 0x1A2B_3C4D: return false
        case 0x4D3C_2B1A: return true
        default: throw damaged("The section's byte order cannot be told: its magic number is wrong")
        }
    }

    private func cut(_ place: String) -> CaptureError {
        CaptureError(.cut, "The file is cut: it ends \(place)", offset: offset, packet: number + 1)
    }

    private func damaged(_ reason: String) -> CaptureError {
        CaptureError(.damaged, reason, offset: offset, packet: number + 1)
    }
}

// MARK: - Packets

extension PcapNGReader {
    /// An enhanced packet block, or the packet block that came before it (§4.3 and appendix A).
    @inline(__always)
    private func timedPacket(
        _ type: UInt32, _ block: UnsafeRawBufferPointer, _ packet: inout ContainerPacket
    ) throws(CaptureError) {
        let index =
            type == BlockType.enhancedPacket
            ? Int(unsafe block.number(UInt32.self, at: 8, isBigEndian: isBigEndian))
            : Int(unsafe block.number(UInt16.self, at: 8, isBigEndian: isBigEndian))
        let high = unsafe block.number(UInt32.self, at: 12, isBigEndian: isBigEndian)
        let low = unsafe block.number(UInt32.self, at: 16, isBigEndian: isBigEndian)
        let captured = Int(unsafe block.number(UInt32.self, at: 20, isBigEndian: isBigEndian))
        let original = Int(unsafe block.number(UInt32.self, at: 24, isBigEndian: isBigEndian))
        guard index < interfaces.count else { throw unknown(index) }
        guard captured <= block.count - 32 else {
            throw damaged("A packet says it has \(captured) bytes, in a block of \(block.count)")
        }
        let options = 28 + ((captured + 3) & ~3)
        if block.count - 4 - options >= 4 { try packetOptions(from: options, block.count, interface: base + index) }
        lastTime = interfaces[index].nanoseconds(UInt64(high) << 32 | UInt64(low))
        unsafe lend(block, 28, captured, original, index, &packet)
    }

    /// A simple packet block: of the first interface, without a time (§4.4).
    private func simplePacket(
        _ block: UnsafeRawBufferPointer, _ packet: inout ContainerPacket
    ) throws(CaptureError) {
        let original = Int(unsafe block.number(UInt32.self, at: 8, isBigEndian: isBigEndian))
        guard let interface = interfaces.first else { throw unknown(0) }
        var captured = min(original, block.count - 16)
        if interface.snapLength > 0 { captured = min(captured, Int(interface.snapLength)) }
        unsafe lend(block, 12, captured, original, 0, &packet)
        unsafe packet.hasFineTime = false
    }

    @inline(__always)
    private func lend(
        _ block: UnsafeRawBufferPointer, _ start: Int, _ captured: Int, _ original: Int, _ index: Int,
        _ packet: inout ContainerPacket
    ) {
        unsafe packet.frame = CapturedFrame(
            number: number + 1, offset: offset, bytesOffset: offset + Int64(start), time: lastTime,
            interface: base + index, linkType: interfaces[index].linkType, isBigEndian: isBigEndian,
            originalLength: original)
        unsafe packet.bytes = UnsafeRawBufferPointer(rebasing: block[start..<start + captured])
        unsafe packet.hasFineTime = interfaces[index].hasFineTime
    }

    private func unknown(_ interface: Int) -> CaptureError {
        damaged("A packet is of interface \(interface), but the section has described only \(interfaces.count)")
    }
}

// MARK: - What is said of packets

extension PcapNGReader {
    private enum Option {
        static let comment: UInt16 = 1
        static let droppedBeforePacket: UInt16 = 4
        static let resolution: UInt16 = 9
        static let timeOffset: UInt16 = 14
        static let droppedByInterface: UInt16 = 5
        static let droppedBySystem: UInt16 = 7
    }

    /// A section header block (§4.1): another file begins, with interfaces of its own.
    private func sectionHeader(_ length: Int) throws(CaptureError) {
        let header = try unsafe source.piece(at: offset, count: 16)
        let version = unsafe header.number(UInt16.self, at: 12, isBigEndian: isBigEndian)
        guard version == 1 else {
            throw CaptureError(
                .unsupported, "The section is pcapng of version \(version); understood is version 1", offset: offset)
        }
        base += interfaces.count
        interfaces.removeAll(keepingCapacity: true)
        var options = options(from: 24, length)
        while let option = try unsafe options.next() {
            if unsafe option.code == Option.comment {
                unsafe notes.comment(option.value, interface: nil, base: base)
            }
        }
    }

    /// An interface description block (§4.2).
    private func interfaceDescription(_ length: Int) throws(CaptureError) {
        guard base + interfaces.count < ContainerLimits.interfaces else {
            throw CaptureError(
                .excessive, "The file has more than \(ContainerLimits.interfaces) interfaces, the limit", offset: offset
            )
        }
        let header = try unsafe source.piece(at: offset, count: 16)
        var interface = PcapNGInterface(
            linkType: unsafe header.number(UInt16.self, at: 8, isBigEndian: isBigEndian),
            snapLength: unsafe header.number(UInt32.self, at: 12, isBigEndian: isBigEndian))
        let number = base + interfaces.count
        var options = options(from: 16, length)
        while let option = try unsafe options.next() {
            switch unsafe option.code {
            case Option.comment: unsafe notes.comment(option.value, interface: number, base: base)
            case Option.resolution: if let byte = unsafe option.value.first { interface.resolution = byte }
            case Option.timeOffset:
                interface.timeOffset = unsafe option.value.number(Int64.self, at: 0, isBigEndian: isBigEndian)
            default: break
            }
        }
        interfaces.append(interface)
    }

    /// An interface statistics block (§4.6); of several of one interface the last counts.
    private func interfaceStatistics(_ length: Int) throws(CaptureError) {
        let header = try unsafe source.piece(at: offset, count: 12)
        let index = Int(unsafe header.number(UInt32.self, at: 8, isBigEndian: isBigEndian))
        guard index < interfaces.count else {
            throw damaged(
                "Statistics are of interface \(index), but the section has described only \(interfaces.count)")
        }
        var dropped: UInt64 = 0
        var options = options(from: 20, length)
        while let option = try unsafe options.next() {
            switch unsafe option.code {
            case Option.comment: unsafe notes.comment(option.value, interface: base + index, base: base)
            case Option.droppedByInterface, Option.droppedBySystem:
                let count = unsafe option.value.number(UInt64.self, at: 0, isBigEndian: isBigEndian)
                let sum = dropped.addingReportingOverflow(count)
                dropped = sum.overflow ? .max : sum.partialValue
            default: break
            }
        }
        notes.count(dropped: dropped, insteadOf: interfaces[index].dropped)
        interfaces[index].dropped = dropped
    }

    private func packetOptions(from start: Int, _ length: Int, interface: Int) throws(CaptureError) {
        var options = options(from: start, length)
        while let option = try unsafe options.next() {
            switch unsafe option.code {
            case Option.comment: unsafe notes.comment(option.value, interface: interface, base: base)
            case Option.droppedBeforePacket:
                let count = unsafe option.value.number(UInt64.self, at: 0, isBigEndian: isBigEndian)
                notes.count(droppedBeforePacket: count)
            default: break
            }
        }
    }

    private func options(from start: Int, _ length: Int) -> PcapNGOptions {
        PcapNGOptions(source, from: offset + Int64(start), to: offset + Int64(length) - 4, isBigEndian: isBigEndian)
    }
}
