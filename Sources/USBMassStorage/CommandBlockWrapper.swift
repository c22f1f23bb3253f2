import SCSITarget

/// The 31 bytes that begin a command (Bulk-Only Transport 1.0 §5.1).
struct CommandBlockWrapper {
    static let size = 31
    private static let signature: UInt32 = 0x4342_5355

    /// Names the command in its status.
    let tag: UInt32
    /// The bytes that the host is going to move.
    let dataLength: UInt32
    /// Whether the host expects them from the device; means nothing when there are none.
    let isIn: Bool
    /// The logical unit, 0 to 15.
    let lun: UInt8
    /// The command; what the wrapper leaves out is zero.
    let cdb: CDB

    /// Reads a wrapper; nil when it is not valid or not meaningful (§6.2).
    ///
    /// Reserved bits are let pass: hosts that set them exist, and nothing can be gained from refusing them.
    init?(_ bytes: RawSpan) {
        guard bytes.byteCount == Self.size else { return nil }
        func u32(_ offset: Int) -> UInt32 {
            UInt32(littleEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self))
        }
        func u8(_ offset: Int) -> UInt8 { unsafe bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self) }
        let length = Int(u8(14))
        guard u32(0) == Self.signature, (1...16).contains(length) else { return nil }
        tag = u32(4)
        dataLength = u32(8)
        isIn = u8(12) & 0x80 != 0
        lun = u8(13) & 0x0f
        cdb = unsafe bytes.extracting(15..<15 + length).withUnsafeBytes { unsafe CDB($0) }
    }
}

/// The 13 bytes that end a command (Bulk-Only Transport 1.0 §5.2).
struct CommandStatusWrapper {
    static let size = 13

    enum Status: UInt8 {
        case passed = 0
        case failed = 1
        /// Host and device do not agree on the data; the host resets the device.
        case phaseError = 2
    }

    var tag: UInt32
    /// The bytes that the host expected and that did not mean anything.
    var residue: UInt32
    var status: Status

    func write(to output: inout OutputRawSpan) {
        unsafe output.append((0x5342_5355 as UInt32).littleEndian, as: UInt32.self)
        unsafe output.append(tag.littleEndian, as: UInt32.self)
        unsafe output.append(residue.littleEndian, as: UInt32.self)
        unsafe output.append(status.rawValue, as: UInt8.self)
    }
}
