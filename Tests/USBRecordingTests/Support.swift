import Glibc
import Logging
import Synchronization
import USBCapture
import USBCore
import USBRecording

/// A folder that goes with the test.
struct Scratch: ~Copyable {
    let path: String

    init() {
        var template = Array("/tmp/ghostplug-recording-XXXXXX".utf8CString)
        path = unsafe template.withUnsafeMutableBufferPointer { memory in
            guard let base = memory.baseAddress, let made = unsafe mkdtemp(base) else { return "/tmp" }
            return unsafe String(cString: made)
        }
    }

    deinit {
        for name in ["a.pcapng", "b.pcapng", "pipe", "other"] { unsafe unlink("\(path)/\(name)") }
        unsafe rmdir(path)
    }

    subscript(name: String) -> String { "\(path)/\(name)" }
}

/// An event with its data.
struct Read: Equatable {
    var event: CapturedEvent
    var data: [UInt8]
}

/// Everything in a capture, and its reader at the end.
func readAll(_ path: String) throws -> (events: [Read], reader: CaptureReader) {
    let reader = try CaptureReader(path: path)
    var events: [Read] = []
    while let event = try reader.next() {
        events.append(Read(event: event, data: reader.withData { unsafe $0.withUnsafeBytes { unsafe Array($0) } }))
    }
    return (events, reader)
}

/// Keeps what is logged.
final class LogLines: Sendable {
    private let lines = Mutex<[String]>([])

    var all: [String] { lines.withLock { $0 } }

    var logger: Logger {
        Logger(label: "test") { _ in Handler(lines: self) }
    }

    private struct Handler: LogHandler {
        let lines: LogLines
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) { lines.lines.withLock { $0.append("\(event.level): \(event.message)") } }
    }
}

extension CaptureWriter {
    /// A writer of a test's file.
    convenience init(
        _ path: String, limits: CaptureLimits = CaptureLimits(), isHeld: Bool = false, log: LogLines = LogLines()
    ) throws {
        try self.init(path: path, application: "ghostplug test", limits: limits, isHeld: isHeld, logger: log.logger)
    }
}
