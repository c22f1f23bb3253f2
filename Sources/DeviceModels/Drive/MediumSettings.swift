import DiskStores
import Glibc
import SCSITarget

/// What a medium is made of: what keys or arguments say of one.
struct MediumSettings {
    enum Source: Equatable {
        case memory(UInt64)
        case image(String)
        case folder(String)
    }

    let source: Source
    let snapshot: DriveSettings.Snapshot
    /// Where a folder's files are copied when the medium is taken out.
    let syncBack: String?
    /// The size asked for; nil lets the source decide.
    let size: UInt64?
    let blockSize: BlockSize
    let label: String
    /// Whether what is new gets a file system; nil when nothing was said.
    let formats: Bool?
    let isReadOnly: Bool
    let volumeID: UInt32

    /// Whether an image file is only read: others may read it, too.
    var sharesImage: Bool {
        if case .none = snapshot { isReadOnly } else { true }
    }

    /// Opens an image file, with a snapshot over it where one was asked for.
    ///
    /// - Parameters:
    ///   - size: see ``ImageFileStore``; only for an image that may be written.
    ///   - grown: with a snapshot that is forgotten, the size that the medium has grown to.
    func open(_ path: String, size: UInt64?, grown: UInt64?) throws(DiskStoreError) -> any BlockStore {
        let base = try ImageFileStore(path: path, size: sharesImage ? nil : size, isReadOnly: sharesImage)
        guard base.byteCount >= UInt64(blockSize.rawValue) else {
            throw DiskStoreError(
                .wrongSize,
                "\(path) has \(base.byteCount) bytes, less than a block of \(blockSize.rawValue); "
                    + "give size= to grow it")
        }
        var store: any BlockStore = base
        switch snapshot {
        case .none: break
        case .forgotten: store = SnapshotStore(of: base)
        case .kept(let delta): store = try SnapshotStore(of: base, keptAt: delta)
        }
        if let grown, grown > store.byteCount { store = try JoinedStore(growing: store, to: grown) }
        return isReadOnly && !store.isReadOnly ? ReadOnlyStore(store) : store
    }

    /// Makes memory of zeros.
    static func memory(_ size: UInt64) throws(DiskStoreError) -> MemoryStore {
        do throws(StoreError) {
            return try MemoryStore(byteCount: size)
        } catch {
            throw DiskStoreError(.system, "size=\(size): \(error.message)")
        }
    }

    /// Makes a file system on a blank medium, unless the keys say otherwise or the medium is too large for FAT.
    func format(_ store: any BlockStore) throws(DiskStoreError) -> Bool {
        guard formats ?? (store.byteCount < 2 << 40) else { return false }
        do throws(DiskStoreError) {
            try FolderImage.format(store, label: label, volumeID: volumeID, blockSize: Int(blockSize.rawValue))
        } catch  where error.kind == .toolFailed || error.kind == .wrongSize {
            throw DiskStoreError(
                error.kind,
                "no FAT file system fits in \(store.byteCount) bytes with blocks of "
                    + "\(blockSize.rawValue); give another size=, or format=none")
        }
        return true
    }
}

extension JoinedStore {
    /// Makes a store grow by zeros in memory.
    convenience init(growing store: any BlockStore, to size: UInt64) throws(DiskStoreError) {
        self.init(store, try MediumSettings.memory(size &- min(size, store.byteCount)))
    }
}
