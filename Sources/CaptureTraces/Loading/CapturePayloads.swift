internal import Glibc
internal import USBCapture

/// The data of a capture's transfers: in its file where they are there in one piece, else set aside.
///
/// What is set aside is kept in memory up to a limit, and from there on in a file without a name, which goes with this
/// object.
final class CapturePayloads: PayloadReader {
    /// Marks a place in what was set aside.
    private static let aside = Int64.min
    private let source: any EventSource
    private let memoryLimit: Int
    private var memory: [UInt8] = []
    private var file: Int32 = -1
    private var fileCount: Int64 = 0
    /// Why data could not be set aside.
    private(set) var failure: CaptureError?

    /// Makes a store for the data of a source's events.
    init(_ source: any EventSource, memoryLimit: Int = 64 << 20) {
        self.source = source
        self.memoryLimit = memoryLimit
    }

    deinit {
        if file >= 0 { close(file) }
    }

    /// Remembers the data of the event that the source gave last.
    func reference(_ event: CapturedEvent) -> PayloadReference {
        guard event.dataCount > 0 else { return .none }
        if let offset = event.dataOffset, offset >= 0 {
            return PayloadReference(place: offset, count: UInt32(clamping: event.dataCount))
        }
        return source.withData { setAside($0) }
    }

    private func setAside(_ data: RawSpan) -> PayloadReference {
        guard failure == nil, data.byteCount > 0, data.byteCount <= Int(UInt32.max) else { return .none }
        let count = UInt32(data.byteCount)
        return unsafe data.withUnsafeBytes { bytes in
            // All that follows goes where the first that had no room went, so that places stay in order.
            if fileCount == 0, memory.count + bytes.count <= memoryLimit {
                let place = Int64(memory.count)
                unsafe memory.append(contentsOf: bytes)
                return PayloadReference(place: place | Self.aside, count: count)
            }
            let place = Int64(memory.count) + fileCount
            guard unsafe write(bytes) else { return .none }
            return PayloadReference(place: place | Self.aside, count: count)
        }
    }

    private func write(_ bytes: UnsafeRawBufferPointer) -> Bool {
        if file < 0 { file = Self.openNameless() }
        guard file >= 0 else { return fail() }
        var done = 0
        while done < bytes.count {
            let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[done...])
            let count = unsafe pwrite(file, rest.baseAddress, rest.count, off_t(fileCount + Int64(done)))
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return fail() }
            done += count
        }
        fileCount += Int64(bytes.count)
        return true
    }

    private func fail() -> Bool {
        let reason = unsafe String(cString: strerror(errno))
        failure = CaptureError(
            .unreadable,
            "the capture's data cannot be set aside in a temporary file: \(reason). Set TMPDIR to a folder with room")
        return false
    }

    private static func openNameless() -> Int32 {
        var folder = "/tmp"
        if let chosen = unsafe getenv("TMPDIR"), unsafe chosen.pointee != 0 { folder = unsafe String(cString: chosen) }
        // O_TMPFILE, which Glibc shows to GNU programs only.
        let nameless = unsafe open(folder, 0o20000000 | O_DIRECTORY | O_RDWR | O_CLOEXEC, 0o600)
        if nameless >= 0 { return nameless }
        // A file system that has no nameless files gets one whose name goes at once.
        var template = [CChar]((folder + "/ghostplug-XXXXXX").utf8CString)
        return unsafe template.withUnsafeMutableBufferPointer { name in
            guard let name = name.baseAddress else { return -1 }
            let file = unsafe mkstemp(name)
            guard file >= 0 else { return -1 }
            _ = fcntl(file, F_SETFD, FD_CLOEXEC)
            _ = unsafe unlink(name)
            return file
        }
    }

    func copy(_ reference: PayloadReference, from start: Int, into memory: UnsafeMutableRawBufferPointer)
        throws(CaptureError)
    {
        guard start >= 0, start <= Int(reference.count), memory.count <= Int(reference.count) - start else {
            throw CaptureError(.damaged, "there are only \(reference.count) bytes of data")
        }
        guard memory.count > 0 else { return }
        if reference.place >= 0 {
            unsafe try source.read(at: reference.place &+ Int64(start), into: memory)
            return
        }
        let place = (reference.place & Int64.max) &+ Int64(start)
        if place < Int64(self.memory.count) {
            guard place + Int64(memory.count) <= Int64(self.memory.count) else {
                throw CaptureError(.damaged, "data that were set aside are not whole")
            }
            unsafe self.memory.withUnsafeBytes { bytes in
                let from = Int(place)
                unsafe memory.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[from..<from + memory.count]))
            }
            return
        }
        var done = 0
        while done < memory.count {
            let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: memory[done...])
            let from = place - Int64(self.memory.count) + Int64(done)
            let count = unsafe pread(file, rest.baseAddress, rest.count, off_t(from))
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw CaptureError(.unreadable, "data that were set aside cannot be read back") }
            done += count
        }
    }
}
