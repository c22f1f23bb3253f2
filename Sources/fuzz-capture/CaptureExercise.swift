import USBCapture

/// What a reader of captures promises and did not keep.
struct BrokenPromise: Error, CustomStringConvertible {
    let description: String
}

/// Reads a capture of any bytes to its end, and checks what `CaptureReader` promises whatever the bytes are.
struct CaptureExercise {
    /// How many events there were.
    private(set) var events = 0
    /// What ended the capture early.
    private(set) var error: CaptureError?
    private var announcements = 0
    private var position: Int64 = 0

    /// - Throws: what is not as it was promised.
    @discardableResult
    init(_ bytes: [UInt8]) throws(BrokenPromise) {
        let reader: CaptureReader
        do throws(CaptureError) {
            reader = try CaptureReader(bytes: bytes)
        } catch {
            self.error = error
            return
        }
        while let event = next(reader) {
            events += 1
            try check(event, reader)
            try check(reader)
        }
        try check(reader)
        if let offset = error?.offset {
            try expect(offset >= 0 && offset <= reader.size, "the error's offset \(offset) is outside the file")
        }
        let ended = error
        try expect(next(reader) == nil && error == ended, "there is something after the end")
    }

    private mutating func next(_ reader: CaptureReader) -> CapturedEvent? {
        do throws(CaptureError) {
            return try reader.next()
        } catch {
            self.error = error
            return nil
        }
    }

    private func check(_ event: CapturedEvent, _ reader: CaptureReader) throws(BrokenPromise) {
        try expect(event.number >= 1, "an event has no number")
        try expect(event.offset >= 0 && event.offset <= reader.size, "offset \(event.offset) is outside the file")
        try expect(event.length >= 0, "length \(event.length) is negative")
        let data = reader.withData { span in unsafe span.withUnsafeBytes { unsafe Array($0) } }
        try expect(data.count == event.dataCount, "\(event.dataCount) bytes are said, \(data.count) are lent")
        guard let offset = event.dataOffset else { return }
        var copy = [UInt8](repeating: 0, count: data.count)
        let failure = unsafe copy.withUnsafeMutableBytes { memory -> CaptureError? in
            do throws(CaptureError) {
                try unsafe reader.read(at: offset, into: memory)
                return nil
            } catch {
                return error
            }
        }
        try expect(failure == nil, "data at \(offset) cannot be read again: \(failure?.description ?? "")")
        try expect(copy == data, "data at \(offset) are not those that were lent")
    }

    private mutating func check(_ reader: CaptureReader) throws(BrokenPromise) {
        try expect(reader.announcements.count >= announcements, "an announcement was taken back")
        announcements = reader.announcements.count
        try expect(reader.position >= position && reader.position <= reader.size, "the position is \(reader.position)")
        position = reader.position
        try expect(reader.dropped >= 0, "\(reader.dropped) packets were dropped")
        try expect(reader.comments.count <= 10_000, "too many comments are kept")
    }

    private func expect(_ isKept: Bool, _ words: @autoclosure () -> String) throws(BrokenPromise) {
        if !isKept { throw BrokenPromise(description: words()) }
    }
}
