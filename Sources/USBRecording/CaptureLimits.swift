/// How much memory a capture may take.
public struct CaptureLimits: Hashable, Sendable {
    /// Bytes of a block, at least 4096: what is written at once when there is much to write.
    public var blockSize: Int
    /// Blocks, at least 4: what a file may lag behind.
    public var blockCount: Int
    /// Bytes that records which are larger than a block may take at once.
    public var largeBytes: Int
    /// Milliseconds after which what there is is written, however little.
    public var flushTime: Int32 = 200
    /// Milliseconds for which the end waits for a file that takes nothing.
    public var patience: Int32 = 10_000

    /// Makes limits; too small ones are raised.
    public init(blockSize: Int = 2 << 20, blockCount: Int = 16, largeBytes: Int = 256 << 20) {
        self.blockSize = max(4096, blockSize)
        self.blockCount = max(4, blockCount)
        self.largeBytes = max(0, largeBytes)
    }

    /// Why records are dropped.
    static let why = "the file could not be written as fast as they came"
}
