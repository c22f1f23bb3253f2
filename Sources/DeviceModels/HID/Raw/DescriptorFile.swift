import Glibc

/// A report descriptor in a file: as it is, or as text in hexadecimal.
enum DescriptorFile {
    /// The largest file that is read.
    private static let sizeLimit = 1 << 20

    /// Reads a file.
    ///
    /// - Throws: ``ModelError`` that names the file.
    static func read(_ path: String) throws(ModelError) -> [UInt8] {
        let bytes = try contents(of: path)
        let descriptor: [UInt8]
        if isText(bytes) {
            guard let parsed = parse(String(decoding: bytes, as: UTF8.self)) else {
                throw ModelError(
                    "\(path) is no report descriptor: neither its bytes nor text such as '05 01 09 06 # comment'",
                    key: "report-descriptor")
            }
            descriptor = parsed
        } else {
            descriptor = bytes
        }
        guard (1...65535).contains(descriptor.count) else {
            throw ModelError(
                "\(path): a report descriptor has 1 to 65535 bytes, and this one \(descriptor.count)",
                key: "report-descriptor")
        }
        return descriptor
    }

    /// Whether a file is text: no descriptor is without the control characters that most of its items are.
    static func isText(_ bytes: [UInt8]) -> Bool {
        bytes.allSatisfy { $0 >= 0x20 && $0 != 0x7f || (0x09...0x0d).contains($0) }
    }

    /// Reads text: hexadecimal with comments (`#`, `//`, `/* */`), or what `hid-recorder` writes.
    ///
    /// - Returns: nil for anything else.
    static func parse(_ text: String) -> [UInt8]? {
        let lines = text.split(whereSeparator: \.isNewline)
        // hid-recorder: the line R has the length in decimal and the descriptor, others have names and events.
        if let line = lines.first(where: { $0.hasPrefix("R:") }) {
            let words = line.dropFirst(2).split(whereSeparator: \.isWhitespace)
            guard let first = words.first, let count = Int(first),
                let bytes = HexText.bytes(words.dropFirst().joined(separator: " ")), bytes.count == count
            else { return nil }
            return bytes
        }
        var bare = ""
        var rest = text[...]
        while let start = rest.firstRange(of: "/*") {
            bare += rest[..<start.lowerBound] + " "
            guard let end = rest[start.upperBound...].firstRange(of: "*/") else { return nil }
            rest = rest[end.upperBound...]
        }
        bare += rest
        let words = bare.split(whereSeparator: \.isNewline).map { line in
            var line = line
            for mark in ["#", "//"] {
                if let comment = line.firstRange(of: mark) { line = line[..<comment.lowerBound] }
            }
            return String(line)
        }
        return HexText.bytes(words.joined(separator: " "))
    }

    private static func contents(of path: String) throws(ModelError) -> [UInt8] {
        func failure() -> ModelError { ModelError(unavailable: "\(path): \(unsafe String(cString: strerror(errno)))") }
        // What is no file, such as a pipe that nobody writes, must not be waited for.
        var file = Int32(-1)
        repeat {
            file = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        } while file < 0 && errno == EINTR
        guard file >= 0 else { throw failure() }
        defer { close(file) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = unsafe piece.withUnsafeMutableBytes { unsafe Glibc.read(file, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw failure() }
            if count == 0 { return bytes }
            bytes += piece[..<count]
            guard bytes.count <= sizeLimit else {
                throw ModelError("\(path): larger than 1 MiB; that is no report descriptor", key: "report-descriptor")
            }
        }
    }
}
