internal import Glibc
internal import SCSITarget

/// Fills an empty FAT file system with a folder's files.
///
/// The file system comes fresh from `mkfs.fat`: only the root folder's label is there, and clusters are handed out from
/// the first on, each file's and folder's in one run (the root of FAT32 aside, which begins at the cluster it has).
struct FATWriter {
    private let volume: FATVolume
    // The table as far as clusters have been handed out: each entry is the cluster that follows, 0 at a chain's end.
    private var following: [UInt32]
    private var buffer = [UInt8](repeating: 0, count: 1 << 20)

    init(on volume: FATVolume) {
        self.volume = volume
        following = [0, 0]
        // mkfs.fat gives the root of FAT32 cluster 2.
        if volume.width == .fat32 { following.append(0) }
    }

    /// Writes the files, folders and tables.
    ///
    /// - Throws: ``DiskStoreError`` where a file cannot be read, has changed its size, or the store fails.
    mutating func write(_ tree: FolderTree) throws(DiskStoreError) {
        do {
            try writeRoot(tree)
            try writeTables()
            try writeInformation()
            try volume.store.flush()
        } catch let error as DiskStoreError { throw error } catch {
            throw DiskStoreError(.system, "Cannot build the image: \(error)")
        }
    }

    private mutating func writeRoot(_ tree: FolderTree) throws {
        var label = [UInt8](repeating: 0, count: 32)
        let start = volume.width == .fat32 ? volume.dataStart : volume.rootStart
        try volume.store.read(into: &label, at: start)
        var bytes = label[11] & 0x08 != 0 ? label : []
        bytes += try entries(for: tree.root, parent: 0, own: 0)
        guard volume.width == .fat32 else {
            guard bytes.count <= volume.rootEntryCount * 32 else {
                throw DiskStoreError(.wrongSize, "The folder's top level has too many files for FAT16's root")
            }
            return try volume.store.write(bytes, at: start)
        }
        try volume.store.write(Array(bytes.prefix(volume.clusterSize)), at: start)
        let rest = Array(bytes.dropFirst(volume.clusterSize))
        let more = try allocate(rest.count)
        following[2] = more
        if more != 0 { try volume.store.write(rest, at: place(of: more)) }
    }

    /// Writes what is in a folder and answers the folder's entries.
    private mutating func entries(for folder: FolderTree.Node, parent: UInt32, own: UInt32) throws -> [UInt8] {
        var bytes: [UInt8] = []
        if own != 0 {
            bytes += entry(short: Array(".          ".utf8), for: folder, cluster: own)
            bytes += entry(short: Array("..         ".utf8), for: folder, cluster: parent)
        }
        var shortNames = FATShortNames(for: folder.children.map(\.name))
        for child in folder.children {
            let cluster = try child.isFolder ? writeFolder(child, parent: own) : writeFile(child)
            let exact = FATShortNames.exact(child.name)
            let short = exact ?? shortNames.make(for: child.name)
            if exact == nil { bytes += FATName.longEntries(for: child.name, short: short) }
            bytes += entry(short: short, for: child, cluster: cluster)
        }
        return bytes
    }

    private mutating func writeFolder(_ folder: FolderTree.Node, parent: UInt32) throws -> UInt32 {
        let cluster = try allocate(folder.entryBytes)
        let bytes = try entries(for: folder, parent: parent, own: cluster)
        // The rest of the folder's clusters must be zero: a zero byte ends it. The image is fresh, so they are.
        try volume.store.write(bytes, at: place(of: cluster))
        return cluster
    }

    private mutating func writeFile(_ node: FolderTree.Node) throws -> UInt32 {
        guard node.size > 0 else { return 0 }
        let file = try OpenFile.open(node.path, flags: O_RDONLY | O_NONBLOCK)
        let cluster = try allocate(Int(node.size))
        var done: UInt64 = 0
        while done < node.size {
            let count = Int(min(UInt64(buffer.count), node.size - done))
            if count < buffer.count { buffer = [UInt8](repeating: 0, count: count) }
            do throws(StoreError) { try file.read(into: &buffer, at: done) } catch {
                throw DiskStoreError(.system, "Cannot copy \(node.path) into the image: \(error.message)")
            }
            try volume.store.write(buffer, at: place(of: cluster) + done)
            done += UInt64(count)
        }
        if buffer.count < 1 << 20 { buffer = [UInt8](repeating: 0, count: 1 << 20) }
        return cluster
    }

    private func entry(short: [UInt8], for node: FolderTree.Node, cluster: UInt32) -> [UInt8] {
        var bytes = short + [UInt8](repeating: 0, count: 21)
        let stamp = FATStamp(seconds: node.modified)
        bytes[11] = node.isFolder ? 0x10 : 0x20
        bytes.setLittle(stamp.time, at: 14)
        for offset in [16, 18, 24] { bytes.setLittle(stamp.date, at: offset) }
        bytes.setLittle(stamp.time, at: 22)
        bytes.setLittle(UInt16(truncatingIfNeeded: cluster >> 16), at: 20)
        bytes.setLittle(UInt16(truncatingIfNeeded: cluster), at: 26)
        bytes.setLittle(node.isFolder ? 0 : UInt32(clamping: node.size), at: 28)
        return bytes
    }

    /// Hands out a run of clusters for so many bytes; 0 for none.
    private mutating func allocate(_ bytes: Int) throws(DiskStoreError) -> UInt32 {
        let count = (bytes + volume.clusterSize - 1) / volume.clusterSize
        let first = following.count
        guard count <= Int(volume.clusterCount) + 2 - first else {
            throw DiskStoreError(.wrongSize, "The folder's files do not fit the image; give a larger size")
        }
        guard count > 0 else { return 0 }
        following.reserveCapacity(first + count)
        for cluster in first..<first + count { following.append(UInt32(cluster + 1)) }
        following[first + count - 1] = 0
        return UInt32(first)
    }

    private func place(of cluster: UInt32) -> UInt64 {
        volume.dataStart + UInt64(cluster - 2) * UInt64(volume.clusterSize)
    }

    private func writeTables() throws(StoreError) {
        // Entries 0 and 1 are mkfs.fat's: media type and the clean bit.
        let width = volume.width.rawValue
        var bytes = [UInt8](repeating: 0, count: (following.count * width + 7) / 8 + 4)
        var head = [UInt8](repeating: 0, count: 8)
        try volume.store.read(into: &head, at: volume.tableStart)
        bytes.replaceSubrange(0..<width / 4, with: head.prefix(width / 4))
        for (cluster, next) in following.enumerated().dropFirst(2) {
            let value = next == 0 ? (UInt32(1) << UInt32(min(width, 28))) - 1 : next
            let bit = cluster * width
            switch volume.width {
            case .fat12:
                bytes.setLittle(bytes.little(UInt16.self, at: bit / 8) | UInt16(value) << (bit % 8), at: bit / 8)
            case .fat16: bytes.setLittle(UInt16(value), at: bit / 8)
            case .fat32: bytes.setLittle(value, at: bit / 8)
            }
        }
        let tableBytes = volume.tableSectors * UInt64(volume.sectorSize)
        bytes = Array(bytes.prefix(Int(clamping: tableBytes)))
        for table in 0..<volume.tableCount {
            try volume.store.write(bytes, at: volume.tableStart + UInt64(table) * tableBytes)
        }
    }

    /// Puts the counts of free clusters right, in both copies of FAT32's information sector.
    private func writeInformation() throws(StoreError) {
        guard volume.informationSector != 0 else { return }
        let used = following.count - 2
        for sector in [volume.informationSector, volume.backupSector + volume.informationSector] {
            guard sector < volume.reservedSectors else { continue }
            let place = UInt64(sector) * UInt64(volume.sectorSize)
            var bytes = [UInt8](repeating: 0, count: 512)
            try volume.store.read(into: &bytes, at: place)
            guard bytes.little(UInt32.self, at: 484) == 0x6141_7272 else { continue }
            bytes.setLittle(volume.clusterCount - UInt32(used), at: 488)
            bytes.setLittle(UInt32(following.count - 1), at: 492)
            try volume.store.write(bytes, at: place)
        }
    }
}

/// A moment as FAT keeps it: local time, in steps of two seconds, 1980 to 2107.
struct FATStamp {
    let date: UInt16
    let time: UInt16

    init(date: UInt16, time: UInt16) {
        self.date = date
        self.time = time
    }

    init(seconds: Int64) {
        var moment = time_t(seconds)
        var local = unsafe tm()
        unsafe localtime_r(&moment, &local)
        let year = unsafe max(0, min(127, Int(local.tm_year) - 80))
        let isBefore = unsafe local.tm_year < 80
        date = isBefore ? 0x21 : unsafe UInt16(year << 9 | Int(local.tm_mon + 1) << 5 | Int(local.tm_mday))
        time =
            isBefore
            ? 0 : unsafe UInt16(Int(local.tm_hour) << 11 | Int(local.tm_min) << 5 | Int(min(local.tm_sec, 59)) / 2)
    }

    /// Seconds since 1970.
    var seconds: Int64 {
        var local = unsafe tm()
        unsafe local.tm_year = Int32(date >> 9) + 80
        unsafe local.tm_mon = Int32(date >> 5 & 15) - 1
        unsafe local.tm_mday = Int32(date & 31)
        unsafe local.tm_hour = Int32(time >> 11)
        unsafe local.tm_min = Int32(time >> 5 & 63)
        unsafe local.tm_sec = Int32(time & 31) * 2
        unsafe local.tm_isdst = -1
        return unsafe Int64(mktime(&local))
    }
}
