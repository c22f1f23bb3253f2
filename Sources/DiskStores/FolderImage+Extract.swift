internal import Glibc
public import SCSITarget

extension FolderImage {
    /// What a copy back did; paths are within the folder.
    public struct Extracted: Sendable {
        /// Files that were made or replaced.
        public internal(set) var written: [String] = []
        /// Files that were as they should be.
        public internal(set) var unchanged: Int = 0
        /// Files that the client had deleted and that were removed.
        public internal(set) var removed: [String] = []
        /// What could not be copied out, and what the user should know, one line each.
        public internal(set) var problems: [String] = []
    }

    /// Copies the files of a store's FAT file system into a folder.
    ///
    /// The image is read as hostile bytes: names that are not plain file names are refused, nothing outside the folder
    /// can be reached, links and special files cannot come into being, and no more is written than the disk holds.
    ///
    /// - Files that differ are written beside and renamed over the old ones; equal ones are not touched. A folder's
    ///   other files stay.
    /// - With `original`, files that went into the image and are not there any more are removed, provided that the
    ///   folder's own file is as it was then and the image was read without a problem.
    /// - With `original`, a file that was changed in the folder meanwhile is kept; the client's version, if it differs
    ///   from the original too, is written beside it with `.from-drive` at the end of its name.
    ///
    /// Call it when no client is attached. An image that was not unmounted cleanly is copied as it is, and said so.
    ///
    /// - Parameters:
    ///   - store: the disk; only read.
    ///   - folder: where the files go; made if its parent is there.
    ///   - original: what the image was built from, if `folder` is the folder it was built from.
    /// - Returns: what was done, and what could not be.
    /// - Throws: ``DiskStoreError`` when nothing can be done: no FAT there, no access to the folder.
    public static func extract(
        _ store: any BlockStore, to folder: String, original: FolderManifest? = nil
    ) throws(DiskStoreError) -> Extracted {
        let volume = try FATVolume(on: store)
        if unsafe mkdir(folder, 0o777) != 0, errno != EEXIST {
            throw DiskStoreError(system: errno, "Cannot make the folder \(folder)")
        }
        let target = try OpenFile.open(folder, flags: O_RDONLY | O_DIRECTORY)
        var extraction = FolderExtraction(volume: volume, original: original?.files)
        extraction.run(into: target)
        return extraction.report
    }
}

/// One copy from an image to a folder.
struct FolderExtraction {
    private let volume: FATVolume
    private let original: [String: FolderManifest.File]?
    private(set) var report = FolderImage.Extracted()
    // Cross-linked chains could make a small disk hold endless files; honest ones never exceed the disk.
    private var bytesLeft: UInt64
    private var entriesLeft = 4_000_000
    private var visited: Set<FATVolume.Folder> = []
    private var found: Set<String> = []
    private var counter = 0
    private static let depthLimit = 128

    init(volume: FATVolume, original: [String: FolderManifest.File]?) {
        self.volume = volume
        self.original = original
        bytesLeft = volume.store.byteCount
    }

    mutating func run(into target: OpenFile) {
        visited.insert(volume.root)
        copy(volume.root, into: target, relative: "", depth: 0)
        if report.problems.isEmpty { removeDeleted(from: target) }
        // A hint only: the files were read all the same.
        if let isClean = try? volume.isClean(), !isClean {
            report.problems.append("The drive was not unmounted cleanly; the newest changes may be missing")
        }
    }

    private mutating func copy(_ folder: FATVolume.Folder, into target: OpenFile, relative: String, depth: Int) {
        let entries: [FATVolume.Entry]
        do throws(StoreError) { entries = try volume.entries(of: folder) } catch {
            return report.problems.append("\(relative.isEmpty ? "/" : relative): \(error.message)")
        }
        var seen: Set<String> = []
        for entry in entries {
            let inner = relative.isEmpty ? entry.name : "\(relative)/\(entry.name)"
            guard Self.isPlain(entry.name), seen.insert(entry.name).inserted else {
                report.problems.append("\(relative)/: left out a name that is not a file name, or is there twice")
                continue
            }
            guard entriesLeft > 0 else {
                return report.problems.append("\(inner): too many files, the rest is left out")
            }
            entriesLeft -= 1
            found.insert(inner)
            do {
                if entry.isFolder {
                    try copyFolder(entry, into: target, inner: inner, depth: depth)
                } else {
                    try copyFile(entry, into: target, inner: inner)
                }
            } catch { report.problems.append("\(inner): \(error)") }
        }
    }

    private mutating func copyFolder(
        _ entry: FATVolume.Entry, into target: OpenFile, inner: String, depth: Int
    ) throws(DiskStoreError) {
        let folder = FATVolume.Folder.cluster(entry.firstCluster)
        guard depth < Self.depthLimit, visited.insert(folder).inserted else {
            throw DiskStoreError(.malformed, "left out, the folder contains itself or lies too deep")
        }
        if unsafe mkdirat(target.descriptor, entry.name, 0o777) != 0, errno != EEXIST {
            throw DiskStoreError(system: errno, "Cannot make the folder")
        }
        let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
        let descriptor = unsafe openat(target.descriptor, entry.name, flags)
        guard descriptor >= 0 else { throw DiskStoreError(system: errno, "Left out, something else has its place") }
        copy(folder, into: OpenFile(descriptor: descriptor, path: inner), relative: inner, depth: depth + 1)
    }

    private mutating func copyFile(_ entry: FATVolume.Entry, into target: OpenFile, inner: String) throws {
        guard UInt64(entry.size) <= bytesLeft else {
            throw DiskStoreError(.malformed, "left out, the files are larger than the disk")
        }
        bytesLeft -= UInt64(entry.size)
        var name = entry.name
        let present = Self.status(of: name, in: target)
        if let present, present.st_mode & S_IFMT == S_IFDIR {
            throw DiskStoreError(.unsupported, "left out, a folder has its place")
        }
        if try isEqual(entry, to: name, in: target) {
            report.unchanged += 1
            return
        }
        if let before = original?[inner], let present, !Self.isUntouched(present, since: before) {
            let stamp = FATStamp(seconds: before.modified / 1_000_000_000)
            let isClients =
                UInt64(entry.size) != before.size || stamp.date != entry.date || stamp.time != entry.time
            guard isClients else { return report.unchanged += 1 }
            name += ".from-drive"
            report.written.append("\(inner).from-drive")
        } else {
            report.written.append(inner)
        }
        do { try write(entry, as: name, into: target, mode: present.map { $0.st_mode & 0o777 }) } catch {
            report.written.removeLast()
            throw error
        }
    }

    /// Writes a new file beside and renames it into place.
    private mutating func write(
        _ entry: FATVolume.Entry, as name: String, into target: OpenFile, mode: mode_t?
    ) throws {
        counter += 1
        let temporary = ".ghostplug-\(getpid())-\(counter)"
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
        let descriptor = unsafe openat(target.descriptor, temporary, flags, 0o666)
        guard descriptor >= 0 else { throw DiskStoreError(system: errno, "Cannot make the file") }
        let file = OpenFile(descriptor: descriptor, path: name)
        do {
            var place: UInt64 = 0
            try volume.read(entry) { bytes in
                // Zeros become holes: a sparse disk's files must not fill the host's.
                if bytes.contains(where: { $0 != 0 }) { try file.write(bytes, at: place) }
                place += UInt64(bytes.count)
            }
            guard ftruncate(descriptor, off_t(place)) == 0 else {
                throw DiskStoreError(system: errno, "Cannot size it")
            }
            if let mode { _ = fchmod(descriptor, mode) }
            let seconds = FATStamp(date: entry.date, time: entry.time).seconds
            let moment = timespec(tv_sec: time_t(seconds), tv_nsec: 0)
            _ = unsafe futimens(descriptor, [moment, moment])
            try file.synchronize()
            guard unsafe renameat(target.descriptor, temporary, target.descriptor, name) == 0 else {
                throw DiskStoreError(system: errno, "Cannot put the file in its place")
            }
        } catch {
            unsafe unlinkat(target.descriptor, temporary, 0)
            throw error
        }
    }

    private func isEqual(_ entry: FATVolume.Entry, to name: String, in target: OpenFile) throws -> Bool {
        let descriptor = unsafe openat(target.descriptor, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        let file = OpenFile(descriptor: descriptor, path: name)
        let status = try file.status()
        guard status.st_mode & S_IFMT == S_IFREG, UInt64(clamping: status.st_size) == UInt64(entry.size) else {
            return false
        }
        struct Different: Error {}
        do {
            var place: UInt64 = 0
            try volume.read(entry) { bytes in
                var other = [UInt8](repeating: 0, count: bytes.count)
                try file.read(into: &other, at: place)
                guard other == bytes else { throw Different() }
                place += UInt64(bytes.count)
            }
            return true
        } catch is Different { return false }
    }

    /// Removes the files that the client deleted, and folders that have become empty by it.
    private mutating func removeDeleted(from target: OpenFile) {
        for (path, before) in (original ?? [:]).sorted(by: { $0.key < $1.key }) where !found.contains(path) {
            guard let status = Self.status(of: path, in: target), Self.isUntouched(status, since: before) else {
                continue
            }
            guard unsafe unlinkat(target.descriptor, path, 0) == 0 else { continue }
            report.removed.append(path)
            var folder = path[...]
            while let slash = folder.lastIndex(of: "/") {
                folder = folder[..<slash]
                guard !found.contains(String(folder)) else { break }
                // Refused for a folder that is not empty.
                guard unsafe unlinkat(target.descriptor, String(folder), AT_REMOVEDIR) == 0 else { break }
            }
        }
    }

    private static func status(of name: String, in target: OpenFile) -> stat? {
        var status = stat()
        guard unsafe fstatat(target.descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else { return nil }
        return status
    }

    private static func isUntouched(_ status: stat, since before: FolderManifest.File) -> Bool {
        let modified = Int64(status.st_mtim.tv_sec) &* 1_000_000_000 &+ Int64(status.st_mtim.tv_nsec)
        return status.st_mode & S_IFMT == S_IFREG && UInt64(clamping: status.st_size) == before.size
            && modified == before.modified
    }

    /// Whether a name names something in its folder and nothing else.
    private static func isPlain(_ name: String) -> Bool {
        !name.isEmpty && name != "." && name != ".." && name.utf8.count <= 255
            && name.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0 != "/" && $0.value != 0x7F }
    }
}
