import DiskStores
import Glibc
import Logging
import SCSITarget

/// Where a drive's bytes come from, and where they go when a client has gone.
final class DriveMedia {
    private let settings: DriveSettings
    private let logger: Logger
    private(set) var backing = ""
    private(set) var onRelease: (@Sendable () -> Void)?
    private var copier: FolderCopier?

    init(_ settings: DriveSettings, _ context: ModelContext) throws(ModelError) {
        self.settings = settings
        logger = context.logger
    }

    /// Puts the medium into a unit, if it has one.
    func fill(_ unit: LogicalUnit, _ index: Int) throws(ModelError) {
        let logger = logger
        unit.onEvent = { event in
            switch event {
            case .ejectedByHost: logger.info("the host ejected the medium")
            case .loadedByHost: logger.info("the host loaded the medium")
            case .reopenFailed(let error): logger.error("the medium cannot be loaded: \(error)")
            case .storeFailed(let error, let command):
                logger.error("\(command.commandName) failed: \(error)")
            }
        }
        do throws(DiskStoreError) {
            switch settings.source {
            case .memory:
                let size = settings.size ?? DriveSettings.defaultSize
                let store = try memory(size)
                let isFormatted = try format(store, index)
                unit.insert(store)
                describe("\(Self.words(size)) in memory" + (isFormatted ? ", FAT \"\(settings.label)\"" : ", blank"))
            case .images(let paths):
                guard paths.indices.contains(index) else {
                    describe("an empty slot")
                    return
                }
                try insertImage(paths[index], unit, index)
            case .folder(let path):
                guard index == 0 else {
                    describe("an empty slot")
                    return
                }
                try insertFolder(path, unit, index)
            }
        } catch {
            throw ModelError(unavailable: error.message)
        }
    }

    private func memory(_ size: UInt64) throws(DiskStoreError) -> MemoryStore {
        do throws(StoreError) {
            return try MemoryStore(byteCount: size)
        } catch {
            throw DiskStoreError(.system, "size=\(size): \(error.message)")
        }
    }

    private func insertImage(_ path: String, _ unit: LogicalUnit, _ index: Int) throws(DiskStoreError) {
        let settings = settings
        let isShared: Bool
        if case .none = settings.snapshot { isShared = settings.isReadOnly } else { isShared = true }
        let isNew = unsafe !isShared && settings.size != nil && access(path, F_OK) != 0
        let open = { () throws(DiskStoreError) -> any BlockStore in
            let base = try ImageFileStore(path: path, size: isShared ? nil : settings.size, isReadOnly: isShared)
            switch settings.snapshot {
            case .none: return base
            case .forgotten: return SnapshotStore(of: base)
            case .kept(let delta): return try SnapshotStore(of: base, keptAt: delta)
            }
        }
        let store = try open()
        let blockSize = UInt64(settings.blockSize.rawValue)
        guard store.byteCount >= blockSize else {
            throw DiskStoreError(
                .wrongSize,
                "\(path) has \(store.byteCount) bytes, less than a block of \(blockSize); give size= to grow it")
        }
        if store.byteCount % blockSize != 0 {
            logger.warning("\(path) ends within a block of \(blockSize) bytes: its last bytes cannot be reached")
        }
        var text = "\(Self.words(store.byteCount)), \(store.label)"
        if isNew, try format(store, index) { text += " (new), FAT \"\(settings.label)\"" }
        unit.insert(store)
        // An ejected image is closed, so that it can be exchanged, and opened again when the host loads it.
        unit.reopen = { () throws(StoreError) -> any BlockStore in
            do throws(DiskStoreError) {
                return try open()
            } catch {
                throw StoreError(.unreadable, error.message)
            }
        }
        describe(text)
    }

    private func insertFolder(_ path: String, _ unit: LogicalUnit, _ index: Int) throws(DiskStoreError) {
        let built = try FolderImage.build(
            from: path, label: settings.label, size: settings.size, blockSize: Int(settings.blockSize.rawValue),
            volumeID: settings.volumeID(index))
        for warning in built.warnings { logger.warning("\(warning)") }
        unit.insert(built.store)
        describe("\(Self.words(built.store.byteCount)) FAT \"\(settings.label)\" of the folder \(path)")
        guard let target = settings.syncBack else { return }
        let copier = try FolderCopier(built, from: path, to: target, logger)
        self.copier = copier
        onRelease = { copier.run() }
    }

    /// Makes a file system on a blank medium, unless the keys say otherwise or the medium is too large for FAT.
    private func format(_ store: any BlockStore, _ index: Int) throws(DiskStoreError) -> Bool {
        guard settings.formats ?? (store.byteCount < 2 << 40) else { return false }
        do throws(DiskStoreError) {
            try FolderImage.format(
                store, label: settings.label, volumeID: settings.volumeID(index),
                blockSize: Int(settings.blockSize.rawValue))
        } catch  where error.kind == .toolFailed || error.kind == .wrongSize {
            throw DiskStoreError(
                error.kind,
                "no FAT file system fits in \(store.byteCount) bytes with blocks of "
                    + "\(settings.blockSize.rawValue); give another size=, or format=none")
        }
        return true
    }

    private func describe(_ text: String) { backing += backing.isEmpty ? text : "; \(text)" }

    /// Finishes writes; returns what could not be finished.
    func close(_ units: [LogicalUnit]) -> String? {
        var failures = copier?.failure.map { [$0] } ?? []
        for unit in units {
            do throws(StoreError) {
                try unit.store?.flush()
            } catch {
                failures.append(error.message)
            }
        }
        return failures.isEmpty ? nil : failures.joined(separator: "; ")
    }

    private static func words(_ size: UInt64) -> String {
        for (shift, unit) in [(40, "TiB"), (30, "GiB"), (20, "MiB"), (10, "KiB")] as [(UInt64, String)]
        where size >= 1 << shift && size % (1 << shift) == 0 {
            return "\(size >> shift) \(unit)"
        }
        return "\(size) bytes"
    }
}
