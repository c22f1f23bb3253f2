import Glibc

/// Where messages for people go.
package enum StandardError {
    /// Writes `text` as it is.
    package static func write(_ text: String) { Output.write(text, to: STDERR_FILENO) }
}

/// Where results go: unbuffered, so that a script that waits for a line sees it.
package enum StandardOutput {
    /// Writes `text` as it is; nothing is said where that fails.
    package static func write(_ text: String) { Output.write(text, to: STDOUT_FILENO) }

    /// Writes a line; nothing is said where that fails, as becomes a server.
    package static func print(_ line: String) { Output.write(line + "\n", to: STDOUT_FILENO) }

    /// Writes a line that a program was run for.
    ///
    /// A reader that has gone, such as `head`, has had enough: that is no failure.
    ///
    /// - Throws: ``OutputError`` when not all could be written.
    package static func printResult(_ line: String, to descriptor: Int32 = STDOUT_FILENO) throws(OutputError) {
        let code = Output.write(line + "\n", to: descriptor)
        if code != 0, code != EPIPE { throw OutputError(code: code) }
    }
}

/// A result that could not be written.
package struct OutputError: Error, CustomStringConvertible {
    /// The `errno`.
    package let code: Int32

    /// What the system says.
    package var description: String {
        unsafe "cannot write the result: \(strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)")"
    }
}

private enum Output {
    /// - Returns: 0, or the `errno` that ended it.
    @discardableResult
    static func write(_ text: String, to descriptor: Int32) -> Int32 {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
            // A reader that has gone does not stop a server.
            guard count > 0 || errno == EINTR else { return errno }
            bytes = bytes.dropFirst(max(0, count))
        }
        return 0
    }
}
