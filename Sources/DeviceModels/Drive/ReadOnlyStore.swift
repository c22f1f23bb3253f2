import SCSITarget

/// A store behind a switch that is on: it can be read only.
final class ReadOnlyStore: BlockStore {
    private let inner: any BlockStore

    init(_ inner: any BlockStore) { self.inner = inner }

    var byteCount: UInt64 { inner.byteCount }
    var isReadOnly: Bool { true }
    var label: String { inner.label }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(StoreError) {
        unsafe try inner.read(into: buffer, at: offset)
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(StoreError) { throw refusal }
    func flush() throws(StoreError) { try inner.flush() }
    func discard(at offset: UInt64, count: UInt64) throws(StoreError) { throw refusal }
    func allocation(at offset: UInt64) -> (isAllocated: Bool, count: UInt64) { inner.allocation(at: offset) }

    func memory(at offset: UInt64, count: Int, writable: Bool) -> UnsafeMutableRawBufferPointer? {
        writable ? nil : unsafe inner.memory(at: offset, count: count, writable: false)
    }

    private var refusal: StoreError { StoreError(.readOnly, "\(label) is read-only") }
}
