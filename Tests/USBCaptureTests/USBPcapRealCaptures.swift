import Glibc

/// Captures of real devices, where they are at hand.
enum RealCaptures {
    /// The folder; nil where there is none.
    static let folder: String? = {
        if let folder = unsafe getenv("GHOSTPLUG_CAPTURES") { return unsafe String(cString: folder) }
        var path = #filePath
        while let slash = path.lastIndex(of: "/"), slash != path.startIndex {
            path = String(path[..<slash])
            if unsafe access(path + "/Package.swift", F_OK) == 0 {
                let folder = path + "/../shared/captures"
                return unsafe access(folder, R_OK) == 0 ? folder : nil
            }
        }
        return nil
    }()

    /// A file's bytes.
    static func bytes(_ name: String) -> [UInt8] {
        guard let folder, let file = unsafe fopen(folder + "/" + name, "r") else { return [] }
        defer { unsafe fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = unsafe fread(&chunk, 1, chunk.count, file)
            if count == 0 { return bytes }
            bytes += chunk.prefix(count)
        }
    }

    /// The packets of a little-endian pcapng file with one interface, which these all are.
    static func packets(_ name: String) -> [TestPacket] {
        let file = bytes(name)
        func word(_ position: Int) -> Int {
            (0..<4).reduce(0) { $0 | Int(file[position + $1]) << (8 * $1) }
        }
        var packets: [TestPacket] = []
        var linkType: UInt16 = 0
        var position = 0
        while position + 12 <= file.count {
            let length = word(position + 4)
            switch word(position) {
            case 1: linkType = UInt16(word(position + 8) & 0xffff)
            case 6:
                let count = word(position + 20)
                packets.append(
                    TestPacket(
                        bytes: Array(file[position + 28..<position + 28 + count]), linkType: linkType,
                        originalLength: word(position + 24),
                        time: Int64(word(position + 12) << 32 | word(position + 16))))
            default: break
            }
            position += length
        }
        return packets
    }
}
