internal import CZlib
internal import Glibc

/// Expands gzip (RFC 1952), as a stream, into a temporary file.
@safe
struct Inflation: ~Copyable {
    private static let inputSize = 256 << 10
    private static let outputSize = 256 << 10

    private let source: ByteSource
    private let output: TemporaryFile
    private let buffer: UnsafeMutableRawBufferPointer
    private var place: Int64 = 0

    /// The bytes that a source expands to: all members of a file that has several.
    ///
    /// Where the compressed bytes are cut or damaged, it has what came before, and says why in its `ending`.
    ///
    /// - Throws: ``CaptureError`` when the source cannot be read, or there is no room for the bytes.
    static func expand(
        _ source: ByteSource, into output: TemporaryFile
    ) throws(CaptureError) -> ByteSource {
        var inflation = Inflation(source, output)
        let ending = try inflation.run()
        return ByteSource(inflation.output.finished(), compression: "gzip", ending: ending)
    }

    /// What the first of compressed bytes expand to: at most `count` bytes, and fewer where they are cut or damaged.
    static func beginning(of bytes: UnsafeRawBufferPointer, count: Int) -> [UInt8] {
        var stream = unsafe z_stream()
        guard unsafe inflateInit2_(&stream, 16 + 15, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            return []
        }
        defer { unsafe inflateEnd(&stream) }
        unsafe stream.next_in = UnsafeMutablePointer(mutating: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self))
        unsafe stream.avail_in = UInt32(clamping: bytes.count)
        return unsafe [UInt8](unsafeUninitializedCapacity: count) { output, made in
            unsafe stream.next_out = output.baseAddress
            unsafe stream.avail_out = UInt32(clamping: count)
            _ = unsafe inflate(&stream, Z_NO_FLUSH)
            made = unsafe count - Int(stream.avail_out)
        }
    }

    private init(_ source: ByteSource, _ output: TemporaryFile) {
        self.source = source
        self.output = output
        unsafe buffer = .allocate(byteCount: Self.outputSize, alignment: 4096)
    }

    deinit { unsafe buffer.deallocate() }

    /// Expands everything; answers why it ended early, if it did.
    private mutating func run() throws(CaptureError) -> CaptureError? {
        var stream = unsafe z_stream()
        // 16: a gzip header and nothing else; 15: the largest window.
        guard unsafe inflateInit2_(&stream, 16 + 15, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            throw CaptureError(.unreadable, "There is no memory to expand the capture with")
        }
        defer { unsafe inflateEnd(&stream) }
        while true {
            let input = try unsafe source.piece(at: place, count: Self.inputSize)
            guard unsafe !input.isEmpty else {
                return CaptureError(
                    .cut,
                    "The compressed file is cut: it ends after \(place) bytes (copy it again if there is more)",
                    offset: output.count)
            }
            // zlib does not write to its input; it is only declared so.
            unsafe stream.next_in = UnsafeMutablePointer(
                mutating: input.baseAddress?.assumingMemoryBound(to: UInt8.self))
            unsafe stream.avail_in = UInt32(input.count)
            let code = try unsafe inflateAll(&stream)
            place += Int64(input.count) - Int64(unsafe stream.avail_in)
            switch code {
            case Z_OK, Z_BUF_ERROR: continue
            case Z_STREAM_END:
                switch try next() {
                case .member: unsafe inflateReset(&stream)
                case .end: return nil
                case .garbage:
                    return CaptureError(
                        .damaged, "After \(place) bytes of compressed data come others", offset: output.count)
                }
            default:
                return CaptureError(
                    .damaged, "The compressed data are damaged, near byte \(place) of the file", offset: output.count)
            }
        }
    }

    /// Expands the input that the stream has; answers zlib's code.
    private mutating func inflateAll(_ stream: inout z_stream) throws(CaptureError) -> Int32 {
        while true {
            unsafe stream.next_out = buffer.baseAddress?.assumingMemoryBound(to: UInt8.self)
            unsafe stream.avail_out = UInt32(buffer.count)
            let code = unsafe inflate(&stream, Z_NO_FLUSH)
            let made = unsafe buffer.count - Int(stream.avail_out)
            if made > 0 { try unsafe output.append(UnsafeRawBufferPointer(rebasing: buffer[..<made])) }
            if code != Z_OK { return code }
            // Output that did not fill the buffer means that the input is used up.
            if unsafe stream.avail_out > 0 { return code }
        }
    }

    private enum Next {
        case member
        case end
        case garbage
    }

    /// What comes after a member: another, the end (tapes are padded with zeros), or neither.
    private func next() throws(CaptureError) -> Next {
        var offset = place
        while true {
            let bytes = try unsafe source.piece(at: offset, count: Self.inputSize)
            guard unsafe !bytes.isEmpty else { return .end }
            if offset == place, unsafe bytes.starts(with: [0x1F, 0x8B]) { return .member }
            guard unsafe bytes.allSatisfy({ $0 == 0 }) else { return .garbage }
            offset += Int64(bytes.count)
        }
    }
}
