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

    /// Whether the capture has only a part of the data.
    var isCut: Bool { command.knownBytes < command.moved }

    /// The next bytes; what the capture does not have is zero.
    ///
    /// - Throws: ``CaptureError`` when the capture cannot be read any more.
    mutating func next(_ count: Int) throws(CaptureError) -> [UInt8] {
        let count = min(count, remaining)
        guard count > 0 else { return [] }
        let bytes = try copy(moved, Array(repeating: 0, count: count))
        moved += count
        return bytes
    }

    /// The recorded bytes from `start` on in place of `bytes`, but for what the capture does not have.
    private func copy(_ start: Int, _ bytes: [UInt8]) throws(CaptureError) -> [UInt8] {
        var recorded = bytes
        var failure: CaptureError?
        unsafe recorded.withUnsafeMutableBytes { memory in
            do throws(CaptureError) {
                unsafe try command.copy(from: trace, at: start, into: memory)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return recorded
    }

    /// A write that is not as recorded.
    struct Difference {
        /// The transfer of the recording in which the first byte that differs was sent.
        var transfer: Int
        /// What was sent in it, as far as the host has come.
        var expected: [UInt8]
        /// What the host sent in its place.
        var actual: [UInt8]
    }

    /// Compares bytes that the host sends from byte `start` of the data on; what came before was as recorded.
    ///
    /// - Returns: nil when they are as recorded. What the capture does not have cannot differ.
    /// - Throws: ``CaptureError`` when the capture cannot be read any more.
    func difference(_ bytes: [UInt8], at start: Int) throws(CaptureError) -> Difference? {
        let shared = min(bytes.count, max(0, command.moved - start))
        let recorded = try copy(start, Array(bytes.prefix(shared)))
        guard let first = Divergence.difference(recorded, bytes) else { return nil }
        // The transfer that has the byte; the last one where the recorded host sent no more.
        var (begin, end) = (0, 0)
        var found = command.firstTransfer
        for (index, moved) in zip(dataTransfers, command.moves) {
            (begin, end) = (end, end + moved)
            found = index
            if start + first < end { break }
        }
        // Of the transfer, what the host sent before is as recorded.
        let before = begin < start ? try copy(begin, Array(repeating: 0, count: start - begin)) : []
        let skipped = max(0, begin - start)
        let until = start + first < end ? end - start : bytes.count
        return Difference(
            transfer: found, expected: before + recorded.prefix(max(0, end - start)).dropFirst(skipped),
            actual: before + bytes.prefix(until).dropFirst(skipped))
    }

    /// The transfers that moved the data of a WRITE, as places in ``Trace/transfers``.
    private var dataTransfers: [Int] {
        guard command.firstTransfer < command.lastTransfer else { return [] }
        return (command.firstTransfer + 1...command.lastTransfer).filter { index in
            trace.transfers.indices.contains(index) && trace.transfers[index].endpoint == command.output
                && trace.transfers[index].type == .bulk && trace.transfers[index].actual > 0
        }
    }
}
