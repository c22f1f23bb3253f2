package import CaptureTraces
package import USBCapture

/// What devices and hosts said to each other, line by line, in the order of the capture.
///
/// It holds no more than the traces' indexes and twelve bytes for each transfer; data are read when their line is made.
package final class Transcript {
    private struct Place {
        var packet: UInt32
        var trace: UInt32
        var index: UInt32
    }

    private let narrators: [Narrator]
    private let filter: TranscriptFilter?
    private var places: [Place] = []
    private var next = 0

    /// Makes a transcript of one or more devices of a capture.
    ///
    /// - Parameters:
    ///   - origin: the earliest time of the capture's events, from which times count.
    ///   - filter: which lines there are.
    /// - Throws: ``CaptureError`` when the file has been changed since the traces were made.
    package init(
        _ traces: [Trace], origin: Int64, limit: DataLimit = .usual, filter: TranscriptFilter? = nil
    ) throws(CaptureError) {
        self.filter = filter
        var narrators: [Narrator] = []
        for trace in traces { narrators.append(try Narrator(trace, origin: origin, limit: limit)) }
        self.narrators = narrators
        places.reserveCapacity(traces.reduce(0) { $0 + $1.transfers.count })
        for (number, trace) in traces.enumerated() {
            for (index, transfer) in trace.transfers.enumerated() {
                places.append(
                    Place(
                        packet: Narrator.packet(of: transfer), trace: UInt32(truncatingIfNeeded: number),
                        index: UInt32(truncatingIfNeeded: index)))
            }
        }
        places.sort { ($0.packet, $0.trace, $0.index) < ($1.packet, $1.trace, $1.index) }
    }

    /// How many transfers have been told, and how many there are: for progress.
    package var progress: (told: Int, all: Int) { (next, places.count) }

    /// The next entry that the filter lets pass; nil at the end.
    ///
    /// - Throws: ``CaptureError`` when the file has been changed since the traces were made.
    package func entry() throws(CaptureError) -> TranscriptEntry? {
        while next < places.count {
            let place = places[next]
            next += 1
            guard let entry = try narrators[Int(place.trace)].entry(at: Int(place.index)) else { continue }
            if filter?.matches(entry) ?? true { return entry }
        }
        return nil
    }
}
