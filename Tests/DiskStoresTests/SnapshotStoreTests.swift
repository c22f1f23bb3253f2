import Glibc
import SCSITarget
import Testing

@testable import DiskStores

@Suite("A snapshot over a base")
struct SnapshotStoreTests {
    private let scratch = Scratch()
    // Not a multiple of the chunk size: the last chunk is short.
    private let size = 10 * SnapshotStore.chunkSize + 1536

    private func makeBase() throws -> (store: ImageFileStore, bytes: [UInt8]) {
        let bytes = randomBytes(size, seed: 42)
        try scratch.write(bytes, to: "base")
        return (try ImageFileStore(path: scratch["base"], isReadOnly: true), bytes)
    }

    @Test("behaves as an array would, and leaves the base alone", arguments: [false, true])
    func model(isKept: Bool) throws {
        let (base, original) = try makeBase()
        var snapshot =
            try isKept ? SnapshotStore(of: base, keptAt: scratch["delta"]) : SnapshotStore(of: base)
        var model = original
        var generator = SeededGenerator(state: 7)
        for step in 0..<600 {
            let offset = Int.random(in: 0..<size, using: &generator)
            let longest = Bool.random(using: &generator) ? 3 * SnapshotStore.chunkSize : 2000
            let count = min(Int.random(in: 0...longest, using: &generator), size - offset)
            switch Int.random(in: 0..<10, using: &generator) {
            case 0..<4:
                let bytes = [UInt8](repeating: UInt8(step & 0xFF), count: count)
                try snapshot.write(bytes, at: UInt64(offset))
                model.replaceSubrange(offset..<offset + count, with: bytes)
            case 4:
                try snapshot.discard(at: UInt64(offset), count: UInt64(count))
                model.replaceSubrange(offset..<offset + count, with: [UInt8](repeating: 0, count: count))
            case 5 where isKept:
                try snapshot.flush()
                // Only one store may have the delta open.
                snapshot = SnapshotStore(of: base)
                snapshot = try SnapshotStore(of: base, keptAt: scratch["delta"])
            default:
                #expect(try snapshot.bytes(at: UInt64(offset), count: count) == Array(model[offset..<offset + count]))
            }
            let extent = snapshot.allocation(at: UInt64(offset))
            #expect(extent.count >= 1 && extent.count <= UInt64(size - offset))
            if !extent.isAllocated {
                #expect(model[offset..<offset + Int(extent.count)].allSatisfy { $0 == 0 })
            }
            if let memory = unsafe snapshot.memory(at: UInt64(offset), count: 100, writable: true) {
                #expect(unsafe Array(memory) == Array(model[offset..<offset + memory.count]))
            }
        }
        #expect(try snapshot.bytes(at: 0, count: size) == model)
        #expect(try scratch.read("base") == original)
        #expect(kind { try snapshot.write([1, 2], at: UInt64(size) - 1) } == .outOfRange)
    }

    @Test("memory is bounded, and given back by a discard")
    func memoryLimit() throws {
        let (base, _) = try makeBase()
        let snapshot = SnapshotStore(of: base, memoryLimit: UInt64(2 * SnapshotStore.chunkSize))
        let chunk = UInt64(SnapshotStore.chunkSize)
        try snapshot.write([1], at: 0)
        try snapshot.write([1], at: chunk)
        #expect(kind { try snapshot.write([1], at: 2 * chunk) } == .full)
        try snapshot.write([2], at: 5)
        try snapshot.discard(at: 0, count: chunk)
        try snapshot.write([3], at: 2 * chunk)
        #expect(try snapshot.bytes(at: 0, count: 6) == [0, 0, 0, 0, 0, 0])
    }

    @Test("a kept snapshot has only what was flushed, and is sparse")
    func kept() throws {
        let base = try ImageFileStore(path: scratch["huge"], size: 5 << 40)
        do {
            let snapshot = try SnapshotStore(of: base, keptAt: scratch["delta"])
            try snapshot.write([1, 2, 3], at: (5 << 40) - 3)
            try snapshot.flush()
            try snapshot.write([9], at: 0)
            let error = setupError { _ = try SnapshotStore(of: base, keptAt: scratch["delta"]) }
            #expect(error?.kind == .inUse)
        }
        let snapshot = try SnapshotStore(of: base, keptAt: scratch["delta"])
        #expect(try snapshot.bytes(at: (5 << 40) - 4, count: 4) == [0, 1, 2, 3])
        #expect(try snapshot.bytes(at: 0, count: 1) == [0])
        #expect(try scratch.room("delta") < 1 << 20)
    }

    @Test("the map is written only after the data are durable")
    func order() throws {
        let (base, bytes) = try makeBase()
        do {
            // The first flush is the one that makes the file.
            let calls = ScriptedCalls([.take(0), .fail(EIO)])
            let snapshot = try SnapshotStore(of: base, keptAt: scratch["delta"], calls: calls.flushes)
            try snapshot.write([UInt8](repeating: 1, count: 512), at: 0)
            #expect(kind { try snapshot.flush() } == .unwritable)
            #expect(kind { try snapshot.flush() } == .unwritable)
            #expect(calls.count == 2)
        }
        let snapshot = try SnapshotStore(of: base, keptAt: scratch["delta"])
        #expect(try snapshot.bytes(at: 0, count: 512) == Array(bytes[..<512]))
    }

    @Test("refuses a delta of another base, a damaged one, and what is none")
    func refusals() throws {
        let (base, _) = try makeBase()
        func error(_ base: any BlockStore, acceptsTouched: Bool = false) -> DiskStoreError? {
            setupError {
                _ = try SnapshotStore(of: base, keptAt: scratch["delta"], acceptsTouchedBase: acceptsTouched)
            }
        }
        #expect(error(base) == nil)
        let good = try scratch.read("delta")

        try scratch.write(randomBytes(9000, seed: 3), to: "delta")
        #expect(error(base)?.message.contains("is not a kept snapshot") == true)
        try scratch.write([1, 2, 3], to: "delta")
        #expect(error(base)?.kind == .malformed)
        try scratch.write([UInt8](repeating: 0, count: good.count), to: "delta")
        #expect(error(base)?.message.contains("interrupted") == true)
        try scratch.write(Array(good.dropLast()), to: "delta")
        #expect(error(base)?.message.contains("was cut") == true)
        for (offset, text) in [
            (9, "version"), (20, "damaged header"), (4096, "damaged map"), (4096 + 100, "damaged map"),
        ] {
            var bad = good
            bad[offset] ^= 0x03
            try scratch.write(bad, to: "delta")
            #expect(error(base)?.message.contains(text) == true, "byte \(offset)")
        }
        try scratch.write(good, to: "delta")
        let other = try ImageFileStore(path: scratch["other"], size: 4096)
        #expect(error(other)?.kind == .wrongBase)
        #expect(error(base) == nil)
        _ = unsafe utimensat(
            AT_FDCWD, scratch["base"], [timespec(tv_sec: 1, tv_nsec: 2), timespec(tv_sec: 1, tv_nsec: 2)], 0)
        let touched = try ImageFileStore(path: scratch["base"], isReadOnly: true)
        #expect(error(touched)?.message.contains("has changed") == true)
        #expect(error(touched, acceptsTouched: true) == nil)
    }

    @Test("a base that cannot be read fails the write that needs it, and nothing is half written")
    func failingBase() throws {
        let (_, bytes) = try makeBase()
        let base = try ImageFileStore(
            path: scratch["base"], isReadOnly: true, calls: ScriptedCalls([.fail(EIO)]).reads)
        let snapshot = SnapshotStore(of: base)
        #expect(kind { try snapshot.write([1], at: 100) } == .unreadable)
        #expect(try snapshot.bytes(at: 0, count: 200) == Array(bytes[..<200]))
    }
}
