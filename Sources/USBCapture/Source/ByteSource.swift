internal import Glibc

/// The bytes of a capture at any place, lent through one window of memory.
///
/// Files are read and not mapped: a file that is cut while it is read is then an error, and not a signal that ends the
/// process. Memory stays at the window's size, whatever the file's. Not for several threads at once.
@safe
package final class ByteSource {
    /// The most bytes that are lent in one piece: a packet of 64 MiB, and what a file has around it.
    package static let largestPiece = 64 << 20 | 1 << 16
    private static let usualWindow = 512 << 10

    /// How many bytes there are; of a compressed file, in what it expands to.
    package let size: Int64
    /// What the bytes were compressed with, such as `gzip`; nil when they were not.
    package let compression: String?
    /// Why there are only `size` bytes where more should be, as in a compressed file that was cut; else nil.
    package let ending: CaptureError?

    /// Nil when the window holds all there is.
    private let file: CaptureFile?
    private var window: UnsafeMutableRawBufferPointer
    /// Where in the file the window begins, and how many of its bytes are valid.
    private var start: Int64 = 0
    private var valid: Int

    /// Takes bytes as they are, without expanding them.
    package init(bytes: [UInt8]) {
        size = Int64(bytes.count)
        compression = nil
        ending = nil
        file = nil
        unsafe window = .allocate(byteCount: bytes.count, alignment: 16)
        unsafe window.copyBytes(from: bytes)
        valid = bytes.count
    }

    init(_ file: CaptureFile, compression: String? = nil, ending: CaptureError? = nil) {
        size = file.size
        self.compression = compression
        self.ending = ending
        self.file = file
        unsafe window = .allocate(byteCount: Int(min(file.size, Int64(Self.usualWindow))), alignment: 4096)
        valid = 0
    }

    deinit { unsafe window.deallocate() }

    /// Opens a file, or standard input for `-`.
    ///
    /// Pipes are copied, and gzip is expanded, into a temporary file.
    ///
    /// - Parameter onlyCaptures: whether what begins as no capture does is refused before the rest is copied or
    ///   expanded.
    /// - Throws: ``CaptureError`` when it cannot be opened or read, or when there is no room for what it expands to.
    package static func open(path: String, onlyCaptures: Bool = false) throws(CaptureError) -> ByteSource {
        try ByteSource(CaptureFile.open(path, onlyCaptures: onlyCaptures)).expanded(onlyCaptures: onlyCaptures)
    }

    /// The bytes that these expand to when they are compressed with gzip; else these.
    ///
    /// - Throws: ``CaptureError`` when there is no room for them, or they are compressed with something else.
    package func expanded(onlyCaptures: Bool = false) throws(CaptureError) -> ByteSource {
        let beginning = try unsafe piece(at: 0, count: CaptureKind.lookahead)
        guard let compression = unsafe Compression.sniffed(beginning) else { return self }
        if let refusal = compression.refusal { throw refusal }
        if onlyCaptures { try unsafe CaptureKind.refuseOthers(beginning) }
        return try Inflation.expand(self, into: TemporaryFile())
    }

    /// Lends bytes at an offset: `count` of them, or those up to the end.
    ///
    /// They are valid until something else is borrowed.
    ///
    /// - Parameter count: 0 to ``largestPiece``.
    /// - Throws: ``CaptureError`` when the file cannot be read, or has become shorter.
    @inline(__always)
    package func piece(at offset: Int64, count: Int) throws(CaptureError) -> UnsafeRawBufferPointer {
        let place = offset &- start
        if place >= 0, count >= 0, place <= Int64(valid), count <= valid &- Int(truncatingIfNeeded: place) {
            let from = Int(truncatingIfNeeded: place)
            return unsafe UnsafeRawBufferPointer(start: window.baseAddress.map { unsafe $0 + from }, count: count)
        }
        return try unsafe refilledPiece(at: offset, count: count)
    }

    /// Lends a line of text with the newline that ends it, if one does; nil at the end of the file.
    ///
    /// - Parameter limit: the most bytes that a line may have, 1 to ``largestPiece``.
    /// - Throws: ``CaptureError`` when the line is longer, or the file cannot be read.
    package func line(at offset: Int64, limit: Int) throws(CaptureError) -> UnsafeRawBufferPointer? {
        var wanted = min(256, limit)
        while true {
            let bytes = try unsafe piece(at: offset, count: wanted)
            if unsafe bytes.isEmpty { return nil }
            if let end = unsafe bytes.firstIndex(of: 0x0A) {
                return unsafe UnsafeRawBufferPointer(rebasing: bytes[...end])
            }
            if bytes.count < wanted { return unsafe bytes }
            guard wanted < limit else {
                throw CaptureError(.excessive, "A line is longer than \(limit) bytes", offset: offset)
            }
            wanted = min(limit, wanted &* 4)
        }
    }

    /// Fills memory with the bytes at an offset; what is lent stays valid.
    ///
    /// - Throws: ``CaptureError`` when there are not so many bytes, or the file cannot be read.
    package func read(at offset: Int64, into memory: UnsafeMutableRawBufferPointer) throws(CaptureError) {
        guard offset >= 0, offset <= size, Int64(memory.count) <= size - offset else {
            throw CaptureError(.cut, "The capture has no \(memory.count) bytes there", offset: offset)
        }
        let place = offset - start
        if place >= 0, place <= Int64(valid), memory.count <= valid - Int(place) {
            guard memory.count > 0 else { return }
            let from = Int(place)
            unsafe memory.copyMemory(from: UnsafeRawBufferPointer(rebasing: window[from..<from + memory.count]))
            return
        }
        guard let file else { return }
        try unsafe file.read(at: offset, into: memory)
    }

    @inline(never)
    private func refilledPiece(at offset: Int64, count: Int) throws(CaptureError) -> UnsafeRawBufferPointer {
        guard offset >= 0, offset < size, count > 0 else { return unsafe UnsafeRawBufferPointer(start: nil, count: 0) }
        guard count <= Self.largestPiece else {
            throw CaptureError(.excessive, "\(count) bytes in one piece are too many", offset: offset)
        }
        let wanted = Int(min(Int64(count), size - offset))
        if let file { try fill(from: file, at: offset, atLeast: wanted) }
        let from = Int(offset - start)
        return unsafe UnsafeRawBufferPointer(rebasing: window[from..<from + wanted])
    }

    /// Moves the window to an offset in the file, keeping what it has of what comes after.
    private func fill(from file: CaptureFile, at offset: Int64, atLeast wanted: Int) throws(CaptureError) {
        let place = offset - start
        var kept = place >= 0 && place < Int64(valid) ? valid - Int(place) : 0
        if kept >= wanted { return }
        let capacity = unsafe window.count
        if wanted > capacity {
            // Grown beyond what is asked for, so that packets that become larger and larger do not grow it each time.
            let larger = UnsafeMutableRawBufferPointer.allocate(
                byteCount: min(Self.largestPiece, max(wanted, capacity * 2)), alignment: 4096)
            if kept > 0 {
                unsafe larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: window[Int(place)..<valid]))
            }
            unsafe window.deallocate()
            unsafe window = larger
        } else if kept > 0, let memory = unsafe window.baseAddress {
            unsafe memmove(memory, memory + Int(place), kept)
        }
        // Until the read has succeeded the window is only what was kept.
        start = offset
        valid = kept
        let end = unsafe Int(min(Int64(window.count), size - offset))
        try unsafe file.read(
            at: offset + Int64(kept), into: UnsafeMutableRawBufferPointer(rebasing: window[kept..<end]))
        kept = end
        valid = kept
    }
}
