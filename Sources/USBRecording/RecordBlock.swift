import Glibc
import Synchronization

/// A piece of memory that records are encoded into, and that is written to the file in one go.
///
/// `@unchecked Sendable`: its state belongs to the ``RecordBuffer`` until it is full, and then to the thread that writes
/// it, which waits for those who are still encoding into it.
@safe final class RecordBlock: @unchecked Sendable {
    let memory: UnsafeMutableRawPointer
    let capacity: Int
    /// Whether it was made for one record that no other block has room for.
    let isLarge: Bool
    /// Bytes that records have.
    var fill = 0
    /// Records in it; not what else a file needs.
    var records: UInt64 = 0
    /// Interfaces that are declared in it.
    var interfaces = 0
    /// Records that somebody is encoding at the moment.
    private let pending = Atomic(0)

    init(capacity: Int, isLarge: Bool = false) {
        unsafe memory = .allocate(byteCount: capacity, alignment: 64)
        self.capacity = capacity
        self.isLarge = isLarge
    }

    deinit { unsafe memory.deallocate() }

    /// Gives bytes to somebody who encodes a record into them, and says so with ``finish()``.
    func take(_ count: Int) -> UnsafeMutableRawPointer {
        pending.wrappingAdd(1, ordering: .relaxed)
        defer { fill += count }
        return unsafe memory + fill
    }

    /// A record has been encoded.
    func finish() { pending.wrappingSubtract(1, ordering: .releasing) }

    /// Waits until all records are there: a copy in memory, unless its thread was put aside.
    func waitUntilWhole() { while pending.load(ordering: .acquiring) > 0 { usleep(50) } }
}
