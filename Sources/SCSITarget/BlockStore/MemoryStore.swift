internal import Glibc

/// A store in anonymous memory.
///
/// Pages cost nothing until they are written, so a store may be larger than the machine's memory; ``discard(at:count:)``
/// gives them back. Everything is lost with the object.
@safe public final class MemoryStore: BlockStore {
    /// What is told apart as allocated or not: the smallest logical block.
    private static let granule: UInt64 = 512
    /// Eight granules, which is one byte of the map.
    private static let page: UInt64 = 4_096

    /// The store's size in bytes.
    public let byteCount: UInt64
    /// False: memory can always be written.
    public var isReadOnly: Bool { false }
    /// `memory`.
    public var label: String { "memory" }

    private let memory: UnsafeMutableRawBufferPointer
    /// A bit per granule: whether it was written since it was last discarded; lazily committed, as ``memory``.
    private let map: UnsafeMutableRawBufferPointer

    /// Makes a store of zeros.
    ///
    /// - Parameter byteCount: the size in bytes, from 0 to what the address space holds.
    /// - Throws: ``StoreError`` (``StoreError/Kind/full``) when the system has no address space for that.
    public init(byteCount: UInt64) throws(StoreError) {
        self.byteCount = byteCount
        let memory = unsafe try Self.reserve(byteCount)
        do throws(StoreError) {
            unsafe map = try Self.reserve(byteCount / Self.page + 1)
        } catch {
            unsafe Self.release(memory)
            throw error
        }
        unsafe self.memory = unsafe memory
    }

    deinit {
        unsafe Self.release(memory)
        unsafe Self.release(map)
    }

    /// Copies the bytes at `offset`.
    public func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(StoreError) {
        let range = try range(offset, UInt64(buffer.count))
        unsafe buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: memory[range]))
    }

    /// Copies `bytes` to `offset`.
    public func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(StoreError) {
        let range = try range(offset, UInt64(bytes.count))
        unsafe UnsafeMutableRawBufferPointer(rebasing: memory[range]).copyMemory(from: bytes)
        markAllocated(range)
    }

    /// Does nothing: memory is as stable as this store gets.
    public func flush() {}

    /// Zeroes the bytes; whole pages go back to the system.
    public func discard(at offset: UInt64, count: UInt64) throws(StoreError) {
        let range = try range(offset, count)
        guard !range.isEmpty else { return }
        // Only whole granules change their state; a part of one is zeroed and stays allocated.
        let granule = Int(Self.granule)
        let atEnd = unsafe range.upperBound == memory.count
        let first = (range.lowerBound + granule - 1) / granule
        let last = (range.upperBound + (atEnd ? granule - 1 : 0)) / granule
        mark(first, last, allocated: false)

        // A page that became empty as a whole is dropped as a whole: what the range leaves of it is zero already.
        let page = Int(Self.page)
        var lower = range.lowerBound
        var upper = range.upperBound
        if unsafe map[lower / page] == 0 {
            lower -= lower % page
        }
        if unsafe map[(upper - 1) / page] == 0 {
            upper = unsafe min((upper + page - 1) / page * page, memory.count)
        }
        unsafe Self.zero(memory, lower..<upper)
    }

    /// Tells written memory from memory never written, or discarded, in units of 512 bytes.
    ///
    /// Looks about a gigabyte ahead, so that a question about an empty disk of terabytes is answered soon.
    public func allocation(at offset: UInt64) -> (isAllocated: Bool, count: UInt64) {
        guard offset < byteCount else { return (true, 1) }
        let first = Int(offset / Self.granule)
        let end = min(Int((byteCount - 1) / Self.granule) + 1, first + (1 << 21))
        let state = isAllocated(first)
        let uniform: UInt64 = state ? .max : 0
        var next = first + 1
        while next < end {
            if unsafe next % 8 == 0 && next + 64 <= end
                && map.loadUnaligned(fromByteOffset: next / 8, as: UInt64.self) == uniform
            {
                next += 64
            } else if isAllocated(next) == state {
                next += 1
            } else {
                break
            }
        }
        return (state, min(UInt64(next) * Self.granule, byteCount) - offset)
    }

    /// The store's memory; asking for it writable counts as writing it.
    public func memory(at offset: UInt64, count: Int, writable: Bool) -> UnsafeMutableRawBufferPointer? {
        guard count > 0, offset < byteCount else { return nil }
        let start = Int(offset)
        let range = unsafe start..<(start + min(count, memory.count - start))
        if writable {
            markAllocated(range)
        }
        return unsafe UnsafeMutableRawBufferPointer(rebasing: memory[range])
    }

    // MARK: - The map

    private func isAllocated(_ granule: Int) -> Bool {
        unsafe map[granule / 8] & (1 << UInt8(granule % 8)) != 0
    }

    private func markAllocated(_ range: Range<Int>) {
        guard !range.isEmpty else { return }
        let granule = Int(Self.granule)
        mark(range.lowerBound / granule, (range.upperBound + granule - 1) / granule, allocated: true)
    }

    /// Sets the state of granules: whole bytes of the map at once, and bit by bit what is left at both ends.
    private func mark(_ first: Int, _ end: Int, allocated: Bool) {
        let firstByte = (first + 7) / 8
        let endByte = end / 8
        guard firstByte < endByte else {
            for granule in first..<max(first, end) {
                markOne(granule, allocated)
            }
            return
        }
        for granule in first..<(firstByte * 8) {
            markOne(granule, allocated)
        }
        if allocated {
            unsafe UnsafeMutableRawBufferPointer(rebasing: map[firstByte..<endByte])
                .initializeMemory(as: UInt8.self, repeating: 0xFF)
        } else {
            unsafe Self.zero(map, firstByte..<endByte)
        }
        for granule in (endByte * 8)..<end {
            markOne(granule, allocated)
        }
    }

    private func markOne(_ granule: Int, _ allocated: Bool) {
        let bit: UInt8 = 1 << UInt8(granule % 8)
        if allocated {
            unsafe map[granule / 8] |= bit
        } else {
            unsafe map[granule / 8] &= ~bit
        }
    }

    private func range(_ offset: UInt64, _ count: UInt64) throws(StoreError) -> Range<Int> {
        guard offset <= byteCount, count <= byteCount - offset else {
            throw StoreError(.outOfRange, at: offset, "\(count) bytes at \(offset) lie outside \(byteCount) of memory")
        }
        return Int(offset)..<Int(offset + count)
    }

    // MARK: - The system

    private static func reserve(_ byteCount: UInt64) throws(StoreError) -> UnsafeMutableRawBufferPointer {
        guard byteCount > 0 else { return unsafe UnsafeMutableRawBufferPointer(start: nil, count: 0) }
        guard let size = Int(exactly: byteCount) else {
            throw StoreError(.full, "\(byteCount) bytes are more than an address space holds")
        }
        let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
        let address = unsafe mmap(nil, size, PROT_READ | PROT_WRITE, flags, -1, 0)
        guard let address = unsafe address, unsafe address != MAP_FAILED else {
            throw StoreError(.full, "no address space for \(byteCount) bytes of memory (system error \(errno))")
        }
        return unsafe UnsafeMutableRawBufferPointer(start: address, count: size)
    }

    /// Zeroes bytes of a reserved memory; its whole pages go back to the system.
    private static func zero(_ memory: UnsafeMutableRawBufferPointer, _ range: Range<Int>) {
        guard let base = memory.baseAddress else { return }
        let page = Int(Self.page)
        let first = (range.lowerBound + page - 1) / page * page
        // The mapping ends with a page, whatever the memory's size: the last one counts as whole.
        let end = range.upperBound == memory.count ? range.upperBound : range.upperBound / page * page
        // Locked memory cannot be dropped; it can be zeroed.
        guard first < end, unsafe madvise(base + first, end - first, MADV_DONTNEED) == 0 else {
            unsafe memset(base + range.lowerBound, 0, range.count)
            return
        }
        unsafe memset(base + range.lowerBound, 0, first - range.lowerBound)
        unsafe memset(base + end, 0, range.upperBound - end)
    }

    private static func release(_ memory: UnsafeMutableRawBufferPointer) {
        if let base = memory.baseAddress {
            _ = unsafe munmap(base, memory.count)
        }
    }
}
