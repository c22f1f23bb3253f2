import Glibc

/// The files of `/sys`, `/proc` and `/dev`, below a root of their own where a test wants it.
///
/// Nothing that is read is believed to be short, to end, or to be what it should be.
struct SystemTree: Sendable {
    /// What stands before every path: nothing, for the machine's own files.
    let root: String
    /// Whether this process may read and write what a path, without the root, names: tests say so for root, who may all.
    var isUsable: @Sendable (_ path: String) -> Bool

    init(root: String) {
        self.root = root
        isUsable = { unsafe access(root + $0, R_OK | W_OK) == 0 }
    }

    /// The most that is read of an attribute; a page, which is all that sysfs gives, is 4 KiB on most machines.
    private static let attributeLimit = 64 << 10
    /// The most names that are taken from a folder.
    private static let nameLimit = 1 << 16

    /// Reads a file, up to a limit; nil when it cannot be read.
    func bytes(_ path: String, limit: Int = attributeLimit) -> [UInt8]? {
        // Not to be kept waiting by what is no plain file.
        let file = unsafe open(root + path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while bytes.count < limit {
            let count = unsafe Glibc.read(file, &chunk, min(chunk.count, limit - bytes.count))
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { return nil }
            guard count > 0 else { break }
            bytes += chunk.prefix(count)
        }
        return bytes
    }

    /// A file's lines; none when it cannot be read.
    func lines(_ path: String, limit: Int = 4 << 20) -> [Substring] {
        guard let bytes = bytes(path, limit: limit) else { return [] }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    }

    /// An attribute's text without the end of its line; nil when it cannot be read or is empty.
    func attribute(_ path: String) -> String? {
        guard var bytes = bytes(path) else { return nil }
        if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
        return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self)
    }

    /// A small decimal attribute; nil when it is none.
    func number(_ path: String) -> UInt8? {
        guard let text = attribute(path), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return UInt8(text)
    }

    /// What a link leads to; nil when it is no link.
    func link(_ path: String) -> String? {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = unsafe readlink(root + path, &buffer, buffer.count)
        guard count > 0 else { return nil }
        return String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The last part of what a link leads to; nil when it is no link.
    func linkName(_ path: String) -> String? { link(path)?.split(separator: "/").last.map(String.init) }

    /// The path without links, with the root; nil when there is nothing, or links lead in a circle.
    func resolved(_ path: String) -> String? {
        guard let resolved = unsafe realpath(root + path, nil) else { return nil }
        defer { unsafe free(resolved) }
        return unsafe String(cString: resolved)
    }

    /// Whether there is something of that name.
    func exists(_ path: String) -> Bool { unsafe access(root + path, F_OK) == 0 }

    /// The names in a folder, in order; none when it cannot be read.
    func names(in path: String) -> [String] {
        guard let folder = unsafe opendir(root + path) else { return [] }
        defer { unsafe closedir(folder) }
        var names: [String] = []
        while names.count < Self.nameLimit, let entry = unsafe readdir(folder) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { field in
                unsafe field.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }
}
