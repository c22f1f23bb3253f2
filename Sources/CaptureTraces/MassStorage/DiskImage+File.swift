internal import Glibc
public import USBCapture

extension DiskImage {
    /// Writes the disk to a file, in which unknown blocks are holes that read as zero.
    ///
    /// The file has the disk's size where the capture says it, else it ends with the last known block.
    ///
    /// - Parameters:
    ///   - path: a file that does not exist yet.
    ///   - version: the state of the disk.
    ///   - overwriting: whether an existing regular file may be replaced.
    /// - Returns: what was written, and which blocks are known, in lines of text.
    /// - Throws: ``CaptureError`` when the file exists, cannot be written or the capture cannot be read.
    @discardableResult
    public func write(
        to path: String, _ version: Version = .final, overwriting: Bool = false
    ) throws(CaptureError) -> String {
        let (size, overflow) = blocks(version).multipliedReportingOverflow(by: UInt64(blockSize))
        guard !overflow, let size = Int64(exactly: size) else {
            throw CaptureError(.excessive, "the disk has \(blocks(version)) blocks of \(blockSize) bytes: too many")
        }
        let flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY | (overwriting ? 0 : O_EXCL)
        let file = unsafe open(path, flags, 0o644)
        guard file >= 0 else {
            if errno == EEXIST {
                throw CaptureError(.unreadable, "\(path) exists already; name a file that does not, or remove it first")
            }
            throw failure("create", path)
        }
        defer { close(file) }
        var status = stat()
        guard unsafe fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw CaptureError(.unreadable, "\(path) is not a regular file")
        }
        do throws(CaptureError) {
            guard ftruncate(file, 0) == 0, ftruncate(file, off_t(size)) == 0 else { throw failure("extend", path) }
            try writeBlocks(version, limit: UInt64(size), file: file, path)
        } catch {
            // Half a disk looks like one with holes.
            if !overwriting { _ = unsafe unlink(path) }
            throw error
        }
        return describe(version)
    }

    /// What is known of the disk, in lines of text.
    public func describe(_ version: Version) -> String {
        let ranges = known(version)
        var text =
            blockCount.map { "\($0) blocks of \(blockSize) bytes" } ?? "unknown size, blocks of \(blockSize) bytes"
        text += "; \(reads) reads and \(writes) writes\n"
        let count = knownCount(version)
        guard count > 0 else { return text + "no block is known\n" }
        text += "\(count) blocks are known: "
        let shown = ranges.prefix(64).map { range in
            range.upperBound - range.lowerBound == 1
                ? "\(range.lowerBound)" : "\(range.lowerBound)-\(range.upperBound - 1)"
        }
        text += shown.joined(separator: ", ")
        if ranges.count > shown.count { text += " and \(ranges.count - shown.count) more ranges" }
        return text + "\n"
    }

    /// How many blocks the file has: those of the disk, and any known one beyond.
    private func blocks(_ version: Version) -> UInt64 {
        blockCount ?? known(version).last?.upperBound ?? 0
    }

    private func writeBlocks(
        _ version: Version, limit: UInt64, file: Int32, _ path: String
    ) throws(CaptureError) {
        let step = max(1, (1 << 20) / blockSize)
        var buffer = [UInt8](repeating: 0, count: step * blockSize)
        for range in known(version) {
            var block = range.lowerBound
            // A capture can have blocks beyond the capacity that the device claims; the file has the disk's size.
            while block < range.upperBound, block < limit / UInt64(blockSize) {
                let left = min(range.upperBound, limit / UInt64(blockSize)) - block
                let count = Int(min(left, UInt64(step))) * blockSize
                var error: CaptureError?
                unsafe buffer.withUnsafeMutableBytes { memory in
                    let piece = unsafe UnsafeMutableRawBufferPointer(rebasing: memory[..<count])
                    do throws(CaptureError) {
                        _ = unsafe try copy(from: block, version, into: piece)
                        unsafe try write(
                            UnsafeRawBufferPointer(piece), at: Int64(block) * Int64(blockSize), file, path)
                    } catch let caught {
                        error = caught
                    }
                }
                if let error { throw error }
                block += UInt64(count / blockSize)
            }
        }
    }

    private func write(
        _ bytes: UnsafeRawBufferPointer, at offset: Int64, _ file: Int32, _ path: String
    ) throws(CaptureError) {
        var done = 0
        while done < bytes.count {
            let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[done...])
            let count = unsafe pwrite(file, rest.baseAddress, rest.count, off_t(offset + Int64(done)))
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failure("write", path) }
            done += count
        }
    }

    private func failure(_ verb: String, _ path: String) -> CaptureError {
        CaptureError(.unreadable, "cannot \(verb) \(path): \(unsafe String(cString: strerror(errno)))")
    }
}
