import Glibc

extension VHCI {
    /// Where a port's device comes from, as the `usbip` tool notes it.
    public struct RemoteRecord: Hashable, Sendable {
        /// The server's name or address; no blanks.
        public var host: String
        /// The server's port or service; no blanks.
        public var service: String
        /// The device's name at the server; no blanks.
        public var busID: String

        /// Makes a record.
        public init(host: String, service: String, busID: String) {
            self.host = host
            self.service = service
            self.busID = busID
        }
    }
}

/// The folder where the `usbip` tool notes what each port is connected to: a file `portN` with host, port and bus id.
public struct StateFolder: Sendable {
    /// The folder that the tool uses.
    public static let usual = "/var/run/vhci_hcd"
    let path: String

    private func file(_ port: PortNumber) -> String { "\(path)/port\(port)" }

    /// Writes a note, and the folder if need be.
    func write(_ remote: VHCI.RemoteRecord, for port: PortNumber) throws(VHCIError) {
        let fields = [remote.host, remote.service, remote.busID]
        // The tool would read another record, or none.
        guard fields.allSatisfy({ !$0.isEmpty && !$0.utf8.contains { $0 <= 0x20 } }) else {
            throw .file(path: file(port), code: EINVAL)
        }
        var descriptor: Int32 = -1
        for _ in 0..<3 {
            guard unsafe mkdir(path, 0o700) == 0 || errno == EEXIST else { throw .file(path: path, code: errno) }
            descriptor = unsafe open(file(port), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
            // A detach in another process removes the folder when its note was the last.
            if descriptor >= 0 || errno != ENOENT { break }
        }
        guard descriptor >= 0 else { throw .file(path: file(port), code: errno) }
        defer { close(descriptor) }
        let bytes = Array((fields.joined(separator: " ") + "\n").utf8)
        let count = unsafe Glibc.write(descriptor, bytes, bytes.count)
        guard count == bytes.count else { throw .file(path: file(port), code: count < 0 ? errno : ENOSPC) }
    }

    /// Reads a note; nil when there is none that can be read.
    func read(_ port: PortNumber) -> VHCI.RemoteRecord? {
        guard let text = FileAccess.attribute(file(port)) else { return nil }
        let fields = text.split(separator: " ", omittingEmptySubsequences: false)
        guard fields.count == 3, fields.allSatisfy({ !$0.isEmpty && !$0.utf8.contains { $0 < 0x20 } }) else {
            return nil
        }
        return VHCI.RemoteRecord(host: String(fields[0]), service: String(fields[1]), busID: String(fields[2]))
    }

    /// Removes a note, and the folder with the last one; nothing is said where that fails.
    func remove(_ port: PortNumber) {
        unsafe unlink(file(port))
        unsafe rmdir(path)
    }
}
