import Glibc
import Testing
import USBCapture
import USBCore

@testable import CaptureTraces

@Suite("The disk of a capture")
struct DiskImageTests {
    private let capacity: [UInt8] = [0, 0, 0, 99, 0, 0, 2, 0]

    private func block(_ value: UInt8) -> [UInt8] { [UInt8](repeating: value, count: 512) }

    /// Reads and writes in some order.
    private func script() -> Script {
        var script = Script()
        script.storage([0x25] + [UInt8](repeating: 0, count: 9), tag: 1, in: [capacity])
        script.storage(Samples.blocks(0x28, 10, 2), tag: 2, in: [block(1), block(2)])
        script.storage(Samples.blocks(0x2a, 11, 2), tag: 3, out: [block(3) + block(4)])
        script.storage(Samples.blocks(0x28, 12, 2), tag: 4, in: [block(4) + block(5)])
        return script
    }

    @Test("has at the end what was written last, and at the beginning what was read before")
    func versions() throws {
        let image = try DiskImage(script().trace())
        #expect(image.blockSize == 512)
        #expect(image.blockCount == 100)
        #expect(image.known(.initial) == [10..<12, 13..<14])
        #expect(image.known(.final) == [10..<14])
        #expect(try (9...14).map { try image.block($0, .final)?.first } == [nil, 1, 3, 4, 5, nil])
        #expect(try (10...13).map { try image.block($0, .initial)?.first } == [1, 2, nil, 5])
        #expect(image.knownCount(.final) == 4)
        #expect(image.describe(.initial).contains("3 blocks are known: 10-11, 13\n"))
    }

    @Test("knows a block that came in several transfers, of which only whole blocks count")
    func pieces() throws {
        var script = Script()
        let bytes = (0..<1536).map { UInt8(truncatingIfNeeded: $0 / 5) }
        script.storage(
            Samples.blocks(0x28, 0, 3), tag: 1,
            in: [[UInt8](bytes[0..<100]), [UInt8](bytes[100..<700]), [UInt8](bytes[700..<1536])])
        // The capture lost the end of the second transfer: 88 bytes of block 1, and block 1 alone.
        var event = script.events[5].event
        event.dataCount = 512
        event.isCut = true
        script.events[5] = (event, [UInt8](script.events[5].data.prefix(512)))
        let image = try DiskImage(script.trace())
        #expect(image.known(.final) == [0..<1, 2..<3])
        #expect(try image.block(0, .final) == [UInt8](bytes[0..<512]))
        #expect(try image.block(2, .final) == [UInt8](bytes[1024..<1536]))
    }

    @Test("does not take what failed, or what the status calls residue")
    func doubtful() throws {
        var script = Script()
        script.storage(Samples.blocks(0x28, 0, 1), tag: 1, in: [block(1)], status: 1)
        script.storage(Samples.blocks(0x28, 1, 2), tag: 2, in: [block(1), block(2)], residue: 512)
        script.storage(Samples.blocks(0x28, 3, 1), tag: 3, in: [block(9)], status: nil)
        #expect(try DiskImage(script.trace()).known(.final) == [1..<2, 3..<4])
    }

    @Test("is that of one logical unit")
    func units() throws {
        var script = Script()
        script.storage(Samples.blocks(0x28, 0, 1), tag: 1, in: [block(1)])
        script.storage(Samples.blocks(0x28, 7, 1), tag: 2, in: [block(2)], lun: 1)
        let trace = try script.trace()
        #expect(try DiskImage(trace).known(.final) == [0..<1])
        #expect(try DiskImage(trace, lun: 1).known(.final) == [7..<8])
    }

    @Test("reads commands of every length")
    func commands() {
        let all: [([UInt8], UInt64, UInt64, Bool)] = [
            ([0x08, 0xe1, 2, 3, 0, 0], 0x1_0203, 256, false), ([0x0a, 0, 0, 3, 4, 0], 3, 4, true),
            (Samples.blocks(0x28, 0x0102_0304, 0x0506), 0x0102_0304, 0x0506, false),
            ([0xaa, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0], 1, 0x1_0000, true),
            ([0x88, 0, 1, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0], 0x0100_0000_0000_0002, 3, false),
        ]
        for (cdb, first, count, isWrite) in all {
            let range = BlockRange(cdb)
            #expect(range?.first == first)
            #expect(range?.count == count)
            #expect(range?.isWrite == isWrite)
            #expect(BlockRange([UInt8](cdb.prefix(4))) == nil)
        }
        #expect(BlockRange([0x12, 0, 0, 0, 36, 0]) == nil)
    }

    @Test("does not end where numbers do")
    func overflow() throws {
        var script = Script()
        let last: [UInt8] = [0x88, 0] + [UInt8](repeating: 0xff, count: 8) + [0xff, 0xff, 0xff, 0xff, 0, 0]
        script.storage(last, tag: 1, in: [block(1), block(2)])
        let trace = try script.trace()
        #expect(try DiskImage(trace).known(.final) == [])
        #expect(try DiskImage(trace).block(.max, .final) == nil)
    }

    @Test("lays operations over each other as one block after another would", arguments: 1...8)
    func model(seed: UInt64) {
        var dice = Dice(seed: seed)
        var operations: [DiskImage.Operation] = []
        var first: [UInt64: Int] = [:]
        var last: [UInt64: Int] = [:]
        for number in 0..<200 {
            let begin = dice.next() % 300
            let end = begin + 1 + dice.next() % 40
            operations.append(.init(begin: begin, end: end, stream: 0, pieces: 0..<0, isWrite: false))
            for block in begin..<end {
                last[block] = number
                if first[block] == nil { first[block] = number }
            }
        }
        for (isFirst, model) in [(true, first), (false, last)] {
            var found: [UInt64: Int] = [:]
            var end: UInt64 = 0
            for extent in DiskImage.Extent.winners(operations, first: isFirst) {
                #expect(extent.begin >= end && extent.end > extent.begin)
                end = extent.end
                for block in extent.begin..<extent.end { found[block] = extent.operation }
            }
            #expect(found == model)
        }
    }

    @Test("is written as a sparse file, and over nothing that exists")
    func file() throws {
        let path = Scratch.path("image")
        defer { unsafe unlink(path) }
        let image = try DiskImage(script().trace())
        let text = try image.write(to: path)
        #expect(text.contains("4 blocks are known: 10-13"))
        let bytes = Scratch.read(path)
        #expect(bytes.count == 51_200)
        #expect([10, 11, 12, 13].map { bytes[$0 * 512] } == [1, 3, 4, 5])
        #expect(bytes[..<5120].allSatisfy { $0 == 0 })
        #expect(throws: CaptureError.self) { try image.write(to: path) }
        try image.write(to: path, .initial, overwriting: true)
        #expect([10, 11, 12, 13].map { Scratch.read(path)[$0 * 512] } == [1, 2, 0, 5])
        #expect(throws: CaptureError.self) { try image.write(to: "/dev/null", overwriting: true) }
    }

    /// What a call throws, in words.
    private func reason(_ body: () throws -> Void) -> String? {
        #expect(throws: CaptureError.self, performing: body)?.reason
    }

    @Test("never replaces what it is made of")
    func spared() throws {
        let capture = Scratch.path("capture")
        let alias = Scratch.path("alias")
        defer { for path in [capture, alias] { unsafe unlink(path) } }
        Scratch.write([1, 2, 3], to: capture)
        #expect(unsafe link(capture, alias) == 0)
        let image = try DiskImage(script().trace())
        for path in [capture, alias] {
            let reason = reason { try image.write(to: path, overwriting: true, sparing: ["/none", "-", capture]) }
            #expect(reason == "\(path): the image is made of this file; name another one")
        }
        #expect(Scratch.read(capture) == [1, 2, 3])
    }

    @Test("leaves the old file where the new one cannot be made, and nothing beside it")
    func oldFile() throws {
        let folder = Scratch.path("folder")
        let path = folder + "/disk.img"
        #expect(unsafe mkdir(folder, 0o700) == 0)
        defer {
            unsafe unlink(path)
            // Fails where anything else is left.
            #expect(unsafe rmdir(folder) == 0)
        }
        Scratch.write([1, 2, 3], to: path)
        let huge: [UInt8] = [0x00, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe, 0, 0, 2, 0]
        var large = Script()
        large.storage([0x9e, 0x10] + [UInt8](repeating: 0, count: 14), tag: 1, in: [huge])
        let image = try DiskImage(large.trace())
        #expect(reason { try image.write(to: path, overwriting: true) }?.hasPrefix("\(path): it cannot be ") == true)
        #expect(Scratch.read(path) == [1, 2, 3])

        // A capture that has lost its data.
        let broken = Self.withoutData(try script().trace())
        #expect(throws: CaptureError.self) { try DiskImage(broken.trace, commands: broken.commands).write(to: path) }
        #expect(throws: CaptureError.self) {
            try DiskImage(broken.trace, commands: broken.commands).write(to: path, overwriting: true)
        }
        #expect(Scratch.read(path) == [1, 2, 3])
        unsafe unlink(path)
        #expect(throws: CaptureError.self) { try DiskImage(broken.trace, commands: broken.commands).write(to: path) }
        #expect(unsafe access(path, F_OK) != 0)
    }

    /// A trace whose commands name data that the file does not have.
    private static func withoutData(_ trace: Trace) -> (trace: Trace, commands: [MassStorageCommand]) {
        var commands = (try? BulkOnlyReader.commands(of: trace)) ?? []
        for index in commands.indices where commands[index].opcode != 0x25 {
            commands[index].data = commands[index].data.map { .init(place: 1 << 60, count: $0.count) }
        }
        return (trace, commands)
    }

    @Test("replaces a file behind a symbolic link, and keeps its permissions")
    func linked() throws {
        let (path, link) = (Scratch.path("target"), Scratch.path("link"))
        defer { for path in [path, link] { unsafe unlink(path) } }
        Scratch.write([1], to: path)
        #expect(unsafe chmod(path, 0o600) == 0)
        #expect(unsafe symlink(path, link) == 0)
        let image = try DiskImage(script().trace())
        #expect(reason { try image.write(to: link) } == "\(link): it exists already; name a file that does not")
        try image.write(to: link, overwriting: true)
        var status = stat()
        #expect(unsafe lstat(path, &status) == 0)
        #expect(status.st_mode == S_IFREG | 0o600)
        #expect(status.st_size == 51_200)
        #expect(unsafe lstat(link, &status) == 0)
        #expect(status.st_mode & S_IFMT == S_IFLNK)
    }

    @Test("does not believe in blocks of a few bytes", arguments: [1, 127, 128, 1 << 20, 1 << 20 + 1] as [UInt32])
    func blockSizes(size: UInt32) throws {
        var script = Script()
        script.storage(
            [0x25] + [UInt8](repeating: 0, count: 9), tag: 1, in: [[0, 0, 0, 99] + Samples.little(size).reversed()])
        let image = try DiskImage(script.trace())
        let isBelieved = (128...1 << 20).contains(size)
        #expect(image.blockSize == (isBelieved ? Int(size) : 512))
        #expect(image.blockCount == (isBelieved ? 100 : nil))
    }

    @Test("leaves no file behind that is not whole")
    func half() throws {
        let path = Scratch.path("half")
        var script = Script()
        // More blocks than any file can have bytes.
        let huge: [UInt8] = [0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe, 0, 0, 2, 0]
        script.storage([0x9e, 0x10] + [UInt8](repeating: 0, count: 14), tag: 1, in: [huge])
        let image = try DiskImage(script.trace())
        #expect(image.blockCount == 0x7fff_ffff_ffff_ffff)
        #expect(throws: CaptureError.self) { try image.write(to: path) }
        script.storage(
            [0x9e, 0x10] + [UInt8](repeating: 0, count: 14), tag: 1, in: [[0, 0x1f] + huge[2...]])
        let large = try DiskImage(script.trace())
        #expect(throws: CaptureError.self) { try large.write(to: path) }
        #expect(unsafe access(path, F_OK) != 0)
    }

    @Test("needs mass-storage commands")
    func none() throws {
        var script = Script()
        script.output(1, [1, 2, 3])
        let trace = try script.trace()
        #expect(throws: CaptureError.self) { try DiskImage(trace) }
    }

    @Test("of the real capture begins with a boot sector", .enabled(if: Captures.isThere, Captures.reason))
    func real() throws {
        let (trace, _) = try TraceLoader.loadOne(
            path: Captures.path("bluepill-msc-linux.pcapng"), choice: .parse("1209:db42"), descriptors: nil)
        let image = try DiskImage(trace)
        #expect(image.blockCount == 8000)
        #expect(image.reads == 43)
        #expect(image.writes == 2)
        #expect(try image.block(0, .initial)?.suffix(2) == [0x55, 0xaa])
    }
}
