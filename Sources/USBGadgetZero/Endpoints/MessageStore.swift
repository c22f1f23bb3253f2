/// Messages that wait, first in, first out, in memory that grows on demand and is bounded.
struct MessageStore {
    private let capacity: Int
    /// A ring whose size is a power of two.
    private var ring: [UInt8] = []
    private var start = 0
    private var byteCount = 0
    /// What is left of each message; the first `fetched` are gone.
    private var lengths: [Int] = []
    private var fetched = 0

    /// The most messages kept: empty ones need no room, but are not free, either.
    static let maximumCount = 4_096

    /// Makes a store for up to `capacity` bytes.
    init(capacity: Int) { self.capacity = capacity }

    /// What is left of the oldest message, in bytes; nil when there is none.
    var firstLength: Int? { fetched < lengths.count ? lengths[fetched] : nil }

    /// Whether a message of `count` bytes can be kept now.
    func hasRoom(for count: Int) -> Bool {
        count <= capacity - byteCount && lengths.count - fetched < Self.maximumCount
    }

    /// Keeps a message that there is room for.
    mutating func append(_ message: UnsafeRawBufferPointer) {
        reserve(byteCount + message.count)
        let count = message.count
        lengths.append(count)
        guard count > 0 else { return }
        let end = (start + byteCount) & (ring.count - 1)
        let first = min(count, ring.count - end)
        unsafe ring.withUnsafeMutableBytes { ring in
            unsafe UnsafeMutableRawBufferPointer(rebasing: ring[end..<end + first])
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: message[..<first]))
            unsafe ring.copyMemory(from: UnsafeRawBufferPointer(rebasing: message[first...]))
        }
        byteCount += count
    }

    /// Fills `target` with the next bytes of the oldest message, which has as many, and forgets it when it ends.
    mutating func take(into target: UnsafeMutableRawBufferPointer) {
        guard let length = firstLength, target.count <= length else { return }
        let count = target.count
        if count > 0 {
            unsafe copyFirst(into: target)
            start = (start + count) & (ring.count - 1)
            byteCount -= count
        }
        lengths[fetched] -= count
        if lengths[fetched] == 0 { forgetFirst() }
    }

    private mutating func forgetFirst() {
        fetched += 1
        // Moving the rest up now and then costs less than doing so each time.
        if fetched == lengths.count || fetched >= 1_024 {
            lengths.removeFirst(fetched)
            fetched = 0
        }
    }

    /// Forgets everything.
    mutating func removeAll() {
        (start, byteCount, fetched) = (0, 0, 0)
        lengths.removeAll(keepingCapacity: true)
    }

    private mutating func reserve(_ count: Int) {
        guard count > ring.count else { return }
        var size = max(ring.count, 1_024)
        while size < count { size *= 2 }
        var larger = [UInt8](repeating: 0, count: size)
        if byteCount > 0 {
            unsafe larger.withUnsafeMutableBytes { unsafe copyFirst(into: .init(rebasing: $0[..<byteCount])) }
        }
        ring = larger
        start = 0
    }

    /// Copies the oldest bytes, of which there are as many.
    private func copyFirst(into target: UnsafeMutableRawBufferPointer) {
        let first = min(target.count, ring.count - start)
        unsafe ring.withUnsafeBytes { ring in
            unsafe target.copyMemory(from: UnsafeRawBufferPointer(rebasing: ring[start..<start + first]))
            unsafe UnsafeMutableRawBufferPointer(rebasing: target[first...])
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: ring[..<(target.count - first)]))
        }
    }
}
