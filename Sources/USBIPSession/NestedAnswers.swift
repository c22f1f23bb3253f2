import Glibc

/// Answers that a device gives while it is writing another: rare, but allowed, and so they must not touch that one.
///
/// Each has memory of its own until the answer that was being written is done.
@safe struct NestedAnswers: ~Copyable {
    private var frames: [UnsafeMutableRawBufferPointer] = unsafe []
    private var reservations: [UnsafeMutableRawPointer] = unsafe []

    init() {}

    deinit { release() }

    var isEmpty: Bool { unsafe frames.isEmpty && reservations.isEmpty }

    /// Memory for a device to write an answer to.
    mutating func reserve(_ count: Int) -> UnsafeMutableRawPointer {
        let memory = unsafe allocateBytes(count)
        unsafe reservations.append(memory)
        return unsafe memory
    }

    /// Memory for `count` bytes on their way out, after those asked for before.
    mutating func room(_ count: Int) -> UnsafeMutableRawPointer {
        let memory = unsafe allocateBytes(count)
        unsafe frames.append(UnsafeMutableRawBufferPointer(start: memory, count: count))
        return unsafe memory
    }

    /// Gives the bytes out in order, and frees all.
    mutating func drain(_ body: (UnsafeRawBufferPointer) -> Void) {
        for index in unsafe frames.indices { unsafe body(UnsafeRawBufferPointer(frames[index])) }
        release()
        unsafe frames = []
        unsafe reservations = []
    }

    private func release() {
        for index in unsafe frames.indices { unsafe free(frames[index].baseAddress) }
        for index in unsafe reservations.indices { unsafe free(reservations[index]) }
    }
}
