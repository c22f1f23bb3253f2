import Glibc

/// Answers that a device gives while it is writing another: rare, but allowed, and so they must not touch that one.
///
/// Each has memory of its own until the answer that was being written is done.
@safe final class NestedAnswers {
    /// Whether there are none, as usual.
    private(set) var isEmpty = true
    private var frames: [UnsafeMutableRawBufferPointer] = unsafe []
    private var reservations: [UnsafeMutableRawPointer] = unsafe []

    init() {}

    deinit { release() }

    /// Memory for a device to write an answer to.
    func reserve(_ count: Int) -> UnsafeMutableRawPointer {
        let memory = unsafe allocateBytes(count)
        unsafe reservations.append(memory)
        isEmpty = false
        return unsafe memory
    }

    /// Memory for `count` bytes on their way out, after those asked for before.
    func room(_ count: Int) -> UnsafeMutableRawPointer {
        let memory = unsafe allocateBytes(count)
        unsafe frames.append(UnsafeMutableRawBufferPointer(start: memory, count: count))
        isEmpty = false
        return unsafe memory
    }

    /// Gives the bytes out in order, and frees all.
    func drain(_ body: (UnsafeRawBufferPointer) -> Void) {
        for index in unsafe frames.indices { unsafe body(UnsafeRawBufferPointer(frames[index])) }
        release()
        unsafe frames = []
        unsafe reservations = []
        isEmpty = true
    }

    private func release() {
        for index in unsafe frames.indices { unsafe free(frames[index].baseAddress) }
        for index in unsafe reservations.indices { unsafe free(reservations[index]) }
    }
}
