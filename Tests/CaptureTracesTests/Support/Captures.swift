import Glibc
import Testing

/// Captures of real devices, where they are at hand.
enum Captures {
    /// Why tests that need them do not run.
    static let reason: Comment = "needs real captures: set GHOSTPLUG_CAPTURES to their folder"

    /// The folder; nil where there is none.
    static let folder: String? = {
        if let path = unsafe getenv("GHOSTPLUG_CAPTURES").map({ unsafe String(cString: $0) }) {
            return exists(path) ? path : nil
        }
        var place = #filePath[...]
        while let slash = place.lastIndex(of: "/") {
            place = place[..<slash]
            guard exists("\(place)/Package.swift") else { continue }
            let path = "\(place)/../shared/captures"
            return exists(path) ? path : nil
        }
        return nil
    }()

    static var isThere: Bool { folder != nil }

    /// The path of a capture.
    static func path(_ name: String) -> String { "\(folder ?? ".")/\(name)" }

    private static func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }
}

/// Files of a test.
enum Scratch {
    /// A path at which there is nothing.
    static func path(_ name: String) -> String {
        let folder = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/tmp"
        return "\(folder)/ghostplug-\(getpid())-\(name)-\(UInt64.random(in: 0...UInt64.max))"
    }

    /// Writes a file.
    static func write(_ bytes: [UInt8], to path: String) {
        guard let file = unsafe fopen(path, "w") else { return }
        _ = unsafe fwrite(bytes, 1, bytes.count, file)
        unsafe fclose(file)
    }

    /// A file's bytes.
    static func read(_ path: String) -> [UInt8] {
        guard let file = unsafe fopen(path, "r") else { return [] }
        defer { unsafe fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let count = unsafe fread(&bytes, 1, bytes.count, file)
        return [UInt8](bytes.prefix(count))
    }
}
