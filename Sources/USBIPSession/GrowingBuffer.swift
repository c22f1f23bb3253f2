import Glibc

/// Memory that is kept from use to use and only ever grows, up to a size worth keeping.
///
/// Fresh memory of a megabyte costs a page fault for every 4 KiB of it, as much as the copy that fills it.
@safe struct GrowingBuffer: ~Copyable {
    /// Memory that is larger than this is not kept: one huge transfer must not cost its memory for good.
    private static let worthKeeping = 2 << 20
    private var memory: UnsafeMutableRawPointer?
    private var capacity = 0

    init() {}

    deinit { unsafe free(memory) }

    /// At least `count` bytes, whose contents mean nothing.
    mutating func bytes(_ count: Int) -> UnsafeMutableRawPointer {
        if let memory = unsafe memory, count <= capacity, capacity <= max(count, Self.worthKeeping) {
            return unsafe memory
        }
        unsafe free(memory)
        // In steps, so that slightly different sizes share one memory.
        capacity = max(64 << 10, (count + 0xffff) & ~0xffff)
        let fresh = unsafe allocateBytes(capacity)
        unsafe memory = fresh
        return unsafe fresh
    }

    /// Gives the memory away when `address` is its start and it is not much larger than `count` bytes; else nil.
    ///
    /// What the device keeps is limited by the bytes that the host sent, so it must not cost many times as much.
    mutating func detach(holding address: UnsafeRawPointer, _ count: Int) -> UnsafeMutableRawPointer? {
        guard let memory = unsafe memory, unsafe UnsafeRawPointer(memory) == address, capacity / 2 <= count else {
            return nil
        }
        unsafe self.memory = nil
        capacity = 0
        return unsafe memory
    }
}

/// Memory from `malloc`, which the caller frees.
///
/// Running out ends the process: the sizes asked for are bounded by the session's limits, and Linux overcommits.
func allocateBytes(_ count: Int) -> UnsafeMutableRawPointer {
    guard let memory = unsafe malloc(max(count, 1)) else {
        preconditionFailure("no memory for \(count) bytes of a transfer")
    }
    return unsafe memory
}
