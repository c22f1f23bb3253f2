import CommandSupport
import Glibc
import Logging

/// How log lines look.
enum LogFormat: String, CaseIterable {
    case text
    case json
}

/// Writes log entries to standard error, a line each, as text for people or JSON for programs.
struct LineLogHandler: LogHandler {
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level
    let format: LogFormat

    init(format: LogFormat, level: Logger.Level) {
        self.format = format
        logLevel = level
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { $1 }.sorted { $0.key < $1.key }
        let line: String
        switch format {
        case .text:
            let context = all.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
            line =
                "\(Self.time("%H:%M:%S")) \(event.level): \(event.message)" + (context.isEmpty ? "" : " [\(context)]")
        case .json:
            var members: [(String, JSON)] = [
                ("time", .string(Self.time("%Y-%m-%dT%H:%M:%S%z"))), ("level", .string(event.level.rawValue)),
                ("message", .string(event.message.description)),
            ]
            members += all.map { ($0.key, .string($0.value.description)) }
            line = JSON.object(members).text
        }
        // What a peer sent must not be able to forge lines or move the cursor.
        let safe = line.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7f ? "?" : String($0) }.joined()
        StandardError.write(safe + "\n")
    }

    private static func time(_ format: String) -> String {
        var now = Glibc.time(nil)
        var parts = unsafe tm()
        unsafe localtime_r(&now, &parts)
        var text = [CChar](repeating: 0, count: 64)
        let length = unsafe strftime(&text, text.count, format, &parts)
        return String(decoding: text.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
