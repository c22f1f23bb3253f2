internal import Glibc

/// What is in a host folder, as far as FAT can hold it.
struct FolderTree {
    /// A file or folder.
    struct Node {
        let name: String
        let path: String
        let isFolder: Bool
        let size: UInt64
        let modified: Int64
        var children: [Node] = []

        /// The bytes of a folder's entries: its own two, its children's, and one to spare for the volume's label.
        var entryBytes: Int { 32 * children.reduce(3) { $0 + FATName.entryCount($1.name) } }
    }

    private(set) var root: Node
    /// What was left out, and why, one line each.
    private(set) var warnings: [String] = []
    private(set) var manifest: [String: FolderManifest.File] = [:]

    // The deepest path that is followed; FAT paths end at 260 characters.
    private static let depthLimit = 100
    private var objections: [String] = []

    /// Looks through a folder.
    ///
    /// Symbolic links to regular files inside the folder are followed; all other links, sockets, pipes and devices are
    /// left out and listed in ``warnings``.
    ///
    /// - Throws: ``DiskStoreError`` that lists the files FAT cannot hold: names, sizes, names equal but for case.
    init(of path: String) throws(DiskStoreError) {
        guard let real = unsafe realpath(path, nil) else {
            throw DiskStoreError(system: errno, "Cannot open the folder \(path)")
        }
        let top = unsafe String(cString: real)
        unsafe free(real)
        var status = stat()
        guard unsafe stat(top, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
            throw DiskStoreError(.unsupported, "\(path) is not a folder")
        }
        root = Node(name: "", path: top, isFolder: true, size: 0, modified: Int64(status.st_mtim.tv_sec))
        let children = try scan(top, relative: "", top: top, depth: 0)
        root = Node(
            name: "", path: top, isFolder: true, size: 0, modified: Int64(status.st_mtim.tv_sec), children: children)
        guard objections.isEmpty else {
            let shown = objections.prefix(20).map { "\n  \($0)" }.joined()
            let more = objections.count > 20 ? "\n  and \(objections.count - 20) more" : ""
            throw DiskStoreError(.unsupported, "FAT cannot hold all of \(path). Rename or move:\(shown)\(more)")
        }
    }

    private mutating func scan(
        _ path: String, relative: String, top: String, depth: Int
    ) throws(DiskStoreError) -> [Node] {
        var nodes: [Node] = []
        var seen: [[UInt16]: String] = [:]
        for (name, isText) in try Self.names(in: path) {
            let inner = relative.isEmpty ? name : "\(relative)/\(name)"
            guard isText else {
                objections.append("\(inner): its name is not UTF-8")
                continue
            }
            guard let node = try examine("\(path)/\(name)", name: name, inner: inner, top: top, depth: depth) else {
                continue
            }
            if let objection = FATName.objection(to: name) { objections.append("\(inner): \(objection)") }
            if let other = seen.updateValue(name, forKey: FATName.collisionKey(name)) {
                objections.append("\(inner): but for upper and lower case it is the same as \(other)")
            }
            if node.size > UInt64(UInt32.max) {
                objections.append("\(inner): \(node.size) bytes; a file on FAT has at most \(UInt32.max)")
            }
            nodes.append(node)
        }
        let folder = Node(name: "", path: path, isFolder: true, size: 0, modified: 0, children: nodes)
        if folder.entryBytes > 65536 * 32 {
            objections.append("\(relative.isEmpty ? path : relative): it has more names than a FAT folder can hold")
        }
        return nodes
    }

    private mutating func examine(
        _ path: String, name: String, inner: String, top: String, depth: Int
    ) throws(DiskStoreError) -> Node? {
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { throw DiskStoreError(system: errno, "Cannot look at \(path)") }
        if status.st_mode & S_IFMT == S_IFLNK {
            guard Self.leadsToFile(path, inside: top), unsafe stat(path, &status) == 0 else {
                warnings.append("\(inner): left out, a symbolic link that does not lead to a file in the folder")
                return nil
            }
        }
        let modified = Int64(status.st_mtim.tv_sec)
        switch status.st_mode & S_IFMT {
        case S_IFREG:
            guard unsafe access(path, R_OK) == 0 else { throw DiskStoreError(system: errno, "Cannot read \(path)") }
            let size = UInt64(clamping: status.st_size)
            let nanoseconds = modified &* 1_000_000_000 &+ Int64(status.st_mtim.tv_nsec)
            manifest[inner] = FolderManifest.File(size: size, modified: nanoseconds)
            return Node(name: name, path: path, isFolder: false, size: size, modified: modified)
        case S_IFDIR:
            guard depth < Self.depthLimit else {
                throw DiskStoreError(.unsupported, "\(inner) is more than \(Self.depthLimit) folders deep")
            }
            let children = try scan(path, relative: inner, top: top, depth: depth + 1)
            return Node(name: name, path: path, isFolder: true, size: 0, modified: modified, children: children)
        default:
            warnings.append("\(inner): left out, neither a file nor a folder")
            return nil
        }
    }

    private static func leadsToFile(_ path: String, inside top: String) -> Bool {
        guard let real = unsafe realpath(path, nil) else { return false }
        defer { unsafe free(real) }
        var status = stat()
        let prefix = top == "/" ? top : "\(top)/"
        return unsafe String(cString: real).hasPrefix(prefix) && stat(real, &status) == 0
            && status.st_mode & S_IFMT == S_IFREG
    }

    /// A folder's names, sorted by their bytes so that equal folders give equal images.
    private static func names(in path: String) throws(DiskStoreError) -> [(name: String, isText: Bool)] {
        guard let folder = unsafe opendir(path) else {
            throw DiskStoreError(system: errno, "Cannot open the folder \(path)")
        }
        defer { unsafe closedir(folder) }
        var names: [(name: String, isText: Bool)] = []
        while let entry = unsafe readdir(folder) {
            let (name, isText) = unsafe withUnsafePointer(to: &entry.pointee.d_name) { field in
                unsafe field.withMemoryRebound(to: CChar.self, capacity: 256) { text in
                    let valid = unsafe String(validatingCString: text)
                    return unsafe (valid ?? String(cString: text), valid != nil)
                }
            }
            if name != ".", name != ".." { names.append((name, isText)) }
        }
        return names.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }
}

/// The files that an image was built from, so that a copy back can tell what the client deleted.
public struct FolderManifest: Hashable, Sendable {
    struct File: Hashable, Sendable {
        let size: UInt64
        /// Nanoseconds since 1970.
        let modified: Int64
    }

    /// The files by their paths within the folder.
    let files: [String: File]
}
