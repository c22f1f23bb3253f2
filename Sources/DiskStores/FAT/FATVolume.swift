internal import SCSITarget

/// A FAT12, FAT16 or FAT32 file system on a store, read without trusting a byte of it (Microsoft's fatgen 1.03).
///
/// The client had the whole disk to write what it liked: every number is checked, chains are followed only as far as
/// sizes allow, and names come back as text that is yet to be judged.
final class FATVolume {
    /// How wide an entry of the table is.
    enum Width: Int {
        case fat12 = 12
        case fat16 = 16
        case fat32 = 32
    }

    /// A file or folder, as its folder's entries describe it.
    struct Entry {
        let name: String
        let isFolder: Bool
        let size: UInt32
        let firstCluster: UInt32
        let date: UInt16
        let time: UInt16
    }

    /// Where a folder's entries are: at a cluster, or in the fixed root of FAT12 and FAT16.
    enum Folder: Hashable {
        case fixedRoot
        case cluster(UInt32)
    }

    let store: any BlockStore
    let sectorSize: Int
    let clusterSize: Int
    let width: Width
    let clusterCount: UInt32
    let reservedSectors: Int
    let tableCount: Int
    let tableSectors: UInt64
    let rootEntryCount: Int
    let rootCluster: UInt32
    /// The sector of the FAT32 information sector, and of the copy of the boot sector; 0 where there is none.
    let informationSector: Int
    let backupSector: Int

    /// The store's offset of cluster 2.
    let dataStart: UInt64

    // A window on the table, so that following a chain does not ask the store for every link.
    private var window = [UInt8]()
    private var windowStart: UInt64 = .max
    // Folders whose chains share clusters could make reading them take days; honest ones fit the disk.
    private var folderBytesLeft: UInt64

    /// Reads the boot sector.
    ///
    /// - Throws: ``DiskStoreError`` of kind `.malformed` where this is no FAT file system.
    init(on store: any BlockStore) throws(DiskStoreError) {
        guard store.byteCount >= 512 else { throw Self.malformed(store, "is too small") }
        var boot = [UInt8](repeating: 0, count: 512)
        do throws(StoreError) { try store.read(into: &boot, at: 0) } catch {
            throw DiskStoreError(.system, error.message)
        }
        sectorSize = Int(boot.little(UInt16.self, at: 11))
        let perCluster = Int(boot[13])
        guard boot[510] == 0x55, boot[511] == 0xAA, [512, 1024, 2048, 4096].contains(sectorSize),
            perCluster.nonzeroBitCount == 1
        else { throw Self.malformed(store, "has no FAT boot sector at its start") }
        reservedSectors = Int(boot.little(UInt16.self, at: 14))
        tableCount = Int(boot[16])
        rootEntryCount = Int(boot.little(UInt16.self, at: 17))
        let sectors16 = UInt64(boot.little(UInt16.self, at: 19))
        let sectors = sectors16 != 0 ? sectors16 : UInt64(boot.little(UInt32.self, at: 32))
        let table16 = UInt64(boot.little(UInt16.self, at: 22))
        tableSectors = table16 != 0 ? table16 : UInt64(boot.little(UInt32.self, at: 36))
        let rootSectors = UInt64((rootEntryCount * 32 + sectorSize - 1) / sectorSize)
        let before = UInt64(reservedSectors) + UInt64(tableCount) * tableSectors + rootSectors
        guard reservedSectors > 0, (1...4).contains(tableCount), before < sectors,
            sectors * UInt64(sectorSize) <= store.byteCount
        else { throw Self.malformed(store, "has a FAT boot sector that contradicts itself or the disk's size") }
        clusterSize = perCluster * sectorSize
        dataStart = before * UInt64(sectorSize)
        let clusters = (sectors - before) / UInt64(perCluster)
        clusterCount = UInt32(clamping: min(clusters, 0x0FFF_FFF5))
        width = table16 == 0 ? .fat32 : clusterCount < 4085 ? .fat12 : .fat16
        rootCluster = width == .fat32 ? boot.little(UInt32.self, at: 44) : 0
        informationSector = width == .fat32 ? Int(boot.little(UInt16.self, at: 48)) : 0
        backupSector = width == .fat32 ? Int(boot.little(UInt16.self, at: 50)) : 0
        let tableBytes = tableSectors * UInt64(sectorSize)
        guard clusterCount > 0, tableBytes * 8 >= (UInt64(clusterCount) + 2) * UInt64(width.rawValue) else {
            throw Self.malformed(store, "has a file allocation table too small for its clusters")
        }
        folderBytesLeft = store.byteCount
        self.store = store
    }

    /// The root folder.
    var root: Folder { width == .fat32 ? .cluster(rootCluster) : .fixedRoot }

    /// The store's offset of the first table.
    var tableStart: UInt64 { UInt64(reservedSectors) * UInt64(sectorSize) }

    /// The store's offset of the fixed root folder.
    var rootStart: UInt64 { tableStart + UInt64(tableCount) * tableSectors * UInt64(sectorSize) }

    /// Whether the client took its leave properly: the clean bit of table entry 1 (fatgen 1.03, "FAT[1]").
    func isClean() throws(StoreError) -> Bool {
        switch width {
        case .fat12: return true
        case .fat16: return try entry(1) & 0x8000 != 0
        case .fat32: return try entry(1) & 0x0800_0000 != 0
        }
    }

    /// Reads a folder's entries, at most the 65536 (2 MiB) that FAT allows.
    ///
    /// - Throws: ``StoreError`` of kind `.unreadable` for a chain that leads nowhere, or when more folders were read than
    ///   the disk can hold.
    func entries(of folder: Folder) throws(StoreError) -> [Entry] {
        var parser = FATFolderParser(isWide: width == .fat32)
        switch folder {
        case .fixedRoot:
            var bytes = [UInt8](repeating: 0, count: rootEntryCount * 32)
            try store.read(into: &bytes, at: rootStart)
            _ = parser.add(bytes)
        case .cluster(var cluster):
            var left = 65536 * 32
            var bytes = [UInt8](repeating: 0, count: clusterSize)
            while left > 0 {
                guard folderBytesLeft >= UInt64(clusterSize) else {
                    throw corrupt("The folders are larger than the disk")
                }
                folderBytesLeft -= UInt64(clusterSize)
                try store.read(into: &bytes, at: place(of: cluster))
                guard parser.add(bytes) else { break }
                left -= clusterSize
                guard let next = try next(after: cluster) else { break }
                cluster = next
            }
        }
        return parser.entries
    }

    /// Hands a file's bytes over in order, in pieces of at most a mebibyte.
    ///
    /// - Throws: what `body` throws, or ``StoreError`` for a chain shorter than the size.
    func read(_ entry: Entry, _ body: ([UInt8]) throws -> Void) throws {
        var left = Int(entry.size)
        var cluster = entry.firstCluster
        while left > 0 {
            // Neighbouring clusters are read together.
            let first = cluster
            var count = min(left, clusterSize)
            var following: UInt32?
            while count < left {
                following = try next(after: cluster)
                guard let following else { throw corrupt("A file ends before its size") }
                guard following == cluster &+ 1, count + clusterSize <= 1 << 20 else { break }
                cluster = following
                count += min(left - count, clusterSize)
            }
            let start = try place(of: first)
            guard UInt64(count) <= store.byteCount - start else { throw corrupt("A file reaches past the end") }
            var bytes = [UInt8](repeating: 0, count: count)
            try store.read(into: &bytes, at: start)
            try body(bytes)
            left -= count
            if left > 0, let following { cluster = following }
        }
    }

    private func place(of cluster: UInt32) throws(StoreError) -> UInt64 {
        guard cluster >= 2, cluster - 2 < clusterCount else { throw corrupt("Cluster \(cluster) does not exist") }
        return dataStart + UInt64(cluster - 2) * UInt64(clusterSize)
    }

    /// The cluster that follows in a chain; nil at its end.
    private func next(after cluster: UInt32) throws(StoreError) -> UInt32? {
        let value = try entry(cluster)
        let end: UInt32 = width == .fat12 ? 0xFF8 : width == .fat16 ? 0xFFF8 : 0x0FFF_FFF8
        if value >= end { return nil }
        _ = try place(of: value)
        return value
    }

    /// An entry of the first table.
    private func entry(_ cluster: UInt32) throws(StoreError) -> UInt32 {
        let bit = UInt64(cluster) * UInt64(width.rawValue)
        let place = tableStart + bit / 8
        if place < windowStart || place + 4 > windowStart + UInt64(window.count) {
            windowStart = place / 4096 * 4096
            window = [UInt8](repeating: 0, count: Int(min(65536 + 4096, store.byteCount - windowStart)))
            do throws(StoreError) { try store.read(into: &window, at: windowStart) } catch {
                windowStart = .max
                window = []
                throw error
            }
        }
        let offset = Int(place - windowStart)
        switch width {
        case .fat12: return UInt32(window.little(UInt16.self, at: offset)) >> UInt32(bit % 8) & 0xFFF
        case .fat16: return UInt32(window.little(UInt16.self, at: offset))
        case .fat32: return window.little(UInt32.self, at: offset) & 0x0FFF_FFFF
        }
    }

    private func corrupt(_ what: String) -> StoreError {
        StoreError(.unreadable, "\(what): the FAT file system on \(store.label) is damaged")
    }

    private static func malformed(_ store: any BlockStore, _ what: String) -> DiskStoreError {
        DiskStoreError(.malformed, "\(store.label) \(what); no files can be copied out of it")
    }
}
