/// Which FAT a size gets, as makers of drives and cards choose it.
struct FATPlan {
    /// The most bytes with 512-byte blocks: FAT counts sectors in 32 bits.
    static let sizeLimit = UInt64(UInt32.max) * 512

    let width: FATVolume.Width
    let clusterSize: Int
    let blockSize: Int

    init(size: UInt64, blockSize: Int) {
        let mebibyte: UInt64 = 1 << 20
        let natural: Int =
            switch size {
            case ..<(32 * mebibyte): 512
            case ..<(128 * mebibyte): 2048
            case ..<(256 * mebibyte): 4096
            case ..<(512 * mebibyte): 8192
            case ..<(8192 * mebibyte): 4096
            case ..<(16384 * mebibyte): 8192
            case ..<(32768 * mebibyte): 16384
            default: 32768
            }
        var cluster = max(natural, blockSize)
        let clusters = size / UInt64(cluster)
        self.blockSize = blockSize
        if size >= 512 * mebibyte {
            width = .fat32
        } else if clusters >= 4400 {
            width = .fat16
        } else {
            width = .fat12
            // The width follows from the count of clusters, at 4085; the table's own room blurs the border, so stay away.
            if clusters > 3900 { cluster *= 2 }
        }
        clusterSize = cluster
    }

    /// A size in which the tree fits, whatever `mkfs.fat` adds for tables and alignment; not much larger than needed.
    func sizeNeeded(for tree: FolderTree) -> UInt64 {
        let cluster = UInt64(clusterSize)
        let clusters = Self.clusters(of: tree.root, clusterSize: cluster)
        let tables = (clusters + 1024) * 9  // two tables of 32-bit entries, and their own rounding
        let root = UInt64(rootEntries(for: tree)) * 32
        return clusters * cluster + tables + root + 64 * UInt64(blockSize) + 8 * cluster
    }

    /// The entries of the fixed root: the usual 512, or room for the tree and as much again.
    func rootEntries(for tree: FolderTree?) -> Int {
        max(512, min((tree?.root.entryBytes ?? 0) / 32 * 2 + 64, 32000) / 64 * 64)
    }

    private static func clusters(of node: FolderTree.Node, clusterSize: UInt64) -> UInt64 {
        let own = node.isFolder ? UInt64(node.entryBytes) : node.size
        let count = own / clusterSize + (own % clusterSize == 0 ? 0 : 1)
        return node.children.reduce(count) { $0 + clusters(of: $1, clusterSize: clusterSize) }
    }

    /// The least size that holds the tree, rounded up to whole mebibytes.
    static func leastSize(for tree: FolderTree, blockSize: Int) -> UInt64 {
        var size: UInt64 = 1 << 20
        while size <= sizeLimit {
            let needed = FATPlan(size: size, blockSize: blockSize).sizeNeeded(for: tree)
            if needed <= size { break }
            size = wholeMebibytes(needed)
        }
        return size
    }

    /// Rounds up.
    static func wholeMebibytes(_ size: UInt64) -> UInt64 { (size + (1 << 20) - 1) / (1 << 20) * (1 << 20) }
}
