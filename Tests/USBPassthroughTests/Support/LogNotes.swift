import Logging
import Synchronization

/// What was logged, as `level: message`.
final class LogNotes: Sendable {
    private let lines = Mutex<[String]>([])

    var all: [String] { lines.withLock { $0 } }

    var logger: Logger { Logger(label: "test", factory: { _ in NoteHandler(notes: self) }) }

    fileprivate func add(_ line: String) { lines.withLock { $0.append(line) } }
}

private struct NoteHandler: LogHandler {
    let notes: LogNotes
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level = .info

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) { notes.add("\(event.level): \(event.message)") }
}
