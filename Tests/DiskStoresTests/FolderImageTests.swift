import Glibc
import SCSITarget
import Testing

@testable import DiskStores

@Suite("FAT images from folders")
struct FolderImageTests {
    private let scratch = Scratch()

    init() { scratch.makeFolder("src") }

    private func build(
        size: UInt64? = nil, blockSize: Int = 512, label: String? = "STICK"
    ) throws -> FolderImage.Built {
        try FolderImage.build(
            from: scratch["src"], label: label, size: size, blockSize: blockSize, temporaryFolder: scratch.path)
    }

    /// Copies a store's bytes into a file, keeping holes, for the tools that judge it.
    private func dump(_ store: any BlockStore, to name: String) throws {
        let copy = try ImageFileStore(path: scratch[name], size: store.byteCount)
        var place: UInt64 = 0
        while place < store.byteCount {
            let extent = store.allocation(at: place)
            let count = min(extent.count, 1 << 20)
            if extent.isAllocated { try copy.write(try store.bytes(at: place, count: Int(count)), at: place) }
            place += extent.isAllocated ? count : extent.count
        }
    }

    /// What dosfstools think of the image.
    private func checkFileSystem(_ name: String) throws {
        let outcome = try #require(try Subprocess.run(["fsck.vfat", "-n", "-v", scratch[name]]))
        #expect(outcome.succeeded, "\(outcome.output)")
        #expect(!outcome.output.contains("differ") && !outcome.output.contains("wrong"), "\(outcome.output)")
    }

    private func tool(_ arguments: String...) throws -> String {
        let outcome = try #require(try Subprocess.run(arguments, environment: ["LC_ALL": "C.UTF-8"]))
        #expect(outcome.succeeded, "\(outcome.output)")
        return outcome.output
    }

    // MARK: - Round trips

    private static let names = [
        "Ünïcödé ファイル.txt", "é", "äö2.txt", "emoji 😀👩‍🚀.txt", ".hidden", "UPPER.TXT", "lower.txt", "Mixed.Txt", "a b c",
        "README.md", "LONGFI~1.TXT", "longfilename.txt", "name.with.many.dots.tar.gz", "a+b,c;d=[e]", "-dash", " lead",
        "thirteenchars", "x", String(repeating: "n", count: 255), "~1", "noext.", "CON.txt",
    ].filter { !$0.hasSuffix(".") }

    @Test(
        "what goes in comes out, byte for byte and name for name",
        arguments: [(nil, 512), (3 << 20, 512), (1 << 20, 512), (80 << 20, 4096), (600 << 20, 512)] as [(UInt64?, Int)])
    func roundTrip(size: UInt64?, blockSize: Int) throws {
        for (index, name) in Self.names.enumerated() {
            try scratch.write(randomBytes(index * 317, seed: UInt64(index)), to: "src/\(name)")
        }
        scratch.makeFolder("src/empty")
        scratch.makeFolder("src/.dotted folder")
        scratch.makeFolder("src/.dotted folder/Ñested")
        try scratch.write(randomBytes(300_000, seed: 99), to: "src/.dotted folder/Ñested/big file.bin")
        let built = try build(size: size, blockSize: blockSize)
        #expect(built.warnings.isEmpty)
        #expect(built.store.byteCount == size ?? 64 << 20)
        try dump(built.store, to: "image")
        try checkFileSystem("image")
        let report = try FolderImage.extract(built.store, to: scratch["out"])
        #expect(report.problems.isEmpty)
        #expect(report.written.count == Self.names.count + 1)
        #expect(try tool("diff", "-r", scratch["src"], scratch["out"]) == "")
        #expect(try scratch.names(in: "out") == scratch.names(in: "src"))
        #expect(try scratch.names(in: "out/empty") == [])
        // Once more: nothing is left to do.
        let again = try FolderImage.extract(built.store, to: scratch["out"], original: built.manifest)
        #expect(again.written.isEmpty && again.removed.isEmpty && again.unchanged == Self.names.count + 1)
        // Nothing temporary stays.
        #expect(try scratch.names() == ["image", "out", "src"])
    }

    @Test("other readers of FAT see the same files")
    func otherReader() throws {
        try scratch.write("hello", to: "src/Ünïcödé ファイル.txt")
        scratch.makeFolder("src/folder")
        let bytes = randomBytes(100_000, seed: 5)
        try scratch.write(bytes, to: "src/folder/data.bin")
        try dump(try build().store, to: "image")
        #expect(try tool("mtype", "-i", scratch["image"], "::Ünïcödé ファイル.txt") == "hello")
        _ = try tool("mcopy", "-n", "-i", scratch["image"], "::folder/data.bin", scratch["data.bin"])
        #expect(try scratch.read("data.bin") == bytes)
        #expect(try tool("mlabel", "-s", "-i", scratch["image"], "::").contains("STICK"))
    }

    @Test("thousands of files with like names", arguments: [nil, 600 << 20] as [UInt64?])
    func many(size: UInt64?) throws {
        scratch.makeFolder("src/many")
        for number in 0..<3000 {
            try scratch.write("\(number)", to: "src/many/a file number \(number).txt")
            if number < 700 { try scratch.write("", to: "src/a file number \(number).txt") }
        }
        let built = try build(size: size)
        try dump(built.store, to: "image")
        try checkFileSystem("image")
        _ = try FolderImage.extract(built.store, to: scratch["out"])
        #expect(try tool("diff", "-r", scratch["src"], scratch["out"]) == "")
    }

    @Test("what other programs wrote is read too")
    func foreignWriter() throws {
        let store = try FolderImage.blank(size: 16 << 20, label: "x", temporaryFolder: scratch.path)
        try dump(store, to: "image")
        try scratch.write("one", to: "src/SHORT.TXT")
        try scratch.write("two", to: "src/Long Name.txt")
        _ = try tool("mmd", "-i", scratch["image"], "::/sub")
        _ = try tool(
            "mcopy", "-i", scratch["image"], scratch["src/SHORT.TXT"], scratch["src/Long Name.txt"], "::/sub")
        _ = try tool("mdel", "-i", scratch["image"], "::/sub/SHORT.TXT")
        let report = try FolderImage.extract(
            try ImageFileStore(path: scratch["image"], isReadOnly: true), to: scratch["out"])
        #expect(report.written == ["sub/Long Name.txt"])
        #expect(try scratch.text("out/sub/Long Name.txt") == "two")
    }

    // MARK: - Refusals

    @Test("lists every file that FAT cannot hold")
    func badNames() throws {
        let bad = [
            "a:b", "what?", "star*", "a|b", "lt<", "gt>", "quote\"", "back\\slash", "dot.", "space ", "new\nline",
        ]
        for name in bad + ["fine", "Case", "CASE"] { try scratch.write("", to: "src/\(name)") }
        let error = setupError { _ = try build() }
        #expect(error?.kind == .unsupported)
        for name in bad { #expect(error?.message.contains("\(name): ") == true, "\(name)") }
        #expect(error?.message.contains("Case: but for upper and lower case it is the same as CASE") == true)
        #expect(error?.message.contains("fine") == false)
        #expect(try scratch.names() == ["src"])
    }

    @Test("refuses files of 4 GiB, takes the largest below")
    func largeFiles() throws {
        try scratch.write("", to: "src/large")
        unsafe truncate(scratch["src/large"], 1 << 32)
        let error = setupError { _ = try build() }
        #expect(error?.message.contains("large: 4294967296 bytes; a file on FAT has at most 4294967295") == true)
    }

    @Test("leaves links out of the folder and special files alone, follows links to files inside")
    func links() throws {
        try scratch.write("secret", to: "secret")
        try scratch.write("inside", to: "src/file")
        scratch.makeFolder("src/folder")
        for (link, target) in [
            ("in", "file"), ("out", "../secret"), ("dangling", "nowhere"), ("loop", "loop"), ("up", ".."),
            ("dir", "folder"),
        ] { unsafe symlink(target, scratch["src/\(link)"]) }
        unsafe mkfifo(scratch["src/pipe"], 0o600)
        let built = try build()
        #expect(
            built.warnings.map { String($0.prefix { $0 != ":" }) } == ["dangling", "dir", "loop", "out", "pipe", "up"])
        _ = try FolderImage.extract(built.store, to: scratch["copy"])
        #expect(try scratch.names(in: "copy") == ["file", "folder", "in"])
        #expect(try scratch.text("copy/in") == "inside")
    }

    @Test("a size that is too small names the one that is needed, and that one does")
    func tooSmall() throws {
        for number in 0..<20 { try scratch.write(randomBytes(1, seed: 1), to: "src/\(number)") }
        try scratch.write(randomBytes(5 << 20, seed: 1), to: "src/big")
        let error = setupError { _ = try build(size: 4 << 20) }
        #expect(error?.kind == .wrongSize)
        let needed = error?.message.split(separator: " ").compactMap { UInt64($0) }.last
        #expect(needed != nil)
        let built = try build(size: needed)
        try dump(built.store, to: "image")
        try checkFileSystem("image")
        #expect(built.store.byteCount < 7 << 20)
        #expect(try scratch.names() == ["image", "src"])
    }

    @Test("bad sizes, labels and folders")
    func badArguments() throws {
        #expect(setupError { _ = try build(size: 1000) }?.kind == .wrongSize)
        #expect(setupError { _ = try build(size: 2 << 40) }?.message.contains("2 TiB") == true)
        #expect(setupError { _ = try build(blockSize: 513) }?.kind == .unsupported)
        #expect(setupError { _ = try build(label: "twelve chars") }?.kind == .unsupported)
        #expect(setupError { _ = try build(label: "a/b") }?.kind == .unsupported)
        #expect(setupError { _ = try FolderImage.build(from: scratch["none"]) }?.kind == .notFound)
        try scratch.write("", to: "file")
        #expect(setupError { _ = try FolderImage.build(from: scratch["file"]) }?.kind == .unsupported)
        #expect(setupError { _ = try FolderImage.blank(size: 512, temporaryFolder: scratch.path) }?.kind == .toolFailed)
        #expect(try scratch.names() == ["file", "src"])
    }

    // MARK: - Empty file systems

    @Test(
        "formats drives of all sizes, sparsely",
        arguments: [
            (1 << 20, 512, "FAT12"), (64 << 20, 512, "FAT16"), (64 << 20, 4096, "FAT16"), (1 << 30, 4096, "FAT32"),
            (33 << 30, 512, "FAT32"),
        ])
    func formatting(size: UInt64, blockSize: Int, kind: String) throws {
        do {
            let store = try ImageFileStore(path: scratch["disk"], size: size)
            try FolderImage.format(store, label: "data", volumeID: 0x1234_ABCD, blockSize: blockSize)
            let boot = try store.bytes(at: 0, count: 512)
            #expect(String(decoding: boot, as: UTF8.self).contains(kind))
        }
        #expect(try scratch.room("disk") < 1 << 20)
        if size <= 1 << 30 { try checkFileSystem("disk") }
        #expect(try tool("mdir", "-i", scratch["disk"], "::/").contains("1234-ABCD"))
    }
}
