/// One command on its way from CDB to status.
///
/// A value that a transport keeps while it moves the command's data, made by ``SCSITarget/begin(_:lun:)``. A task of
/// READ or WRITE needs no heap memory. Do not copy a task and go on with both: they would not know of each other.
public struct SCSITask: Sendable {
    /// What the command does with its data.
    enum Operation: UInt8 {
        /// No data; all was done, or failed, at the beginning.
        case none
        /// ``data`` goes to the host.
        case reply
        /// Blocks go to the host.
        case read
        /// Blocks come from the host, straight to the store.
        case write
        /// Blocks come from the host; each is read back and compared.
        case writeAndCompare
        /// Blocks come from the host, to be compared with the store.
        case compare
        /// One block comes from the host, to be compared with many.
        case compareOne
        /// One block, or none, comes from the host, to be written many times.
        case writeSame
        /// Twice the blocks come from the host: to be compared, then to be written.
        case compareAndWrite
        case unmap
        case modeSelect
    }

    /// The command.
    public let cdb: CDB
    /// The logical unit that it went to.
    public let lun: UInt8
    /// Which way the command's data go; ``SCSIDataDirection/none`` for one that failed at the beginning.
    public internal(set) var direction: SCSIDataDirection = .none
    /// How many bytes the command wants to move, 0 to 2^44; already cut to the CDB's allocation length.
    public internal(set) var length: UInt64 = 0
    /// How many of them were moved.
    public internal(set) var transferred: UInt64 = 0
    /// Why the command failed; nil as long as it did not.
    public internal(set) var sense: Sense?

    var operation = Operation.none
    /// Whether the status must wait for ``BlockStore/flush()``.
    var mustFlush = false
    /// The blocks are read back at the end (WRITE AND VERIFY without comparison).
    var mustReadBack = false
    /// Which medium the command was meant for; the unit counts its media.
    var medium: UInt32 = 0
    /// The first byte on the store.
    var start: UInt64 = 0
    /// How many bytes of the store are concerned, which is not always what is moved.
    var extent: UInt64 = 0
    /// The answer to the host, or what came from it and must be complete before it means something.
    var data: [UInt8] = []

    init(_ cdb: CDB, lun: UInt8) {
        self.cdb = cdb
        self.lun = lun
    }

    /// Whether the command failed already; what is left of its data will not be moved.
    public var isFailed: Bool { sense != nil }

    /// How many bytes the command still wants to move.
    public var remaining: UInt64 { length &- transferred }

    /// The part of a piece of `count` bytes that the command still wants.
    @inline(__always)
    func wanted(of count: Int) -> Int {
        Int(truncatingIfNeeded: min(UInt64(clamping: count), remaining))
    }
}
