/// Reads the packets of a pcap file (draft-ietf-opsawg-pcap §4 and §5), of either byte order, with times in
/// microseconds or nanoseconds, also with the longer records that patched versions of libpcap have written.
///
/// Ghostplug reads containers itself. libpcap refuses files whose interfaces have different link types, names no
/// offsets in its errors, drops comments, alters the lengths in usbmon records, and reads only from a file or a pipe
/// of its own.
@safe
final class PcapReader {
    /// The link type of all packets.
    let linkType: UInt16
    /// Where the next record begins.
    private(set) var offset: Int64 = 24

    private let source: ByteSource
    private let isBigEndian: Bool
    private let hasNanoseconds: Bool
    private let recordHeader: Int
    private var number = 0

    /// Whether a file that begins with these bytes is a pcap file.
    static func isPcap(_ beginning: UnsafeRawBufferPointer) -> Bool { unsafe Magic(beginning) != nil }

    /// Reads the file's header.
    ///
    /// - Throws: ``CaptureError`` when it is cut, or of a version that is not understood.
    init(_ source: ByteSource) throws(CaptureError) {
        let header = try unsafe source.piece(at: 0, count: 24)
        guard header.count == 24, let magic = unsafe Magic(header) else {
            throw CaptureError(.cut, "The file ends in its header of 24 bytes", offset: Int64(header.count))
        }
        self.source = source
        isBigEndian = magic.isBigEndian
        hasNanoseconds = magic.kind == .nanoseconds
        recordHeader = magic.kind == .modified ? 24 : 16
        let version = unsafe header.number(UInt16.self, at: 4, isBigEndian: isBigEndian)
        guard version == 2 else {
            throw CaptureError(
                .unsupported, "The file is pcap of version \(version); understood is version 2", offset: 4)
        }
        // The upper bits tell of frame check sequences.
        linkType = UInt16(truncatingIfNeeded: unsafe header.number(UInt32.self, at: 20, isBigEndian: isBigEndian))
    }

    /// Reads the next packet; false at the end.
    ///
    /// - Throws: ``CaptureError`` when the file is cut or damaged there.
    @inline(__always)
    func next(into packet: inout ContainerPacket) throws(CaptureError) -> Bool {
        let header = try unsafe source.piece(at: offset, count: recordHeader)
        if header.count == 0 { return false }
        guard header.count == recordHeader else { throw cut("in the packet's header") }
        let seconds = unsafe header.number(UInt32.self, at: 0, isBigEndian: isBigEndian)
        let fraction = unsafe header.number(UInt32.self, at: 4, isBigEndian: isBigEndian)
        let captured = Int(unsafe header.number(UInt32.self, at: 8, isBigEndian: isBigEndian))
        let original = Int(unsafe header.number(UInt32.self, at: 12, isBigEndian: isBigEndian))
        guard captured <= ContainerLimits.packet else {
            throw CaptureError(
                .excessive,
                "The packet says it has \(captured) bytes, more than the limit of \(ContainerLimits.packet)",
                offset: offset, packet: number + 1)
        }
        let bytesOffset = offset + Int64(recordHeader)
        let bytes = try unsafe source.piece(at: bytesOffset, count: captured)
        guard bytes.count == captured else { throw cut("in the packet's \(captured) bytes") }
        number += 1
        unsafe packet.frame = CapturedFrame(
            number: number, offset: offset, bytesOffset: bytesOffset,
            time: Int64(seconds) * 1_000_000_000 + Int64(fraction) * (hasNanoseconds ? 1 : 1000), interface: 0,
            linkType: linkType, isBigEndian: isBigEndian, originalLength: original)
        unsafe packet.bytes = bytes
        unsafe packet.hasFineTime = hasNanoseconds
        offset = bytesOffset + Int64(captured)
        return true
    }

    private func cut(_ place: String) -> CaptureError {
        CaptureError(.cut, "The file is cut: it ends \(place)", offset: offset, packet: number + 1)
    }

    /// The first four bytes.
    private struct Magic {
        enum Kind: UInt32 {
            case microseconds = 0xA1B2_C3D4
            case nanoseconds = 0xA1B2_3C4D
            /// Records with an interface, a protocol and a packet type behind the usual 16 bytes.
            case modified = 0xA1B2_CD34
        }
        var kind: Kind
        var isBigEndian: Bool

        init?(_ beginning: UnsafeRawBufferPointer) {
            guard beginning.count >= 4 else { return nil }
            let little = unsafe beginning.number(UInt32.self, at: 0, isBigEndian: false)
            if let kind = Kind(rawValue: little) {
                self.kind = kind
                isBigEndian = false
            } else if let kind = Kind(rawValue: little.byteSwapped) {
                self.kind = kind
                isBigEndian = true
            } else {
                return nil
            }
        }
    }
}
