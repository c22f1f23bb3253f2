/// Turns a folder's 32-byte entries, long names included, into files and folders.
struct FATFolderParser {
    private(set) var entries: [FATVolume.Entry] = []
    private let isWide: Bool
    // The long name collected so far: its pieces come last first, then the short entry they belong to.
    private var units: [UInt16] = []
    private var expected = 0
    private var checksum: UInt8 = 0

    /// - Parameter isWide: whether first clusters have 32 bits.
    init(isWide: Bool) { self.isWide = isWide }

    /// Takes the next entries; answers false once the folder's end has been seen.
    mutating func add(_ bytes: [UInt8]) -> Bool {
        for start in stride(from: 0, to: bytes.count - 31, by: 32) {
            if bytes[start] == 0 { return false }
            add(entry: Array(bytes[start..<start + 32]))
        }
        return true
    }

    private mutating func add(entry: [UInt8]) {
        let attributes = entry[11]
        if entry[0] == 0xE5 {
            forgetLongName()
        } else if attributes & 0x3F == 0x0F {
            addLongName(entry)
        } else {
            // 0x08 is the volume's label.
            if attributes & 0x08 == 0, entry[0] != UInt8(ascii: ".") {
                addFile(entry, isFolder: attributes & 0x10 != 0)
            }
            forgetLongName()
        }
    }

    private mutating func addFile(_ entry: [UInt8], isFolder: Bool) {
        let short = Array(entry[0..<11])
        var name = FATName.text(ofShort: short, caseFlags: entry[12])
        if expected == 0, !units.isEmpty, checksum == FATName.checksum(ofShort: short) {
            name = String(decoding: units.prefix { $0 != 0 }, as: UTF16.self)
        }
        let high = isWide ? UInt32(entry.little(UInt16.self, at: 20)) << 16 : 0
        entries.append(
            FATVolume.Entry(
                name: name, isFolder: isFolder, size: isFolder ? 0 : entry.little(UInt32.self, at: 28),
                firstCluster: high | UInt32(entry.little(UInt16.self, at: 26)),
                date: entry.little(UInt16.self, at: 24), time: entry.little(UInt16.self, at: 22)))
    }

    private mutating func addLongName(_ entry: [UInt8]) {
        let order = Int(entry[0] & 0x3F)
        if entry[0] & 0x40 != 0 {
            units = []
            expected = order
            checksum = entry[13]
        }
        guard order > 0, order <= 20, order == expected, checksum == entry[13] else { return forgetLongName() }
        let piece = FATName.unitOffsets.map { entry.little(UInt16.self, at: $0) }
        units = piece + units
        expected -= 1
    }

    private mutating func forgetLongName() {
        units = []
        expected = 0
    }
}
