import Glibc

/// A pattern's bytes from the start of a packet on, made once and lent to every transfer.
///
/// Made when first needed and in two sizes, since hundreds of devices that are only polled must not cost a MiB each.
@safe struct PatternMemory: ~Copyable {
    let pattern: TestPattern
    private let period: Int
    private(set) var bytes = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
    private var small = unsafe UnsafeMutableRawBufferPointer(start: nil, count: 0)
    private var large = unsafe UnsafeMutableRawBufferPointer(start: nil, count: 0)

    /// What most transfers need at most, in bytes.
    static var smallSize: Int { 16 << 10 }
    /// The most that is kept, in bytes; longer transfers are filled in place.
    static var largeSize: Int { 1 << 20 }

    /// Prepares a pattern that begins anew every `period` bytes.
    init(_ pattern: TestPattern, period: Int) {
        self.pattern = pattern
        self.period = max(1, min(period, 0xffff))
    }

    deinit {
        unsafe small.deallocate()
        unsafe large.deallocate()
    }

    /// Sees to it that ``bytes`` has `count` of them, or as many as are ever kept.
    ///
    /// What was lent before stays valid: a transfer may be submitted while the last one is being given back.
    mutating func grow(toHold count: Int) {
        if count <= Self.smallSize {
            if unsafe bytes.isEmpty {
                unsafe small = make(Self.smallSize)
                unsafe bytes = UnsafeRawBufferPointer(small)
            }
        } else if unsafe large.isEmpty {
            unsafe large = make(Self.largeSize)
            unsafe bytes = UnsafeRawBufferPointer(large)
        }
    }

    /// Whole periods, so that copies one after the other continue the pattern.
    private func make(_ size: Int) -> UnsafeMutableRawBufferPointer {
        let count = max(1, size / period) * period
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 64)
        for index in 0..<period { unsafe memory[index] = pattern.byte(at: index) }
        for start in stride(from: period, to: count, by: period) {
            unsafe UnsafeMutableRawBufferPointer(rebasing: memory[start..<start + period])
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: memory[..<period]))
        }
        return unsafe memory
    }

    /// Writes the pattern to memory of any length, beginning a packet.
    mutating func fill(_ target: UnsafeMutableRawBufferPointer) {
        grow(toHold: target.count)
        var filled = 0
        while filled < target.count {
            let count = unsafe min(bytes.count, target.count - filled)
            unsafe UnsafeMutableRawBufferPointer(rebasing: target[filled..<filled + count])
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<count]))
            filled += count
        }
    }

    /// Writes the pattern as ``fill(_:)`` does, with `number` in front; where it does not fit, as much as does.
    mutating func fill(_ target: UnsafeMutableRawBufferPointer, numbered number: UInt64) {
        unsafe fill(target)
        for index in 0..<min(8, target.count) {
            unsafe target[index] = UInt8(truncatingIfNeeded: number >> UInt64(8 * index))
        }
    }

    /// Whether bytes of any number, which begin a packet, are the pattern's.
    mutating func matches(_ received: UnsafeRawBufferPointer) -> Bool {
        grow(toHold: min(received.count, Self.smallSize))
        var checked = 0
        while checked < received.count, let start = received.baseAddress, let own = unsafe bytes.baseAddress {
            let count = unsafe min(bytes.count, received.count - checked)
            guard unsafe memcmp(start + checked, own, count) == 0 else { return false }
            checked += count
        }
        return true
    }
}
