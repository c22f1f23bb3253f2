import CaptureTraces
import USBCapture
import USBCore

/// A recorded command being played again: its data, as the device moved them, and how it ended.
struct RecordedPlay {
    /// How the data ended when they were fewer than the host expected.
    enum Ending {
        /// With a short packet.
        case short
        /// With STALL in place of more data.
        case stalled
        /// With a short packet, and STALL for the transfer after it.
        case shortThenStalled
        /// The status came in place of data.
        case none
    }

    /// The command, as a place in ``RecordedDisk/commands``.
    let place: Int
    let command: MassStorageCommand
    let ending: Ending
    private let trace: Trace
    /// Bytes of data that went to the host already.
    private(set) var moved = 0

    init(_ disk: RecordedDisk, _ place: Int, input: EndpointAddress) {
        self.place = place
        command = disk.commands[place]
        trace = disk.trace
        var ending = Ending.none
        if command.firstTransfer < command.lastTransfer {
            for transfer in trace.transfers[command.firstTransfer + 1..<command.lastTransfer]
            where transfer.endpoint == input && transfer.type == .bulk && transfer.isPlayable {
                switch (transfer.status == .stalled, transfer.actual > 0, ending) {
                case (true, true, _), (true, false, .none): ending = .stalled
                case (true, false, _): ending = .shortThenStalled
                case (false, _, _): ending = .short
                }
            }
        }
        self.ending = ending
    }

    /// Bytes of data that are still to go to the host.
    var remaining: Int { max(0, command.moved - moved) }

    /// The next bytes; what the capture does not have is zero.
    mutating func next(_ count: Int) -> [UInt8] {
        let count = min(count, remaining)
        guard count > 0 else { return [] }
        var bytes = [UInt8](repeating: 0, count: count)
        unsafe bytes.withUnsafeMutableBytes { memory in
            // Not readable any more is as not recorded: zeros, which the host's checks will find.
            unsafe try? command.copy(from: trace, at: moved, into: memory)
        }
        moved += count
        return bytes
    }

    /// Whether bytes that the host sends are those that the recorded host sent at that place.
    func isSame(_ bytes: [UInt8], at start: Int) -> Bool {
        guard start + bytes.count <= command.moved else { return false }
        // What the capture does not have cannot differ.
        var recorded = bytes
        var isReadable = true
        unsafe recorded.withUnsafeMutableBytes { memory in
            do throws(CaptureError) {
                unsafe try command.copy(from: trace, at: start, into: memory)
            } catch {
                isReadable = false
            }
        }
        return isReadable && recorded == bytes
    }
}
