import CaptureTraces
import CaptureTranscript
import CommandSupport
import USBCapture

/// Reads the devices of a capture of any bytes, their descriptors, transcripts and disks, and checks what was promised
/// of them.
///
/// Errors are no broken promise: they say what cannot be read.
struct TraceExercise {
    /// The most blocks of a range that are read.
    private static let most = 1000

    /// How many devices there were.
    private(set) var devices = 0
    /// How many entries their transcript had.
    private(set) var entries = 0

    /// - Throws: what is not as it was promised.
    @discardableResult
    init(_ bytes: [UInt8]) throws(BrokenPromise) {
        var broken: BrokenPromise?
        do throws(CaptureError) {
            broken = try read(bytes)
        } catch {
            _ = error.description
        }
        if let broken { throw broken }
    }

    private mutating func read(_ bytes: [UInt8]) throws(CaptureError) -> BrokenPromise? {
        let reader = try CaptureReader(bytes: bytes)
        let (traces, summary) = try TraceLoader.load(reader, choice: nil)
        devices = traces.count
        guard traces.count == summary.devices.count else {
            return BrokenPromise(description: "\(summary.devices.count) devices have \(traces.count) traces")
        }
        for trace in traces {
            _ = try trace.completedDescriptors()
            if let broken = try readDisk(trace) { return broken }
        }
        let transcript = try Transcript(traces, origin: summary.firstTime, limit: .bytes(.max))
        while let entry = try transcript.entry() {
            entries += 1
            _ = entry.line(withDevice: true, limit: .bytes(.max))
            _ = entry.json.text
        }
        let (told, all) = transcript.progress
        return told <= all ? nil : BrokenPromise(description: "\(told) of \(all) transfers have been told")
    }

    private func readDisk(_ trace: Trace) throws(CaptureError) -> BrokenPromise? {
        guard let command = try BulkOnlyReader.commands(of: trace).first else { return nil }
        let disk = try DiskImage(trace, lun: command.lun)
        for version in [DiskImage.Version.initial, .final] {
            var last: UInt64 = 0
            for range in disk.known(version) {
                guard range.lowerBound >= last else {
                    return BrokenPromise(description: "blocks from \(range.lowerBound) on are known twice")
                }
                last = range.upperBound
                for block in range.prefix(Self.most) {
                    guard try disk.block(block, version)?.count == disk.blockSize else {
                        return BrokenPromise(description: "block \(block) is known, and is not there")
                    }
                }
            }
            _ = disk.describe(version)
        }
        return nil
    }
}
