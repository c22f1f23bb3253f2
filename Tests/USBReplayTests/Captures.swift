import CaptureTraces
import Glibc
import Testing
import USBCapture

/// Captures of real devices, where this machine has them.
enum Captures {
    /// Why tests that need them do not run.
    static let reason: Comment = "needs real captures: set GHOSTPLUG_CAPTURES to their folder"

    /// The folder; nil where there is none.
    static let folder: String? = {
        if let path = unsafe getenv("GHOSTPLUG_CAPTURES").map({ unsafe String(cString: $0) }) {
            return isFolder(path) ? path : nil
        }
        var place = #filePath[...]
        while let slash = place.lastIndex(of: "/") {
            place = place[..<slash]
            if unsafe access("\(place)/Package.swift", F_OK) == 0 {
                let path = "\(place)/../shared/captures"
                return isFolder(path) ? path : nil
            }
        }
        return nil
    }()

    static var isThere: Bool { folder != nil }

    /// The names of the captures in the folder.
    static let names: [String] = {
        guard let folder, let directory = unsafe opendir(folder) else { return [] }
        defer { unsafe closedir(directory) }
        var names: [String] = []
        while let entry = unsafe readdir(directory) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if name.hasSuffix(".pcap") || name.hasSuffix(".pcapng") { names.append(name) }
        }
        return names.sorted()
    }()

    /// The traces of every device of a capture but hubs.
    static func traces(_ name: String) throws -> [Trace] {
        let reader = try CaptureReader(path: "\(folder ?? "")/\(name)")
        return try TraceLoader.load(reader, choice: nil).traces.filter { !$0.device.isHub }
    }

    private static func isFolder(_ path: String) -> Bool {
        guard let directory = unsafe opendir(path) else { return false }
        unsafe closedir(directory)
        return true
    }
}
