import SCSITarget

/// Several stores, one after the other, as one: what has grown.
///
/// Nothing is copied when a store grows: bytes stay where they are, and with them memory that was lent for a transfer
/// that is still going on.
final class JoinedStore: BlockStore {
    private struct Part {
        let start: UInt64
        let store: any BlockStore
        var end: UInt64 { start &+ store.byteCount }
    }

    /// In order, without gaps; at least one.
    private let parts: [Part]
    let byteCount: UInt64
    let isReadOnly: Bool
    let label: String

    /// Appends `second`; the sizes together are at most 2⁶⁴ − 1, which their makers see to.
    init(_ first: any BlockStore, _ second: any BlockStore) {
        let before = (first as? JoinedStore)?.parts ?? [Part(start: 0, store: first)]
        parts = before + [Part(start: first.byteCount, store: second)]
        byteCount = first.byteCount &+ second.byteCount
        isReadOnly = first.isReadOnly
        label = first.label
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(StoreError) {
        try checkRange(offset, UInt64(buffer.count))
        var done = 0
        while done < buffer.count {
            let (store, place, count) = piece(at: offset &+ UInt64(done), upTo: UInt64(buffer.count - done))
            let next = done + Int(count)
            do throws(StoreError) {
                unsafe try store.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[done..<next]), at: place)
            } catch { throw moved(error, by: offset &+ UInt64(done) &- place) }
            done = next
        }
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(StoreError) {
        try checkRange(offset, UInt64(bytes.count))
        var done = 0
        while done < bytes.count {
            let (store, place, count) = piece(at: offset &+ UInt64(done), upTo: UInt64(bytes.count - done))
            let next = done + Int(count)
            do throws(StoreError) {
                unsafe try store.write(UnsafeRawBufferPointer(rebasing: bytes[done..<next]), at: place)
            } catch { throw moved(error, by: offset &+ UInt64(done) &- place) }
            done = next
        }
    }

    func flush() throws(StoreError) {
        for part in parts { try part.store.flush() }
    }

    func discard(at offset: UInt64, count: UInt64) throws(StoreError) {
        try checkRange(offset, count)
        var done: UInt64 = 0
        while done < count {
            let (store, place, length) = piece(at: offset &+ done, upTo: count &- done)
            do throws(StoreError) {
                try store.discard(at: place, count: length)
            } catch { throw moved(error, by: offset &+ done &- place) }
            done &+= length
        }
    }

    func allocation(at offset: UInt64) -> (isAllocated: Bool, count: UInt64) {
        guard offset < byteCount else { return (true, 1) }
        let (store, place, _) = piece(at: offset, upTo: 1)
        return store.allocation(at: place)
    }

    func memory(at offset: UInt64, count: Int, writable: Bool) -> UnsafeMutableRawBufferPointer? {
        guard count > 0, offset < byteCount else { return nil }
        let (store, place, length) = piece(at: offset, upTo: UInt64(count))
        return unsafe store.memory(at: place, count: Int(length), writable: writable)
    }

    /// Which part an offset below ``byteCount`` lies in, where in it, and how much of `limit` does.
    private func piece(at offset: UInt64, upTo limit: UInt64) -> (any BlockStore, place: UInt64, count: UInt64) {
        // The first has most of what is used, and there are few.
        let part = parts.first { offset < $0.end } ?? parts[parts.count - 1]
        let place = offset &- part.start
        return (part.store, place, min(limit, part.end &- offset))
    }

    private func moved(_ error: StoreError, by distance: UInt64) -> StoreError {
        StoreError(error.kind, at: error.offset.map { $0 &+ distance }, error.message)
    }

    private func checkRange(_ offset: UInt64, _ count: UInt64) throws(StoreError) {
        guard offset <= byteCount, count <= byteCount &- offset else {
            throw StoreError(.outOfRange, at: offset, "\(label): \(count) bytes at \(offset) lie outside \(byteCount)")
        }
    }
}
