import Glibc

/// Small files and folders, as sysfs has them.
enum FileAccess {
    /// The most that is read of a file; a page, which is all that sysfs gives, is 4 KiB on most machines.
    private static let limit = 64 << 10

    /// Reads a file.
    ///
    /// - Throws: ``VHCIError/file(path:code:)``.
    static func read(_ path: String) throws(VHCIError) -> String {
        // Not to be kept waiting by what is no plain file.
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { throw .file(path: path, code: errno) }
        defer { close(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while bytes.count < limit {
            let count = unsafe Glibc.read(file, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .file(path: path, code: errno) }
            guard count > 0 else { break }
            bytes += chunk.prefix(count)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// An attribute's text without the end of its line; nil when it cannot be read.
    static func attribute(_ path: String) -> String? {
        guard let text = try? read(path) else { return nil }
        return text.hasSuffix("\n") ? String(text.dropLast()) : text
    }

    /// A decimal attribute, blanks around it removed; nil when it is none.
    static func number(_ path: String) -> UInt64? {
        guard let word = attribute(path)?.split(separator: " ").first, word.allSatisfy(\.isNumber) else { return nil }
        return UInt64(word)
    }

    /// A hexadecimal attribute; nil when it is none.
    static func hexadecimal(_ path: String) -> UInt32? {
        attribute(path).flatMap { DecimalText.number($0, radix: 16) }
    }

    /// Whether there is something of that name.
    static func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

    /// The last part of what a link leads to; nil when it is no link.
    static func linkName(_ path: String) -> String? {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = unsafe readlink(path, &buffer, buffer.count)
        guard count > 0 else { return nil }
        let target = String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return target.split(separator: "/").last.map(String.init)
    }

    /// The path without links; nil when there is nothing.
    static func resolved(_ path: String) -> String? {
        guard let resolved = unsafe realpath(path, nil) else { return nil }
        defer { unsafe free(resolved) }
        return unsafe String(cString: resolved)
    }

    /// The folders in a folder, links not among them, in order; none when it cannot be read.
    static func folders(in path: String) -> [String] {
        guard let folder = unsafe opendir(path) else { return [] }
        defer { unsafe closedir(folder) }
        var names: [String] = []
        while let entry = unsafe readdir(folder) {
            let kind = unsafe Int32(entry.pointee.d_type)
            guard kind == Int32(DT_DIR) || kind == Int32(DT_UNKNOWN) else { continue }
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { field in
                unsafe field.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            guard name != ".", name != ".." else { continue }
            if kind == Int32(DT_UNKNOWN), !isFolder("\(path)/\(name)") { continue }
            names.append(name)
        }
        return names.sorted()
    }

    private static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return unsafe lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// Writes a text to a file that exists, in one call, as sysfs wants it.
    ///
    /// - Returns: 0, or the error number.
    static func write(_ text: String, to path: String) -> Int32 {
        let file = unsafe open(path, O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { return errno }
        defer { close(file) }
        let bytes = Array(text.utf8)
        while true {
            let count = unsafe Glibc.write(file, bytes, bytes.count)
            if count == bytes.count { return 0 }
            guard count < 0 else { return EIO }
            if errno != EINTR { return errno }
        }
    }
}
