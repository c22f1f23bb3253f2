import CaptureTraces
import USBCapture
import USBCore

/// Whether what the host sent is what the recording has.
enum DataMatch {
    case same
    case other
    case otherLength
    /// The capture could not be read, which was reported.
    case unreadable
}

extension Ledger {
    /// Compares what the host sent with what was sent in a transfer of the recording.
    ///
    /// Of data that the capture has only a part of, that part and the length are compared.
    func compare(_ actual: [UInt8], with index: Int) -> DataMatch {
        let transfer = trace.transfers[index]
        let count = Int(transfer.output.count)
        let isCut = transfer.marks.contains(.isCut)
        guard actual.count == (isCut ? max(Int(transfer.requested), count) : count) else { return .otherLength }
        guard count > 0 else { return .same }
        let recorded: [UInt8]
        do throws(CaptureError) {
            recorded = try trace.bytes(transfer.output)
        } catch {
            unreadable(error, index)
            return .unreadable
        }
        let allowed = count * settings.tolerance / 100
        if allowed == 0 { return actual.starts(with: recorded) ? .same : .other }
        var differing = 0
        for index in 0..<min(count, actual.count) where actual[index] != recorded[index] { differing += 1 }
        return differing <= allowed ? .same : .other
    }
}
