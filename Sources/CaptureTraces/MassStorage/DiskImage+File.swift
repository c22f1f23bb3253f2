internal import Glibc
public import USBCapture

extension DiskImage {
    /// Writes the disk to a file, in which unknown blocks are holes that read as zero.
    ///
    /// The file has the disk's size where the capture says it, else it ends with the last known block. It gets its name
    /// when it is whole; until then it is beside the target as `NAME.part-PID`, and goes when something fails.
    ///
    /// - Parameters:
    ///   - path: a file that does not exist yet.
    ///   - version: the state of the disk.
    ///   - overwriting: whether an existing regular file may be replaced.
    ///   - sparing: paths of files that are never replaced, such as the capture itself; `-` is standard input.
    /// - Returns: what was written, and which blocks are known, in lines of text.
    /// - Throws: ``CaptureError`` when the file exists, is to be spared or cannot be written, or the capture cannot be
    ///   read. What is wrong with the file begins with its path and a colon.
    @discardableResult
    public func write(
        to path: String, _ version: Version = .final, overwriting: Bool = false, sparing: [String] = []
    ) throws(CaptureError) -> String {
        let (size, overflow) = blocks(version).multipliedReportingOverflow(by: UInt64(blockSize))
        guard !overflow, let size = Int64(exactly: size) else {
            throw CaptureError(.excessive, "the disk has \(blocks(version)) blocks of \(blockSize) bytes: too many")
        }
        let target = try ImageTarget(path, overwriting: overwriting, sparing: sparing)
        let file = try target.create()
        defer { close(file) }
        do throws(CaptureError) {
            guard ftruncate(file, off_t(size)) == 0 else { throw target.failure("extended") }
            try writeBlocks(version, limit: UInt64(size), file: file, target)
            try target.finish()
        } catch {
            // Half a disk looks like one with holes.
            target.abandon()
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

    /// How many blocks the file has: those of the disk, or up to the last known one where the capture does not say.
    private func blocks(_ version: Version) -> UInt64 {
        blockCount ?? known(version).last?.upperBound ?? 0
    }

    private func writeBlocks(
        _ version: Version, limit: UInt64, file: Int32, _ target: ImageTarget
    ) throws(CaptureError) {
        let step = max(1, (1 << 20) / blockSize)
        var buffer = [UInt8](repeating: 0, count: step * blockSize)
        for range in known(version) {
            var block = range.lowerBound
            // Blocks beyond the capacity that the device claims are left out: the file has the disk's size.
            while block < range.upperBound, block < limit / UInt64(blockSize) {
                let left = min(range.upperBound, limit / UInt64(blockSize)) - block
                let count = Int(min(left, UInt64(step))) * blockSize
                var error: CaptureError?
                unsafe buffer.withUnsafeMutableBytes { memory in
                    let piece = unsafe UnsafeMutableRawBufferPointer(rebasing: memory[..<count])
                    do throws(CaptureError) {
                        _ = unsafe try copy(from: block, version, into: piece)
                        unsafe try write(
                            UnsafeRawBufferPointer(piece), at: Int64(block) * Int64(blockSize), file, target)
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
        _ bytes: UnsafeRawBufferPointer, at offset: Int64, _ file: Int32, _ target: ImageTarget
    ) throws(CaptureError) {
        var done = 0
        while done < bytes.count {
            let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[done...])
            let count = unsafe pwrite(file, rest.baseAddress, rest.count, off_t(offset + Int64(done)))
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw target.failure("written") }
            done += count
        }
    }
}
