import Glibc
import SCSITarget
import Testing

@testable import DiskStores

@Suite("Copying files out of an image")
struct FolderExtractTests {
    private let scratch = Scratch()

    init() throws {
        scratch.makeFolder("src")
        scratch.makeFolder("src/sub")
        try scratch.write("keep", to: "src/keep.txt")
        try scratch.write("change", to: "src/change.txt")
        try scratch.write("delete", to: "src/sub/delete.txt")
    }

    /// Builds the folder's image, lets mtools play the client on it, and opens it again.
    private func edited(_ commands: [[String]]) throws -> (store: ImageFileStore, manifest: FolderManifest) {
        let built = try FolderImage.build(from: scratch["src"], size: 4 << 20, temporaryFolder: scratch.path)
        try scratch.write(try built.store.bytes(at: 0, count: Int(built.store.byteCount)), to: "image")
        for command in commands {
            let outcome = try #require(
                try Subprocess.run([command[0], "-i", scratch["image"]] + command.dropFirst()))
            #expect(outcome.succeeded, "\(outcome.output)")
        }
        return (try ImageFileStore(path: scratch["image"]), built.manifest)
    }

    @Test("additions, changes and deletions arrive; the user's own files stay")
    func syncBack() throws {
        try scratch.write("CHANGED", to: "new")
        let (store, manifest) = try edited([
            ["mcopy", "-o", scratch["new"], "::/change.txt"], ["mcopy", scratch["new"], "::/added file.txt"],
            ["mdel", "::/sub/delete.txt"],
        ])
        try scratch.write("mine", to: "src/sub/mine.txt")
        let report = try FolderImage.extract(store, to: scratch["src"], original: manifest)
        #expect(report.written.sorted() == ["added file.txt", "change.txt"])
        #expect(report.removed == ["sub/delete.txt"])
        #expect(report.unchanged == 1)
        #expect(report.problems == [])
        #expect(try scratch.text("src/change.txt") == "CHANGED")
        #expect(try scratch.text("src/added file.txt") == "CHANGED")
        #expect(try scratch.names(in: "src") == ["added file.txt", "change.txt", "keep.txt", "sub"])
        #expect(try scratch.names(in: "src/sub") == ["mine.txt"])
    }

    @Test("what the user changed meanwhile is not lost")
    func conflict() throws {
        try scratch.write("client's", to: "new")
        let (store, manifest) = try edited([
            ["mcopy", "-o", scratch["new"], "::/change.txt"], ["mdel", "::/sub/delete.txt"],
        ])
        for name in ["change.txt", "keep.txt", "sub/delete.txt"] {
            try scratch.write("user's longer", to: "src/\(name)")
        }
        let report = try FolderImage.extract(store, to: scratch["src"], original: manifest)
        #expect(report.written == ["change.txt.from-drive"])
        #expect(report.removed == [])
        for name in ["change.txt", "keep.txt", "sub/delete.txt"] {
            #expect(try scratch.text("src/\(name)") == "user's longer")
        }
        #expect(try scratch.text("src/change.txt.from-drive") == "client's")
    }

    @Test("without the original nothing is removed")
    func noManifest() throws {
        let (store, _) = try edited([["mdel", "::/keep.txt"]])
        #expect(try FolderImage.extract(store, to: scratch["src"]).removed == [])
        #expect(scratch.exists("src/keep.txt"))
    }

    @Test("links in the target are not followed")
    func links() throws {
        let (store, _) = try edited([])
        scratch.makeFolder("out")
        scratch.makeFolder("outside")
        try scratch.write("precious", to: "precious")
        unsafe symlink("../outside", scratch["out/sub"])
        unsafe symlink("../precious", scratch["out/keep.txt"])
        scratch.makeFolder("out/change.txt")
        let report = try FolderImage.extract(store, to: scratch["out"])
        #expect(report.problems.count == 2)
        #expect(report.written == ["keep.txt"])
        #expect(try scratch.names(in: "outside") == [])
        #expect(try scratch.text("precious") == "precious")
        #expect(try scratch.text("out/keep.txt") == "keep")
    }

    @Test("names that are no file names stay in the image", arguments: ["../x", "/xx/", "..", ".", "a\u{0}b", "a\nb"])
    func hostileNames(name: String) throws {
        let (store, manifest) = try edited([])
        // The folder entry of KEEP~1.TXT gets a long name that says something else.
        let long = FATName.longEntries(for: "keep.txt", short: Array("KEEP~1  TXT".utf8))
        let image = try scratch.read("image")
        let place = try #require(Self.find(long, in: image))
        try store.write(FATName.longEntries(for: name, short: Array("KEEP~1  TXT".utf8)), at: UInt64(place))
        let report = try FolderImage.extract(store, to: scratch["out"], original: manifest)
        #expect(
            report.written.sorted()
                == (name == "a\u{0}b" ? ["a", "change.txt", "sub/delete.txt"] : ["change.txt", "sub/delete.txt"]))
        #expect(report.problems.count == (name == "a\u{0}b" ? 0 : 1))
        #expect(report.removed == [])
        #expect(!scratch.exists("x"))
    }

    private static func find(_ needle: [UInt8], in bytes: [UInt8]) -> Int? {
        stride(from: 0, to: bytes.count - needle.count, by: 32).first { bytes[$0..<$0 + needle.count] == needle[...] }
    }

    @Test("a folder that contains itself ends")
    func loop() throws {
        let (store, _) = try edited([])
        let volume = try FATVolume(on: store)
        let sub = try #require(try volume.entries(of: volume.root).first { $0.isFolder })
        let image = try scratch.read("image")
        // The file in the folder becomes a folder: the folder itself.
        let place = try #require(Self.find(Array("DELETE~1TXT".utf8), in: image))
        try store.write([0x10], at: UInt64(place) + 11)
        try store.write([UInt8(sub.firstCluster & 0xFF), UInt8(sub.firstCluster >> 8)], at: UInt64(place) + 26)
        let report = try FolderImage.extract(store, to: scratch["out"])
        #expect(report.problems.count == 1)
        #expect(try scratch.names(in: "out/sub") == [])
    }

    @Test("files larger than the disk, and chains that end early, are left out")
    func lyingSizes() throws {
        let (store, _) = try edited([])
        let image = try scratch.read("image")
        let place = try #require(Self.find(Array("KEEP~1  TXT".utf8), in: image))
        try store.write([0xFF, 0xFF, 0xFF, 0xFF], at: UInt64(place) + 28)
        let other = try #require(Self.find(Array("CHANGE~1TXT".utf8), in: image))
        try store.write([0, 0, 1, 0], at: UInt64(other) + 28)
        let report = try FolderImage.extract(store, to: scratch["out"])
        #expect(report.problems.count == 2)
        #expect(report.written == ["sub/delete.txt"])
        #expect(try scratch.names(in: "out") == ["sub"])
    }

    @Test("garbage anywhere in the image neither traps nor escapes", arguments: 0..<60 as Range<UInt64>)
    func garbage(seed: UInt64) throws {
        let (store, manifest) = try edited([])
        var generator = SeededGenerator(state: seed)
        let volume = try FATVolume(on: store)
        // Aim where it matters: the boot sector, the table, the folders.
        let areas = [
            0..<64, volume.tableStart..<volume.tableStart + 64, volume.rootStart..<volume.rootStart + 400,
            volume.dataStart..<volume.dataStart + 2048,
        ]
        for _ in 0..<Int.random(in: 1...12, using: &generator) {
            let area = areas[Int.random(in: 0..<4, using: &generator)]
            try store.write(
                [UInt8.random(in: 0...255, using: &generator)], at: UInt64.random(in: area, using: &generator))
        }
        // Whatever it says, only the target may have changed.
        _ = try? FolderImage.extract(store, to: scratch["out"], original: manifest)
        #expect(try scratch.names().filter { $0 != "out" } == ["image", "src"])
        #expect(try scratch.text("src/keep.txt") == "keep")
    }

    @Test("folders that share a chain cannot be read for ever")
    func sharedFolders() throws {
        let (store, _) = try edited([])
        let volume = try FATVolume(on: store)
        let sub = try #require(try volume.entries(of: volume.root).first { $0.isFolder })
        let limit = Int(store.byteCount) / volume.clusterSize
        #expect(
            kind { for _ in 0...limit { _ = try volume.entries(of: .cluster(sub.firstCluster)) } } == .unreadable)
    }

    @Test("zeros come out as holes")
    func holes() throws {
        unsafe truncate(scratch["src/keep.txt"], 3 << 20)
        let built = try FolderImage.build(from: scratch["src"], size: 8 << 20, temporaryFolder: scratch.path)
        _ = try FolderImage.extract(built.store, to: scratch["out"])
        #expect(try scratch.read("out/keep.txt") == scratch.read("src/keep.txt"))
        #expect(try scratch.room("out/keep.txt") <= 1 << 20)
    }

    @Test("a disk without FAT, or too small for one, is said to be so")
    func noFileSystem() throws {
        let store = try ImageFileStore(path: scratch["disk"], size: 1 << 20)
        #expect(setupError { _ = try FolderImage.extract(store, to: scratch["out"]) }?.kind == .malformed)
        let tiny = try ImageFileStore(path: scratch["tiny"], size: 100)
        #expect(setupError { _ = try FolderImage.extract(tiny, to: scratch["out"]) }?.kind == .malformed)
        #expect(!scratch.exists("out"))
    }

    @Test("an image that was not unmounted is read, and said to be unclean")
    func unclean() throws {
        let (store, _) = try edited([])
        let volume = try FATVolume(on: store)
        #expect(volume.width == .fat16)
        var entry = try store.bytes(at: volume.tableStart + 2, count: 2)
        entry[1] &= 0x7F
        try store.write(entry, at: volume.tableStart + 2)
        let report = try FolderImage.extract(store, to: scratch["out"])
        #expect(report.problems.count == 1)
        #expect(report.problems.first?.contains("not unmounted cleanly") == true)
        #expect(report.written.count == 3)
    }

    @Test("a snapshot's files come out like an image's")
    func fromSnapshot() throws {
        let (base, _) = try edited([])
        let snapshot = SnapshotStore(of: base)
        let place = try #require(
            Self.find(Array("keep".utf8) + [UInt8](repeating: 0, count: 28), in: try scratch.read("image")))
        try snapshot.write(Array("KEPT".utf8), at: UInt64(place))
        _ = try FolderImage.extract(snapshot, to: scratch["out"])
        #expect(try scratch.text("out/keep.txt") == "KEPT")
    }
}
