/// Reads usbmon's text line by line.
package final class USBMonTextSource {
    private let source: ByteSource
    private var offset: Int64 = 0
    private var events = 0
    private var clock = WrappingClock()

    /// Reads from the file's beginning.
    package init(_ source: ByteSource) { self.source = source }

    /// Reads the next line that is not empty, and gives its event; false at the end.
    ///
    /// - Throws: ``CaptureError`` with the offset of a line that is not usbmon's.
    package func decode(into output: DecodedEvents) throws(CaptureError) -> Bool {
        while let line = try unsafe source.line(at: offset, limit: USBMonText.maximumLine) {
            let start = offset
            offset += Int64(line.count)
            let bytes = unsafe ByteView(line)
            if TextCursor(bytes).isAtEnd { continue }
            events += 1
            guard let line = USBMonText.event(bytes, number: events, offset: start) else {
                let isWhole = bytes[bytes.count - 1] == 0x0a
                throw CaptureError(
                    isWhole ? .damaged : .cut,
                    isWhole ? "The line is none of usbmon's" : "The file ends in the middle of a line", offset: start,
                    packet: events)
            }
            var event = line.event
            event.time = clock.unwrap(event.time)
            output.emit(event, owning: line.data)
            return true
        }
        return false
    }
}

/// A clock that begins again at 0: every 4096 s since Linux 2.6.21, before that when its 32 bits of microseconds are
/// over.
struct WrappingClock {
    private static let period: Int64 = 4096 * 1_000_000_000
    private static let oldPeriod: Int64 = (1 << 32) * 1000
    /// How far lines may be out of order, since several processors write them.
    private static let disorder: Int64 = 10 * 1_000_000_000

    private var last: Int64 = 0
    private var base: Int64 = 0
    private var isOld = false

    /// The time since the clock's first beginning, in nanoseconds; one that ran back a little is taken as it is.
    mutating func unwrap(_ time: Int64) -> Int64 {
        if time >= Self.period { isOld = true }
        let period = isOld ? Self.oldPeriod : Self.period
        if last - time > Self.disorder {
            base = Self.sum(base, period)
        } else if time - last > period - Self.disorder, base > 0 {
            // A line from before the clock began again, that comes after one from later.
            return base - period + time
        }
        last = time
        return Self.sum(base, time)
    }

    /// Stays at the end of what 64 bits hold: a file can say that the clock began again any number of times.
    private static func sum(_ first: Int64, _ second: Int64) -> Int64 {
        let (sum, isBeyond) = first.addingReportingOverflow(second)
        return isBeyond ? .max : sum
    }
}
