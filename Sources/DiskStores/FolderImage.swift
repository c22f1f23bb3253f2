internal import Glibc
public import SCSITarget

/// FAT images from folders, and folders from FAT images: no root, no mount.
///
/// `mkfs.fat` (Debian's `dosfstools`) makes the file systems. The files are put in by this module: `mcopy` loses the
/// case of names like `é`, cannot hold names outside Unicode's first plane, needs time that grows with the square of
/// the number of like-named files, and must not be given an image that a hostile client has written.
public enum FolderImage {
    /// An image made from a folder.
    public struct Built {
        /// The image, in a temporary file that has no name any more: it goes when the store does.
        public let store: ImageFileStore
        /// What was left out, one line each: links that lead elsewhere, sockets, devices.
        public let warnings: [String]
        /// What went in, for ``FolderImage/extract(_:to:original:)``.
        public let manifest: FolderManifest
    }

    /// Makes a FAT image with a folder's files.
    ///
    /// - Parameters:
    ///   - folder: the folder; it is only read. Files whose names begin with a dot go in too. Symbolic links to files
    ///     inside the folder are followed.
    ///   - label: the volume's label, up to 11 ASCII characters; it is stored in capitals.
    ///   - size: the image's size in bytes, a multiple of `blockSize`, below 2 TiB; nil makes it fit with a quarter and
    ///     at least 16 MiB to spare, and at least 64 MiB large.
    ///   - blockSize: the bytes in a sector: 512, 1024, 2048 or 4096.
    ///   - volumeID: the volume's serial number; nil lets `mkfs.fat` choose.
    ///   - temporaryFolder: where the image is put; nil means `$TMPDIR`, else `/tmp`.
    /// - Throws: ``DiskStoreError``: names and sizes that FAT cannot hold, all of them listed; a size that is too small
    ///   with the one that is needed; missing programs with the package to install.
    public static func build(
        from folder: String, label: String? = nil, size: UInt64? = nil, blockSize: Int = 512,
        volumeID: UInt32? = nil, temporaryFolder: String? = nil
    ) throws(DiskStoreError) -> Built {
        try check(blockSize: blockSize, size: size ?? UInt64(blockSize))
        let tree = try FolderTree(of: folder)
        let least = FATPlan.leastSize(for: tree, blockSize: blockSize)
        if let size, FATPlan(size: size, blockSize: blockSize).sizeNeeded(for: tree) > size {
            throw DiskStoreError(
                .wrongSize, "\(folder) does not fit in \(size) bytes as FAT; it needs \(least) (\(least >> 20) MiB)")
        }
        var roomy = max(64 << 20, least + max(least / 4, 16 << 20))
        // Head room can lift the size over a border beyond which clusters are larger.
        roomy = FATPlan.wholeMebibytes(
            max(roomy, FATPlan(size: roomy, blockSize: blockSize).sizeNeeded(for: tree)))
        let total = size ?? roomy
        try check(blockSize: blockSize, size: total)
        let store = try make(
            size: total, label: label, volumeID: volumeID, blockSize: blockSize, tree: tree,
            name: "folder \(folder)", in: temporaryFolder)
        var writer = FATWriter(on: try FATVolume(on: store))
        try writer.write(tree)
        return Built(store: store, warnings: tree.warnings, manifest: FolderManifest(files: tree.manifest))
    }

    /// Makes an empty FAT file system in a temporary file that goes with the store.
    ///
    /// - Throws: ``DiskStoreError``: 2 TiB and more, sizes too small for FAT, missing programs.
    public static func blank(
        size: UInt64, label: String? = nil, volumeID: UInt32? = nil, blockSize: Int = 512,
        temporaryFolder: String? = nil
    ) throws(DiskStoreError) -> ImageFileStore {
        try check(blockSize: blockSize, size: size)
        return try make(
            size: size, label: label, volumeID: volumeID, blockSize: blockSize, tree: nil, name: "empty FAT",
            in: temporaryFolder)
    }

    /// Puts an empty FAT file system on a store whose bytes are all zero.
    ///
    /// Only what is not zero is written, so that a sparse store stays sparse.
    ///
    /// - Throws: ``DiskStoreError`` as ``blank(size:label:volumeID:blockSize:temporaryFolder:)``, or when the store
    ///   does not take the writes.
    public static func format(
        _ store: any BlockStore, label: String? = nil, volumeID: UInt32? = nil, blockSize: Int = 512,
        temporaryFolder: String? = nil
    ) throws(DiskStoreError) {
        let image = try blank(
            size: store.byteCount, label: label, volumeID: volumeID, blockSize: blockSize,
            temporaryFolder: temporaryFolder)
        do throws(StoreError) {
            var place: UInt64 = 0
            while place < image.byteCount {
                let extent = image.allocation(at: place)
                let end = place + extent.count
                while extent.isAllocated, place < end {
                    var piece = [UInt8](repeating: 0, count: Int(min(4096, end - place)))
                    try image.read(into: &piece, at: place)
                    if piece.contains(where: { $0 != 0 }) { try store.write(piece, at: place) }
                    place += UInt64(piece.count)
                }
                place = end
            }
            try store.flush()
        } catch { throw DiskStoreError(.system, "Cannot format \(store.label): \(error.message)") }
    }
}

// MARK: - mkfs.fat

extension FolderImage {
    private static func check(blockSize: Int, size: UInt64) throws(DiskStoreError) {
        guard [512, 1024, 2048, 4096].contains(blockSize) else {
            throw DiskStoreError(.unsupported, "FAT has sectors of 512, 1024, 2048 or 4096 bytes, not \(blockSize)")
        }
        guard size % UInt64(blockSize) == 0, size > 0 else {
            throw DiskStoreError(.wrongSize, "\(size) bytes are not whole blocks of \(blockSize)")
        }
        guard size <= FATPlan.sizeLimit else {
            throw DiskStoreError(.wrongSize, "\(size) bytes are too many for FAT, which ends at 2 TiB")
        }
    }

    private static func make(
        size: UInt64, label: String?, volumeID: UInt32?, blockSize: Int, tree: FolderTree?, name: String,
        in temporaryFolder: String?
    ) throws(DiskStoreError) -> ImageFileStore {
        let plan = FATPlan(size: size, blockSize: blockSize)
        var arguments = [
            "mkfs.fat", "-F", "\(plan.width.rawValue)", "-S", "\(blockSize)", "-s", "\(plan.clusterSize / blockSize)",
        ]
        if plan.width != .fat32 { arguments += ["-r", "\(plan.rootEntries(for: tree))"] }
        if let label { arguments += ["-n", try checked(label)] }
        if let volumeID { arguments += ["-i", hex(volumeID)] }
        let path = try temporaryFile(in: temporaryFolder, size: size)
        // The name goes at once: whatever ends this process, no file stays behind.
        defer { unsafe unlink(path) }
        guard let outcome = try Subprocess.run(arguments + [path]) else {
            throw DiskStoreError(
                .toolMissing, "mkfs.fat is needed for FAT images: apt-get install dosfstools mtools")
        }
        guard outcome.succeeded else {
            let words = outcome.output.split(separator: "\n").dropFirst().joined(separator: "; ")
            let reason = outcome.timedOut ? "it did not end in time" : words
            throw DiskStoreError(.toolFailed, "mkfs.fat cannot make a FAT of \(size) bytes: \(reason)")
        }
        return try ImageFileStore(path: path, label: name, calls: .live)
    }

    private static func checked(_ label: String) throws(DiskStoreError) -> String {
        let isLegal = label.utf8.allSatisfy { byte in
            (0x20..<0x7F).contains(byte) && !#""*+,./:;<=>?[\]|"#.utf8.contains(byte)
        }
        guard isLegal, (1...11).contains(label.utf8.count), !label.hasPrefix(" ") else {
            throw DiskStoreError(
                .unsupported, "'\(label)' is no FAT label: 1 to 11 ASCII characters, none of \"*+,./:;<=>?[\\]|")
        }
        return label.uppercased()
    }

    private static func hex(_ value: UInt32) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }

    /// Makes a sparse file with a name of its own.
    private static func temporaryFile(in folder: String?, size: UInt64) throws(DiskStoreError) -> String {
        let variable = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) }
        let wanted = folder ?? variable.flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
        guard let real = unsafe realpath(wanted, nil) else {
            throw DiskStoreError(system: errno, "Cannot use the temporary folder \(wanted)")
        }
        defer { unsafe free(real) }
        var template = unsafe Array("\(String(cString: real))/ghostplug-XXXXXX".utf8CString)
        let descriptor = unsafe mkstemp(&template)
        guard descriptor >= 0 else {
            throw DiskStoreError(system: errno, "Cannot make a temporary file in \(wanted)")
        }
        defer { close(descriptor) }
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        guard ftruncate(descriptor, off_t(size)) == 0 else {
            let code = errno
            unsafe unlink(path)
            throw DiskStoreError(system: code, "Cannot make a temporary file of \(size) bytes in \(wanted)")
        }
        return path
    }
}
