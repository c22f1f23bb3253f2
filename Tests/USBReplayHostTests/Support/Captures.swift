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
            guard unsafe access("\(place)/Package.swift", F_OK) == 0 else { continue }
            let path = "\(place)/../shared/captures"
            return isFolder(path) ? path : nil
        }
        return nil
    }()

    static var isThere: Bool { folder != nil }

    /// The names of the captures in the folder, sorted.
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

    /// The numbers of a capture's devices that have transfers and are no hubs.
    static func devices(_ name: String) throws -> [Int] {
        let reader = try CaptureReader(path: "\(folder ?? "")/\(name)")
        return try TraceLoader.load(reader, choice: nil).traces
            .filter { !$0.device.isHub && !$0.transfers.isEmpty }.map(\.device.number)
    }

    /// A device's trace, read afresh: a trace is for one thread.
    static func trace(_ name: String, _ number: Int) throws -> Trace {
        try TraceLoader.loadOne(path: "\(folder ?? "")/\(name)", choice: .number(number), descriptors: nil).trace
    }

    /// A capture's file.
    static func bytes(_ name: String) throws -> [UInt8] {
        guard let file = unsafe fopen("\(folder ?? "")/\(name)", "rb") else {
            throw CaptureError(.unreadable, "cannot open \(name)")
        }
        defer { unsafe fclose(file) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = unsafe piece.withUnsafeMutableBytes { unsafe fread($0.baseAddress, 1, $0.count, file) }
            guard count > 0 else { return bytes }
            bytes += piece[..<count]
        }
    }

    private static func isFolder(_ path: String) -> Bool {
        guard let directory = unsafe opendir(path) else { return false }
        unsafe closedir(directory)
        return true
    }
}
