import ArgumentParser
import DeviceModels
import Glibc
import SocketIO

/// `ghostplug serve` with one device, as a child process of the same executable.
///
/// It ends with ``end()``, or with this object.
@safe final class ServerProcess {
    let id: pid_t
    let address: HostAndPort
    let busID: String
    private let output: Int32
    private var hasEnded = false

    /// How long a server may take to be ready: a drive may have a large folder to read.
    private static let startTimeout: UInt64 = 60 * 1_000_000_000
    /// How long it may take to finish writes and end.
    private static let endTimeout: UInt64 = 30 * 1_000_000_000

    /// Starts a server and waits until it listens.
    ///
    /// - Parameters:
    ///   - onSpawn: told the process when it has been started, and 0 when it has ended without getting ready.
    ///   - isCancelled: asked again and again while the server gets ready.
    /// - Throws: ``Failure``; the server has then said why on standard error.
    init(_ specification: DeviceSpecification, onSpawn: (pid_t) -> Void, isCancelled: () -> Bool) throws(Failure) {
        var ends: [Int32] = [-1, -1]
        guard unsafe pipe(&ends) == 0 else { throw Self.failure("cannot make a pipe", errno) }
        let (reading, writing) = (ends[0], ends[1])
        // The child gets the writing end as its output, and nothing else.
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        var child = pid_t()
        let code = Self.spawn(
            [
                "ghostplug", "serve", "\(specification)", "--listen", "127.0.0.1:0", "--log-level", "warning",
                "--control", "none", "--parent", "\(getpid())",
            ], output: writing, &child)
        close(writing)
        guard code == 0 else {
            close(reading)
            throw Self.failure("cannot start a server", code)
        }
        onSpawn(child)
        guard let address = Self.announcement(reading, isCancelled) else {
            kill(child, SIGTERM)
            _ = Self.wait(for: child)
            onSpawn(0)
            close(reading)
            throw Failure("the server for '\(specification)' did not get ready", .failure)
        }
        (id, output, self.address) = (child, reading, address)
        busID = specification.busID ?? "1-1"
    }

    deinit { _ = end() }

    /// Ends the server in order.
    ///
    /// - Returns: what went wrong, nil for nothing.
    func end() -> String? {
        guard !hasEnded else { return nil }
        hasEnded = true
        kill(id, SIGTERM)
        let status = Self.wait(for: id)
        close(output)
        return status == 0 ? nil : "the server ended with status \(status.map { "\($0)" } ?? "unknown")"
    }

    private static func failure(_ action: String, _ code: Int32) -> Failure {
        unsafe Failure("\(action): \(String(cString: strerror(code)))", .failure)
    }

    private static func spawn(_ words: [String], output: Int32, _ child: inout pid_t) -> Int32 {
        var files = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&files)
        defer { unsafe posix_spawn_file_actions_destroy(&files) }
        unsafe posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO)
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        // A group of its own: Ctrl-C ends the measuring first, and the server in order after it.
        var none = sigset_t()
        unsafe sigemptyset(&none)
        unsafe posix_spawnattr_setpgroup(&attributes, 0)
        unsafe posix_spawnattr_setsigmask(&attributes, &none)
        unsafe posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETPGROUP) | Int16(POSIX_SPAWN_SETSIGMASK))
        var arguments = unsafe words.map { unsafe strdup($0) }
        unsafe arguments.append(nil)
        defer { unsafe arguments.forEach { unsafe free($0) } }
        return unsafe posix_spawn(&child, "/proc/self/exe", &files, &attributes, arguments, environ)
    }

    /// Reads what the server says until it says where it listens; nil when it ends or takes too long.
    private static func announcement(_ file: Int32, _ isCancelled: () -> Bool) -> HostAndPort? {
        let deadline = BenchClock.now() &+ startTimeout
        var text = ""
        while text.utf8.count < 1 << 16 {
            guard BenchClock.now() < deadline, !isCancelled() else { return nil }
            var entry = pollfd(fd: file, events: Int16(POLLIN), revents: 0)
            let ready = unsafe poll(&entry, 1, 100)
            if ready == 0 || ready < 0 && errno == EINTR { continue }
            guard ready > 0 else { return nil }
            var bytes = [UInt8](repeating: 0, count: 4096)
            let count = unsafe read(file, &bytes, bytes.count)
            guard count > 0 else { return nil }
            text += String(decoding: bytes.prefix(count), as: UTF8.self)
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
            let prefix = "listening on "
            if let line = lines.first(where: { $0.hasPrefix(prefix) }) {
                return HostAndPort(String(line.dropFirst(prefix.count)))
            }
        }
        return nil
    }

    /// Waits for a process; kills it when that takes too long.
    ///
    /// - Returns: its exit status, or 128 and the signal's number; nil when there is none.
    private static func wait(for child: pid_t) -> Int32? {
        let deadline = BenchClock.now() &+ endTimeout
        var status: Int32 = 0
        while true {
            let isLate = BenchClock.now() >= deadline
            if isLate { kill(child, SIGKILL) }
            let found = unsafe waitpid(child, &status, isLate ? 0 : WNOHANG)
            if found == child { return status & 0x7f == 0 ? status >> 8 & 0xff : 128 + status & 0x7f }
            if found < 0, errno != EINTR { return nil }
            pause(milliseconds: 5)
        }
    }
}
