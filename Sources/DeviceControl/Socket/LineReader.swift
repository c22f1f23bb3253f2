import Glibc
import SocketIO

/// Takes lines out of a stream of bytes.
struct LineReader {
    /// What comes next.
    enum Next {
        /// A line, without its end, as long as the reader is not used again.
        case line(ArraySlice<UInt8>)
        /// A line that is longer than it may be; there is no going on.
        case tooLong
        /// The end: 0, or a negative errno.
        case end(Int)
    }

    private let limit: Int
    private var buffer: [UInt8]
    private var start = 0
    private var end = 0
    /// Up to where there is no end of a line.
    private var searched = 0

    /// Makes a reader of lines of at most `limit` bytes.
    init(limit: Int) {
        self.limit = limit
        buffer = [UInt8](repeating: 0, count: min(4096, limit + 1))
    }

    /// Waits for the next line; what stands after the last end of a line counts as one.
    mutating func next(from socket: StreamSocket) -> Next {
        while true {
            if let newline = newline {
                let line = buffer[start..<newline]
                start = newline + 1
                searched = start
                return line.count > limit ? .tooLong : .line(line)
            }
            searched = end
            guard end - start <= limit else { return .tooLong }
            makeRoom()
            let room = end..<buffer.count
            let count = unsafe buffer.withUnsafeMutableBytes { all in
                unsafe socket.receive(into: UnsafeMutableRawBufferPointer(rebasing: all[room]))
            }
            guard count > 0 else {
                guard count == 0, end > start else { return .end(count) }
                let line = buffer[start..<end]
                start = end
                return .line(line)
            }
            end += count
        }
    }

    /// Where the first end of a line is.
    private var newline: Int? {
        unsafe buffer.withUnsafeBytes { all in
            guard let base = all.baseAddress, searched < end else { return nil }
            let found = unsafe memchr(base + searched, Int32(UInt8(ascii: "\n")), end - searched)
            return unsafe found.map { unsafe UnsafeRawPointer($0) - base }
        }
    }

    /// Leaves at least a byte of room at the end.
    private mutating func makeRoom() {
        if start > 0 {
            buffer.replaceSubrange(0..<end - start, with: buffer[start..<end])
            end -= start
            searched -= start
            start = 0
        }
        guard end == buffer.count else { return }
        buffer.append(contentsOf: repeatElement(0, count: min(buffer.count, limit + 1 - buffer.count)))
    }
}
