import Glibc
import SCSITarget
import Testing

@testable import DiskStores

@Suite("A store in an image file")
struct ImageFileStoreTests {
    private let scratch = Scratch()
    private var path: String { scratch["disk.img"] }

    private func store(size: UInt64? = 1 << 20, calls: FileCalls = .live) throws -> ImageFileStore {
        try ImageFileStore(path: path, size: size, calls: calls)
    }

    // MARK: - Opening

    @Test("makes a sparse file of the size asked for, more than 2 TiB too")
    func creation() throws {
        let size: UInt64 = 3 << 40
        let store = try store(size: size)
        #expect(store.byteCount == size)
        #expect(try scratch.room("disk.img") == 0)
        try store.write([1, 2, 3], at: size - 3)
        #expect(try store.bytes(at: size - 4, count: 4) == [0, 1, 2, 3])
        #expect(kind { try store.write([1, 2], at: size - 1) } == .outOfRange)
        #expect(kind { _ = try store.bytes(at: .max, count: 2) } == .outOfRange)
        #expect(store.label == "image \(path)")
    }

    @Test("takes the size of the file, grows it on request, never cuts it")
    func sizes() throws {
        try scratch.write([UInt8](repeating: 7, count: 3000), to: "disk.img")
        #expect(try store(size: nil).byteCount == 3000)
        #expect(try store(size: 4000).bytes(at: 2999, count: 2) == [7, 0])
        let error = setupError { _ = try store(size: 2000) }
        #expect(error?.kind == .wrongSize)
        #expect(error?.message.contains("has 4000 bytes, more than the size 2000") == true)
        #expect(try scratch.read("disk.img").count == 4000)
        #expect(setupError { _ = try ImageFileStore(path: path, size: 5000, isReadOnly: true) }?.kind == .wrongSize)
        #expect(setupError { _ = try store(size: 0) }?.kind == .wrongSize)
    }

    @Test("says what to do when there is nothing to open")
    func missing() throws {
        let error = setupError { _ = try store(size: nil) }
        #expect(error?.kind == .notFound)
        #expect(error?.message.contains("Give a size") == true)
        #expect(setupError { _ = try ImageFileStore(path: path, size: 10, isReadOnly: true) }?.kind == .notFound)
        #expect(!scratch.exists("disk.img"))
        #expect(setupError { _ = try ImageFileStore(path: scratch["no/disk.img"], size: 10) }?.kind == .notFound)
        try scratch.write("", to: "disk.img")
        #expect(setupError { _ = try store(size: nil) }?.message.contains("is empty") == true)
    }

    @Test("refuses what is not a regular file")
    func kinds() throws {
        #expect(setupError { _ = try ImageFileStore(path: scratch.path) } != nil)
        #expect(
            setupError { _ = try ImageFileStore(path: scratch.path, isReadOnly: true) }?.message.contains("dir=")
                == true)
        unsafe mkfifo(scratch["pipe"], 0o600)
        #expect(setupError { _ = try ImageFileStore(path: scratch["pipe"]) }?.kind == .unsupported)
    }

    @Test("says how to serve a file that may not be written")
    func notWritable() throws {
        // Not even root may open this one for writing.
        let path = "/sys/kernel/uevent_seqnum"
        let error = setupError { _ = try ImageFileStore(path: path) }
        #expect(error?.kind == .permissionDenied)
        #expect(error?.message.contains("use readonly=yes or snapshot") == true)
    }

    @Test("has one writer or many readers")
    func locking() throws {
        var writer: ImageFileStore? = try store()
        let error = setupError { _ = try store() }
        #expect(error?.kind == .inUse)
        #expect(error?.message.hasPrefix("\(path) is in use") == true)
        #expect(setupError { _ = try ImageFileStore(path: path, isReadOnly: true) }?.kind == .inUse)
        writer = nil
        #expect(writer == nil)
        let readers = try (0..<2).map { _ in try ImageFileStore(path: path, isReadOnly: true) }
        #expect(setupError { _ = try store() }?.kind == .inUse)
        #expect(readers.allSatisfy { $0.isReadOnly && kindOfWrite($0) == .readOnly })
    }

    private func kindOfWrite(_ store: ImageFileStore) -> StoreError.Kind? { kind { try store.write([1], at: 0) } }

    // MARK: - Bytes

    @Test("interrupted and partial calls are continued")
    func interruptions() throws {
        let bytes = randomBytes(5000, seed: 1)
        let writes = ScriptedCalls([.fail(EINTR), .take(1), .take(4000), .fail(EINTR)])
        do {
            let store = try store(calls: writes.writes)
            try store.write(bytes, at: 77)
            #expect(writes.count == 5)
        }
        let reads = ScriptedCalls([.fail(EINTR), .take(10), .take(100)])
        let store = try store(calls: reads.reads)
        #expect(try store.bytes(at: 77, count: 5000) == bytes)
        #expect(reads.count == 4)
    }

    @Test(
        "failed writes say why",
        arguments: [
            (ENOSPC, StoreError.Kind.full), (EDQUOT, .full), (EFBIG, .full), (EIO, .unwritable), (EROFS, .unwritable),
        ])
    func failedWrites(code: Int32, expected: StoreError.Kind) throws {
        let store = try store(calls: ScriptedCalls([.take(512), .fail(code)]).writes)
        do {
            try store.write([UInt8](repeating: 1, count: 1024), at: 4096)
            Issue.record("a short write was called a success")
        } catch {
            #expect(error.kind == expected)
            #expect(error.offset == 4608)
        }
    }

    @Test("a write that takes nothing is a failure, not a loop")
    func idleWrite() throws {
        let store = try store(calls: ScriptedCalls([.take(0)]).writes)
        #expect(kind { try store.write([1], at: 0) } == .unwritable)
    }

    @Test("failed reads are unreadable")
    func failedRead() throws {
        let store = try store(calls: ScriptedCalls([.take(100), .fail(EIO)]).reads)
        do {
            _ = try store.bytes(at: 1000, count: 200)
            Issue.record("a failed read was called a success")
        } catch let error as StoreError {
            #expect(error.kind == .unreadable)
            #expect(error.offset == 1100)
        }
    }

    @Test("a file that has shrunk is unreadable from where it ends")
    func shrunk() throws {
        let store = try store()
        unsafe truncate(path, 1500)
        #expect(try store.bytes(at: 1000, count: 500) == [UInt8](repeating: 0, count: 500))
        do {
            _ = try store.bytes(at: 1024, count: 1024)
            Issue.record("bytes that are not there were read")
        } catch let error as StoreError {
            #expect(error.kind == .unreadable)
            #expect(error.offset == 1500)
            #expect(error.message.contains("shorter"))
        }
    }

    @Test("once a flush has failed, nothing is promised again until the file is reopened")
    func failedFlush() throws {
        do {
            let store = try store(calls: ScriptedCalls([.fail(EINTR), .fail(EIO)]).flushes)
            try store.write([1], at: 0)
            #expect(kind { try store.flush() } == .unwritable)
            #expect(kind { try store.flush() } == .unwritable)
            #expect(kind { try store.write([1], at: 0) } == .unwritable)
            #expect(kind { try store.discard(at: 0, count: 512) } == .unwritable)
            #expect(try store.bytes(at: 0, count: 1) == [1])
        }
        let store = try store()
        try store.write([2], at: 0)
        try store.flush()
        let full = try ImageFileStore(
            path: scratch["other"], size: 10, calls: ScriptedCalls([.fail(ENOSPC)]).flushes)
        #expect(kind { try full.flush() } == .full)
    }

    // MARK: - Room

    @Test("discarding gives room back and leaves zeros")
    func discarding() throws {
        let store = try store()
        try store.write([UInt8](repeating: 9, count: 1 << 20), at: 0)
        try store.flush()
        try store.discard(at: 65536, count: 131072)
        #expect(try store.bytes(at: 65535, count: 2) == [9, 0])
        #expect(try store.bytes(at: 65536 + 131071, count: 2) == [0, 9])
        #expect(try scratch.room("disk.img") <= (1 << 20) - 131072 + 8192)
        #expect(store.allocation(at: 0) == (true, 65536))
        #expect(store.allocation(at: 65536) == (false, 131072))
        #expect(store.allocation(at: 196608) == (true, (1 << 20) - 196608))
        try store.discard(at: 1 << 20, count: 0)
        #expect(kind { try store.discard(at: 1 << 20, count: 1) } == .outOfRange)
    }

    @Test("where there are no holes, zeros are written", arguments: [EOPNOTSUPP, ENOSYS])
    func noHoles(code: Int32) throws {
        let calls = ScriptedCalls([.fail(code)])
        let store = try store(calls: calls.punches)
        try store.write([UInt8](repeating: 9, count: 1 << 20), at: 0)
        try store.discard(at: 1, count: (1 << 20) - 2)
        #expect(try store.bytes(at: 0, count: 1 << 20) == [9] + [UInt8](repeating: 0, count: (1 << 20) - 2) + [9])
        try store.discard(at: 0, count: 1)
        #expect(calls.count == 1)
    }

    @Test("a discard that fails is not called a success")
    func failedDiscard() throws {
        let store = try store(calls: ScriptedCalls([.fail(EINTR), .fail(EIO)]).punches)
        #expect(kind { try store.discard(at: 0, count: 4096) } == .unwritable)
    }
}
