import DiskStores
import Glibc
import Logging
import SCSITarget

/// A medium: in a unit, in its open tray, or beside the drive, from where it can be put in again.
final class DriveMedium {
    let settings: MediumSettings
    /// What it is, for people: `64 MiB in memory, FAT "GHOSTPLUG"`.
    private(set) var words: String
    /// The label of the file system that was made for it; nil where none was.
    let label: String?
    /// Copies a folder's files back.
    let copier: FolderCopier?
    /// What cannot be opened again: memory, and the image of a folder; nil for image files.
    private var kept: (any BlockStore)?
    /// Opened to be looked at, and not yet given to a unit.
    private var first: (any BlockStore)?
    /// What it has grown to.
    private var grown: UInt64?

    /// The file or folder behind it.
    var path: String? {
        switch settings.source {
        case .memory: nil
        case .image(let path), .folder(let path): path
        }
    }

    /// Whether it is an image file, which is closed while the medium is out.
    var isImage: Bool {
        if case .image = settings.source { true } else { false }
    }

    /// Makes or opens a medium.
    ///
    /// Takes as long as `mkfs.fat` and the copying of a folder's files: most of a second for a small one, and the
    /// device's host waits when it is done on the device's executor.
    init(_ settings: MediumSettings, _ logger: Logger) throws(DiskStoreError) {
        self.settings = settings
        switch settings.source {
        case .memory(let size):
            let store = try MediumSettings.memory(size)
            let isFormatted = try settings.format(store)
            kept = store
            copier = nil
            label = isFormatted ? settings.label : nil
            words = "\(Self.words(size)) in memory" + (isFormatted ? ", FAT \"\(settings.label)\"" : ", blank")
        case .image(let path):
            let isNew = unsafe !settings.sharesImage && settings.size != nil && access(path, F_OK) != 0
            let store = try settings.open(path, size: settings.size, grown: nil)
            if store.byteCount % UInt64(settings.blockSize.rawValue) != 0 {
                logger.warning(
                    "\(path) ends within a block of \(settings.blockSize.rawValue) bytes: its last bytes cannot be reached"
                )
            }
            let isFormatted = isNew ? try settings.format(store) : false
            first = store
            copier = nil
            label = isFormatted ? settings.label : nil
            words =
                "\(Self.words(store.byteCount)), \(store.label)"
                + (isFormatted ? " (new), FAT \"\(settings.label)\"" : "")
        case .folder(let path):
            let built = try FolderImage.build(
                from: path, label: settings.label, size: settings.size, blockSize: Int(settings.blockSize.rawValue),
                volumeID: settings.volumeID)
            for warning in built.warnings { logger.warning("\(warning)") }
            copier =
                if let target = settings.syncBack {
                    try FolderCopier(built, from: path, to: target, logger)
                } else {
                    nil
                }
            kept = built.store
            label = settings.label
            words = "\(Self.words(built.store.byteCount)) FAT \"\(settings.label)\" of the folder \(path)"
        }
    }

    /// The medium's bytes, for a unit that it is put into.
    func open() throws(DiskStoreError) -> any BlockStore {
        if let first {
            self.first = nil
            return first
        }
        if let kept { return settings.isReadOnly ? ReadOnlyStore(kept) : kept }
        guard let path else { throw DiskStoreError(.notFound, "the medium is gone") }
        let isSnapshot = if case .none = settings.snapshot { false } else { true }
        // A size that was asked for has grown with the medium; one that was not is the file's, whatever file it is now.
        return try settings.open(
            path, size: settings.size == nil || isSnapshot ? settings.size : grown ?? settings.size,
            grown: isSnapshot ? grown : nil)
    }

    /// Makes the medium larger, while `store` is what the unit has of it.
    ///
    /// An image file is closed and opened again in the course of it.
    ///
    /// - Throws: ``DiskStoreError``; `store` is nil then when the image could not even be opened as it was.
    func grow(_ store: inout (any BlockStore)?, to size: UInt64) throws(DiskStoreError) {
        guard store?.isReadOnly == false else {
            throw DiskStoreError(.unsupported, "\(words) is read-only and cannot grow; insert a larger medium")
        }
        switch (settings.source, settings.snapshot) {
        case (.folder, _):
            throw DiskStoreError(
                .unsupported, "\(words) cannot grow: its file system was made to measure; insert it with size=")
        case (.image, .kept):
            throw DiskStoreError(
                .unsupported, "\(words) cannot grow: a kept snapshot has its image's size; grow the image itself")
        case (.memory, _):
            kept = try enlarge(&store, size)
        case (.image, .forgotten):
            _ = try enlarge(&store, size)
        case (.image(let path), .none):
            try reopen(path, &store, size)
        }
        grown = size
        words = "\(Self.words(size)), \(store?.label ?? "")"
    }

    /// Appends memory.
    private func enlarge(
        _ store: inout (any BlockStore)?, _ size: UInt64
    ) throws(DiskStoreError) -> (any BlockStore)? {
        guard let current = store else { return nil }
        let larger = try JoinedStore(growing: current, to: size)
        store = larger
        return larger
    }

    private func reopen(_ path: String, _ store: inout (any BlockStore)?, _ size: UInt64) throws(DiskStoreError) {
        do throws(StoreError) {
            try store?.flush()
        } catch {
            throw DiskStoreError(.system, error.message)
        }
        // The file is locked as long as it is open.
        store = nil
        do throws(DiskStoreError) {
            store = try settings.open(path, size: size, grown: nil)
        } catch {
            store = try? settings.open(path, size: nil, grown: nil)
            throw error
        }
    }

    static func words(_ size: UInt64) -> String {
        for (shift, unit) in [(40, "TiB"), (30, "GiB"), (20, "MiB"), (10, "KiB")] as [(UInt64, String)]
        where size >= 1 << shift && size % (1 << shift) == 0 {
            return "\(size >> shift) \(unit)"
        }
        return "\(size) bytes"
    }
}
