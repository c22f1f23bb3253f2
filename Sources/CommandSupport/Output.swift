import Glibc

/// Where messages for people go.
package enum StandardError {
    /// Writes `text` as it is.
    package static func write(_ text: String) { Output.write(text, to: STDERR_FILENO) }
}

/// Where results go: unbuffered, so that a script that waits for a line sees it.
package enum StandardOutput {
    /// Writes a line.
    package static func print(_ line: String) { Output.write(line + "\n", to: STDOUT_FILENO) }
}

private enum Output {
    static func write(_ text: String, to descriptor: Int32) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
            // A reader that has gone does not stop a server.
            guard count > 0 || errno == EINTR else { return }
            bytes = bytes.dropFirst(max(0, count))
        }
    }
}
