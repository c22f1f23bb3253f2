import USBCore

/// What uses the disks of a device: mounts, swap, and what is built on them.
struct BlockUse {
    /// A disk, a partition, or what is built on one.
    private struct Block {
        var name: String
        /// The disk or partition of the device that it stands on, when it is not one itself.
        var base: String?
        /// `major:minor`.
        var number: String?
        /// The device mapper's name for it.
        var mapperName: String?

        /// The name in messages.
        var words: String {
            var words = PrintableText.of(name)
            if let mapperName { words += " (\(PrintableText.of(mapperName)))" }
            if let base { words += " on \(PrintableText.of(base))" }
            return words
        }

        /// The nodes by which tables name it.
        var nodes: [String] { ["/dev/\(name)"] + (mapperName.map { ["/dev/mapper/\($0)"] } ?? []) }
    }

    /// Layers and members that are followed, no more: LVM on RAID on LUKS is three layers.
    private static let blockLimit = 256
    private static let folder = "/sys/class/block"

    private let tree: SystemTree
    private var blocks: [Block] = []
    private(set) var obstacles: [Obstacle] = []

    /// - Parameter folder: the device's folder in sysfs, without links.
    init(_ tree: SystemTree, below folder: String) {
        self.tree = tree
        for name in tree.names(in: Self.folder) {
            guard let path = tree.resolved("\(Self.folder)/\(name)"), path.hasPrefix(folder + "/") else { continue }
            add(name, on: nil)
        }
        guard !blocks.isEmpty else { return }
        findHolders()
        findMounts()
        findSwap()
    }

    private mutating func add(_ name: String, on base: String?) {
        guard blocks.count < Self.blockLimit, !blocks.contains(where: { $0.name == name }) else { return }
        blocks.append(
            Block(
                name: name, base: base, number: tree.attribute("\(Self.folder)/\(name)/dev"),
                mapperName: tree.attribute("\(Self.folder)/\(name)/dm/name")))
    }

    // MARK: What is built on them

    private mutating func findHolders() {
        var index = 0
        // What is found is looked at in turn, and each block is added once: circles end.
        while index < blocks.count {
            let block = blocks[index]
            index += 1
            for holder in tree.names(in: "\(Self.folder)/\(block.name)/holders") {
                add(holder, on: block.base ?? block.name)
                guard block.base == nil, let found = blocks.first(where: { $0.name == holder }) else { continue }
                let words = [holder, found.mapperName].compactMap(\.self).map(PrintableText.of)
                let name = words.count == 2 ? "\(words[0]) (\(words[1]))" : words[0]
                obstacles.append(
                    Obstacle(.held, "\(PrintableText.of(block.name)) is held by \(name)", advice: [closing(found)]))
            }
        }
    }

    /// The command that takes it apart.
    private func closing(_ block: Block) -> String {
        let uuid = tree.attribute("\(Self.folder)/\(block.name)/dm/uuid") ?? ""
        guard let mapperName = block.mapperName else {
            return block.name.hasPrefix("md")
                ? "sudo mdadm --stop \(ShellWord.of("/dev/\(block.name)"))"
                : "lsblk -s \(ShellWord.of("/dev/\(block.name)"))  # shows what it is"
        }
        return uuid.hasPrefix("CRYPT-")
            ? "sudo cryptsetup close \(ShellWord.of(mapperName))" : "sudo dmsetup remove \(ShellWord.of(mapperName))"
    }

    // MARK: Mounts

    private mutating func findMounts() {
        var points: [(block: Int, point: String)] = []
        // What the first process sees is the machine's, where this one is in a container.
        for file in ["/proc/self/mountinfo", "/proc/1/mountinfo"] {
            for line in tree.lines(file) {
                guard let mount = Mount(line), let block = blocks.firstIndex(where: { Self.is($0, mount) }),
                    !points.contains(where: { $0.block == block && $0.point == mount.point })
                else { continue }
                points.append((block, mount.point))
            }
        }
        for index in blocks.indices {
            let found = points.filter { $0.block == index }.map(\.point)
            guard !found.isEmpty else { continue }
            obstacles.append(
                Obstacle(
                    .mounted, "\(blocks[index].words) is mounted on \(Self.list(found))",
                    advice: found.prefix(Self.listLimit).map { Self.unmounting($0, blocks[index]) }))
        }
    }

    private static func `is`(_ block: Block, _ mount: Mount) -> Bool {
        // Btrfs has numbers of its own there.
        block.number == mount.number || block.nodes.contains(mount.source)
    }

    private static let listLimit = 3

    private static func list(_ points: [String]) -> String {
        var words = points.prefix(listLimit).map(PrintableText.of)
        if points.count > listLimit { words.append("\(points.count - listLimit) more folders") }
        return words.joined(separator: " and ")
    }

    private static func unmounting(_ point: String, _ block: Block) -> String {
        // What cannot be shown as it is cannot be pasted either.
        PrintableText.of(point) == point
            ? "sudo umount \(ShellWord.of(point))"
            : "sudo umount --all-targets \(ShellWord.of(block.nodes.last ?? ""))"
    }

    // MARK: Swap

    private mutating func findSwap() {
        for line in tree.lines("/proc/swaps") {
            guard let field = line.split(whereSeparator: { $0 == " " || $0 == "\t" }).first else { continue }
            let path = OctalEscapes.decoded(field)
            guard let block = blocks.first(where: { $0.nodes.contains(path) }) else { continue }
            obstacles.append(
                Obstacle(
                    .swap, "\(block.words) is used as swap",
                    advice: ["sudo swapoff \(ShellWord.of("/dev/\(block.name)"))"]))
        }
    }
}

/// A line of `mountinfo` (proc(5)).
private struct Mount {
    let number: String
    let point: String
    let source: String

    init?(_ line: Substring) {
        let fields = line.split(separator: " ", omittingEmptySubsequences: false)
        // Optional fields come in between, up to a dash.
        guard fields.count > 6, let dash = fields[6...].firstIndex(of: "-"), fields.count > dash + 2 else { return nil }
        number = String(fields[2])
        point = OctalEscapes.decoded(fields[4])
        source = OctalEscapes.decoded(fields[dash + 2])
    }
}

/// How the kernel writes blanks and line ends in its tables: `\040`.
enum OctalEscapes {
    static func decoded(_ text: Substring) -> String {
        guard text.utf8.contains(UInt8(ascii: "\\")) else { return String(text) }
        let bytes = Array(text.utf8)
        var result: [UInt8] = []
        var index = 0
        while index < bytes.count {
            let digits = bytes[index...].dropFirst().prefix(3)
            if bytes[index] == UInt8(ascii: "\\"), digits.count == 3,
                digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "7")).contains($0) })
            {
                result.append(digits.reduce(0) { $0 << 3 | ($1 & 7) })
                index += 4
            } else {
                result.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}

/// Words for commands that are to be pasted.
enum ShellWord {
    /// A text as one word of a shell's, in quotes where it needs them; what cannot be shown is written as an escape.
    static func of(_ text: String) -> String {
        let shown = PrintableText.of(text)
        let isPlain = shown.utf8.allSatisfy { byte in
            Character(Unicode.Scalar(byte)).isASCII
                && (Character(Unicode.Scalar(byte)).isLetter || Character(Unicode.Scalar(byte)).isNumber
                    || "/._-+:@%".utf8.contains(byte))
        }
        return isPlain && !shown.isEmpty ? shown : "'\(shown.replacing("'", with: "'\\''"))'"
    }
}
