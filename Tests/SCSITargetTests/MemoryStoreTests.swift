import Testing

@testable import SCSITarget

@Suite("Memory store")
struct MemoryStoreTests {
    private func write(_ store: MemoryStore, _ bytes: [UInt8], at offset: UInt64) throws {
        try unsafe bytes.withUnsafeBytes { try unsafe store.write($0, at: offset) }
    }

    private func read(_ store: MemoryStore, _ count: Int, at offset: UInt64) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0xEE, count: count)
        try unsafe bytes.withUnsafeMutableBytes { try unsafe store.read(into: $0, at: offset) }
        return bytes
    }

    @Test("of no bytes at all")
    func empty() throws {
        let store = try MemoryStore(byteCount: 0)
        #expect(try read(store, 0, at: 0) == [])
        #expect(unsafe store.memory(at: 0, count: 1, writable: true) == nil)
        try store.discard(at: 0, count: 0)
        #expect(throws: StoreError.self) { try read(store, 1, at: 0) }
    }

    @Test("of terabytes, of which little is used")
    func huge() throws {
        let store = try MemoryStore(byteCount: 16 << 40)
        try write(store, [1, 2, 3], at: (16 << 40) - 3)
        #expect(try read(store, 4, at: (16 << 40) - 4) == [0, 1, 2, 3])
        try store.discard(at: 0, count: 16 << 40)
        #expect(try read(store, 3, at: (16 << 40) - 3) == [0, 0, 0])
    }

    @Test("larger than an address space is refused")
    func impossible() {
        #expect(throws: StoreError.self) { try MemoryStore(byteCount: .max) }
        #expect(throws: StoreError.self) { try MemoryStore(byteCount: 1 << 60) }
    }

    @Test(
        "refuses what lies outside",
        arguments: [(1_000, 1), (999, 2), (.max, 1), (0, 1_001), (1_001, 0)] as [(UInt64, Int)])
    func outside(offset: UInt64, count: Int) throws {
        let store = try MemoryStore(byteCount: 1_000)
        #expect(throws: StoreError.self) { try read(store, count, at: offset) }
        #expect(throws: StoreError.self) { try write(store, [UInt8](repeating: 1, count: count), at: offset) }
        #expect(throws: StoreError.self) { try store.discard(at: offset, count: UInt64(count)) }
    }

    @Test("gives its memory, less where it ends, and counts it as written when it may be")
    func memory() throws {
        let store = try MemoryStore(byteCount: 10_000)
        let reading = unsafe try #require(unsafe store.memory(at: 9_000, count: 5_000, writable: false))
        #expect(reading.count == 1_000)
        #expect(store.allocation(at: 0) == (false, 10_000))
        let writing = unsafe try #require(unsafe store.memory(at: 1_000, count: 24, writable: true))
        unsafe writing[0] = 7
        #expect(try read(store, 1, at: 1_000) == [7])
        #expect(store.allocation(at: 0) == (false, 512))
        #expect(store.allocation(at: 600) == (true, 424))
        #expect(store.allocation(at: 1_024) == (false, 8_976))
    }

    @Test(
        "behaves like an array of bytes and a set of sectors, whatever is done to it",
        arguments: 1...8 as ClosedRange<UInt64>)
    func model(seed: UInt64) throws {
        let size = 40_000 + Int(seed) * 37
        let store = try MemoryStore(byteCount: UInt64(size))
        var bytes = [UInt8](repeating: 0, count: size)
        var allocated = [Bool](repeating: false, count: size / 512 + 1)
        var generator = Xorshift(seed: seed)
        for step in 0..<400 {
            let start = Int.random(in: 0..<size, using: &generator)
            let end = min(size, start + Int.random(in: 0...9_000, using: &generator))
            if Bool.random(using: &generator) {
                let data = noise(end - start, seed: seed &+ UInt64(step))
                try write(store, data, at: UInt64(start))
                bytes.replaceSubrange(start..<end, with: data)
                for sector in 0..<allocated.count where start < end && sector * 512 < end && sector * 512 + 512 > start
                {
                    allocated[sector] = true
                }
            } else {
                try store.discard(at: UInt64(start), count: UInt64(end - start))
                bytes.replaceSubrange(start..<end, with: [UInt8](repeating: 0, count: end - start))
                for sector in 0..<allocated.count
                where start < end && sector * 512 >= start && min(sector * 512 + 512, size) <= end {
                    allocated[sector] = false
                }
            }
            let place = Int.random(in: 0..<size, using: &generator)
            let (state, count) = store.allocation(at: UInt64(place))
            let same = allocated[(place / 512)...].prefix { $0 == state }.count
            #expect(state == allocated[place / 512], "seed \(seed), step \(step)")
            #expect(Int(count) == min((place / 512 + same) * 512, size) - place, "seed \(seed), step \(step)")
        }
        #expect(try read(store, size, at: 0) == bytes)
    }
}
