/// Where a disk's bytes live.
///
/// A store is a flat array of bytes with a fixed size. It knows nothing of blocks, commands or USB. It is used by one
/// logical unit at a time, from one thread at a time, and may block: the unit's connection waits for it, nobody else.
///
/// Every operation takes byte offsets that the caller has already checked against ``byteCount``; a store checks them
/// again, because an image file can shrink under it, and throws instead of trapping.
public protocol BlockStore: AnyObject {
    /// The store's size in bytes. It does not change.
    var byteCount: UInt64 { get }

    /// Whether the store refuses ``write(_:at:)`` and ``discard(at:count:)``.
    var isReadOnly: Bool { get }

    /// What backs the store, for people: `memory`, `image /path/disk.img`.
    var label: String { get }

    /// Fills `buffer` with the bytes at `offset`.
    ///
    /// - Throws: ``StoreError`` when not every byte could be read; the buffer's contents are then undefined.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(StoreError)

    /// Stores `bytes` at `offset`. They are durable only after ``flush()``.
    ///
    /// - Throws: ``StoreError`` when not every byte could be stored.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(StoreError)

    /// Returns once everything written before is on stable storage.
    ///
    /// - Throws: ``StoreError`` when that cannot be promised.
    func flush() throws(StoreError)

    /// Makes `count` bytes at `offset` read as zero, and gives their room back where the store can.
    ///
    /// - Throws: ``StoreError`` when the bytes may still read as something else.
    func discard(at offset: UInt64, count: UInt64) throws(StoreError)

    /// Tells whether the byte at `offset` occupies room, and how many bytes from there share that answer.
    ///
    /// The count is at least 1 and does not pass the store's end. A store that cannot tell answers that all is
    /// allocated.
    func allocation(at offset: UInt64) -> (isAllocated: Bool, count: UInt64)

    /// The store's own memory at `offset`, or nil where the bytes are not in memory.
    ///
    /// The fast path: data go to the socket from here, or come from the socket straight to here, without a copy. The
    /// memory is valid until the store is next asked for anything that may move it, and at least until the caller's
    /// current call returns to its executor. Fewer than `count` bytes may be returned, never more.
    ///
    /// - Parameter writable: whether the caller is going to change the bytes; a store that must notice writes, or is
    ///   read-only, answers nil.
    func memory(at offset: UInt64, count: Int, writable: Bool) -> UnsafeMutableRawBufferPointer?
}

/// What went wrong with a store.
public struct StoreError: Error, Hashable, Sendable {
    /// What a host must be told; decides the sense data.
    public enum Kind: Hashable, Sendable {
        /// The bytes cannot be read.
        case unreadable
        /// The bytes cannot be written, or not made durable.
        case unwritable
        /// There is no room left where the store lives.
        case full
        /// The store does not take writes.
        case readOnly
        /// The offsets lie outside the store.
        case outOfRange
    }

    /// What a host must be told.
    public let kind: Kind
    /// The offset of the first byte that failed, where it is known.
    public let offset: UInt64?
    /// What happened, for the log: what, where, and the system's words.
    public let message: String

    /// Makes an error.
    public init(_ kind: Kind, at offset: UInt64? = nil, _ message: String) {
        self.kind = kind
        self.offset = offset
        self.message = message
    }
}

extension StoreError: CustomStringConvertible {
    /// The message.
    public var description: String { message }
}
