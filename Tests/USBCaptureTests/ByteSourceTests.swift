import Glibc
import Testing
import USBCore

@testable import USBCapture

/// A file in a folder for temporary files, until nobody refers to it any more.
private final class ScratchFile {
    let path: String
    private let descriptor: Int32

    init(_ bytes: [UInt8]) throws {
        var template = Array("/tmp/ghostplug-test-XXXXXX".utf8CString)
        descriptor = unsafe mkstemp(&template)
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        try #require(descriptor >= 0)
        try append(bytes)
    }

    deinit {
        close(descriptor)
        unsafe unlink(path)
    }

    func append(_ bytes: [UInt8]) throws {
        try #require(unsafe write(descriptor, bytes, bytes.count) == bytes.count)
    }

    func cut(to size: Int) { ftruncate(descriptor, size) }
}

@Suite("The bytes of a capture")
struct ByteSourceTests {
    private static let pattern = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7 ^ $0 >> 9) }

    private static func piece(_ source: ByteSource, _ offset: Int, _ count: Int) throws -> [UInt8] {
        try unsafe Array(source.piece(at: Int64(offset), count: count))
    }

    @Test("are lent at any place, in pieces of any size, up to the end")
    func pieces() throws {
        let file = try ScratchFile(Self.pattern)
        let source = try ByteSource.open(path: file.path)
        #expect(source.size == 3_000_000)
        // The window has 512 KiB: within it, across its end, backwards, larger than it, and beyond the file's end.
        for (offset, count) in [
            (0, 10), (5, 100_000), (524_280, 16), (600_000, 524_288), (700_000, 2_000_000), (1, 4), (2_999_999, 1),
            (2_999_990, 100), (3_000_000, 5), (4_000_000, 5), (0, 3_000_000), (10, 0),
        ] {
            let expected = Self.pattern[min(offset, 3_000_000)..<min(offset + count, 3_000_000)]
            #expect(try Self.piece(source, offset, count) == Array(expected))
        }
        #expect(try Self.piece(source, -5, 3) == [])
        #expect(throws: CaptureError.self) { try Self.piece(source, 0, ByteSource.largestPiece + 1) }
    }

    @Test("can be read into memory while a piece is lent")
    func reading() throws {
        let file = try ScratchFile(Self.pattern)
        let source = try ByteSource.open(path: file.path)
        let piece = try unsafe source.piece(at: 100, count: 50)
        var memory = [UInt8](repeating: 0, count: 1000)
        try unsafe memory.withUnsafeMutableBytes { try unsafe source.read(at: 2_500_000, into: $0) }
        #expect(memory == Array(Self.pattern[2_500_000..<2_501_000]))
        #expect(unsafe piece.elementsEqual(Self.pattern[100..<150]))
        let error = #expect(throws: CaptureError.self) {
            try unsafe memory.withUnsafeMutableBytes { try unsafe source.read(at: 2_999_001, into: $0) }
        }
        #expect(error?.kind == .cut)
    }

    @Test("are missed with an error when the file is cut while it is read")
    func shortened() throws {
        let file = try ScratchFile(Self.pattern)
        let source = try ByteSource.open(path: file.path)
        _ = try Self.piece(source, 0, 10)
        file.cut(to: 1_000_000)
        let error = #expect(throws: CaptureError.self) { try Self.piece(source, 999_990, 20) }
        #expect(error?.kind == .cut)
        #expect(error?.offset == 1_000_000)
        #expect(try Self.piece(source, 0, 4) == Array(Self.pattern[..<4]))
    }

    @Test("are lent line by line")
    func lines() throws {
        let long = [UInt8](repeating: 0x78, count: 5000)
        let source = ByteSource(bytes: Array("ab\n\n".utf8) + long + Array("\nend".utf8))
        func line(_ offset: Int64) throws -> [UInt8]? {
            try unsafe source.line(at: offset, limit: 6000).map { unsafe Array($0) }
        }
        #expect(try line(0) == Array("ab\n".utf8))
        #expect(try line(3) == Array("\n".utf8))
        #expect(try line(4) == long + [0x0A])
        #expect(try line(5005) == Array("end".utf8))
        #expect(try line(5008) == nil)
        #expect(throws: CaptureError.self) { _ = try unsafe source.line(at: 4, limit: 4999) }
    }

    @Test("of a pipe are copied")
    func pipes() throws {
        var ends: [Int32] = [0, 0]
        try #require(unsafe pipe(&ends) == 0)
        let small = CaptureFiles.small()
        try #require(unsafe write(ends[1], small, small.count) == small.count)
        close(ends[1])
        defer { close(ends[0]) }
        let source = ByteSource(try TemporaryFile().copy(from: ends[0], name: "the pipe"))
        #expect(source.size == Int64(small.count))
        #expect(try Self.piece(source, 0, 10_000) == small)
    }

    @Test("of a pipe that cannot be read are an error")
    func brokenPipe() throws {
        let error = #expect(throws: CaptureError.self) { try TemporaryFile().copy(from: -1, name: "the pipe") }
        #expect(error?.reason == "the pipe cannot be read: Bad file descriptor")
    }

    @Test("of a pipe without an end are refused by the first of them", arguments: ["/dev/zero", "/dev/urandom"])
    func endless(path: String) {
        let error = #expect(throws: CaptureError.self) { try CaptureReader(path: path) }
        #expect(error?.kind == .unsupported)
        #expect(error?.description.hasSuffix("Save it from Wireshark as pcapng") == true)
    }

    @Test("of a pipe that gives a capture little by little are a capture", arguments: [false, true])
    func slowPipe(isOnlyBeginning: Bool) throws {
        var ends: [Int32] = [0, 0]
        try #require(unsafe pipe(&ends) == 0)
        let (output, input) = (ends[0], ends[1])
        defer { close(output) }
        let bytes = CaptureFiles.pcap((0..<(isOnlyBeginning ? 10 : 200)).map { _ in MonPacket().bytes() })
        // Less than what a pipe holds, in writes of which none is as long as what is looked at first.
        for start in stride(from: 0, to: bytes.count, by: 1000) {
            let part = Array(bytes[start..<min(bytes.count, start + 1000)])
            try #require(unsafe write(input, part, part.count) == part.count)
        }
        close(input)
        let source = ByteSource(try TemporaryFile().copy(from: output, name: "the pipe", onlyCaptures: true))
        #expect(try Self.piece(source, 0, 100_000) == bytes)
    }

    @Test("of a live stream that calls itself an empty file are refused with what to do")
    func liveStream() throws {
        let error = #expect(throws: CaptureError.self) { try CaptureReader(path: "/proc/self/status") }
        #expect(
            error?.description
                == "/proc/self/status is a live stream, and not a file; copy it first: cat FILE > usb.txt")
        let nothing = try ScratchFile([])
        let empty = #expect(throws: CaptureError.self) { try CaptureReader(path: nothing.path) }
        #expect(empty?.description == "The file is empty")
    }

    @Test("of more than the limit in a pipe are refused with what to do")
    func pipeLimit() throws {
        let zeros = unsafe open("/dev/zero", O_RDONLY | O_CLOEXEC)
        defer { close(zeros) }
        let error = #expect(throws: CaptureError.self) {
            try TemporaryFile(limit: 1_000_000).copy(from: zeros, name: "the pipe")
        }
        #expect(error?.kind == .excessive)
        #expect(error?.reason.contains("more than 1000000 bytes") == true)
    }

    @Test("of what is no file are refused")
    func refused() throws {
        let folder = #expect(throws: CaptureError.self) { try ByteSource.open(path: "/tmp") }
        #expect(folder?.reason == "/tmp is a folder. Give a capture file in it.")
        let missing = #expect(throws: CaptureError.self) { try ByteSource.open(path: "/tmp/there/is/none") }
        #expect(missing?.reason == "/tmp/there/is/none cannot be opened: No such file or directory")
        let empty = #expect(throws: CaptureError.self) { try CaptureReader(bytes: []) }
        #expect(empty?.description == "The file is empty")
        let text = #expect(throws: CaptureError.self) { try CaptureReader(bytes: Array("hello".utf8)) }
        #expect(text?.kind == .unsupported)
        let zstd = #expect(throws: CaptureError.self) { try CaptureReader(bytes: [0x28, 0xB5, 0x2F, 0xFD, 0, 0]) }
        #expect(zstd?.reason.contains("zstd -d FILE") == true)
    }
}

@Suite("Captures compressed with gzip")
struct GzipTests {
    /// A member of stored blocks: what gzip makes of bytes that cannot be made smaller.
    private static func gzip(_ bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255]
        var rest = bytes[...]
        repeat {
            let block = rest.prefix(60_000)
            rest = rest.dropFirst(60_000)
            var builder = ByteBuilder()
            builder.put(UInt8(rest.isEmpty ? 1 : 0))
            builder.put(UInt16(block.count), ~UInt16(block.count))
            result += builder.bytes + block
        } while !rest.isEmpty
        var checksum: UInt32 = ~0
        for byte in bytes {
            checksum ^= UInt32(byte)
            for _ in 0..<8 { checksum = checksum >> 1 ^ (checksum & 1 == 0 ? 0 : 0xEDB8_8320) }
        }
        var builder = ByteBuilder()
        builder.put(~checksum, UInt32(bytes.count))
        return result + builder.bytes
    }

    private static let large = CaptureFiles.pcap((0..<4000).map { _ in MonPacket().bytes() })

    @Test("are expanded")
    func whole() throws {
        let reader = try CaptureReader(bytes: Self.gzip(Self.large))
        #expect(reader.format == "pcap, compressed with gzip")
        #expect(reader.size == Int64(Self.large.count))
        #expect(ReadCapture(reader) == ReadCapture(Self.large))
    }

    @Test("can have several members, and zeros at the end")
    func members() throws {
        let compressed =
            Self.gzip(Array(Self.large.prefix(1000))) + Self.gzip([]) + Self.gzip(Array(Self.large.dropFirst(1000)))
        #expect(ReadCapture(compressed) == ReadCapture(Self.large))
        #expect(ReadCapture(compressed + [UInt8](repeating: 0, count: 700)) == ReadCapture(Self.large))
    }

    @Test("give what can be expanded where they are cut, and then say so")
    func cut() throws {
        let compressed = Self.gzip(Self.large)
        for lost in [1, 8, 9, 100_000] {
            let read = ReadCapture(Array(compressed.dropLast(lost)))
            #expect(read.error?.kind == .cut)
            #expect(read.error?.reason.hasPrefix("The compressed file is cut") == true)
            #expect(read.events.count >= 4000 - (lost + 83) / 84)
            #expect(read.events == Array(ReadCapture(Self.large).events.prefix(read.events.count)))
        }
        #expect(ReadCapture([0x1F, 0x8B, 8]).error?.kind == .cut)
    }

    @Test("give what can be expanded where they are damaged, and then say so")
    func damaged() throws {
        var compressed = Self.gzip(Self.large)
        compressed[compressed.count - 6] ^= 1
        let read = ReadCapture(compressed)
        #expect(read.error?.kind == .damaged)
        #expect(read.events.count == 4000)
        let followed = ReadCapture(Self.gzip(Self.large) + [1, 2, 3])
        #expect(followed.error?.kind == .damaged)
        #expect(followed.events.count == 4000)
    }

    @Test("of what is no capture are refused by their beginning, whatever the rest is")
    func noCapture() {
        // Were everything expanded first, the damage at the end would be told of.
        let compressed = Self.gzip([UInt8](repeating: 0x55, count: 1_000_000)) + [1, 2, 3]
        let error = #expect(throws: CaptureError.self) { try CaptureReader(bytes: compressed) }
        #expect(error == CaptureKind.unknown)
    }

    @Test("are not expanded beyond the limit")
    func limit() throws {
        let error = #expect(throws: CaptureError.self) {
            try Inflation.expand(ByteSource(bytes: Self.gzip(Self.large)), into: TemporaryFile(limit: 300_000))
        }
        #expect(error?.kind == .excessive)
    }

    @Test("say what to do when there is no room for them")
    func noRoom() throws {
        let full = unsafe open("/dev/full", O_RDWR | O_CLOEXEC)
        let error = #expect(throws: CaptureError.self) {
            try Inflation.expand(
                ByteSource(bytes: Self.gzip(Self.large)),
                into: TemporaryFile(descriptor: full, folder: "/somewhere", limit: 1 << 30))
        }
        #expect(error?.reason.contains("cannot be kept in /somewhere after 0 bytes: No space left on device") == true)
        #expect(error?.reason.contains("TMPDIR") == true)
    }
}
