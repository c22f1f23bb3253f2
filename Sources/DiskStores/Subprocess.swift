internal import Glibc

/// Runs a program to its end, without a shell.
package enum Subprocess {
    /// What a program left behind.
    package struct Outcome: Sendable {
        /// The exit code, or 128 plus the signal that ended it.
        package let status: Int32
        /// Standard output and standard error as they came, up to the limit.
        package let output: String
        /// Whether it was killed because its time was up.
        package let timedOut: Bool

        /// Whether it ended with exit code 0 in time.
        package var succeeded: Bool { status == 0 && !timedOut }
    }

    /// Runs a program and waits for it.
    ///
    /// - Parameters:
    ///   - arguments: the program (looked up in `PATH`, then in the system folders, since `mkfs.fat` lives in
    ///     `/usr/sbin`) and its arguments.
    ///   - environment: variables to set on top of this process's.
    ///   - timeout: how many milliseconds it may take before it is killed.
    ///   - outputLimit: how many bytes of output to keep; more is read and dropped.
    /// - Returns: the outcome, or nil when there is no such program.
    /// - Throws: ``DiskStoreError`` when the system cannot start it.
    package static func run(
        _ arguments: [String], environment: [String: String] = [:], timeout: Int32 = 300_000, outputLimit: Int = 65536
    ) throws(DiskStoreError) -> Outcome? {
        guard let name = arguments.first, let program = find(name) else { return nil }
        var ends: [Int32] = [-1, -1]
        // Not a pipe: only here is close-on-exec set in the same call, so that no other child can hold an end open.
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        guard unsafe socketpair(AF_UNIX, kind, 0, &ends) == 0 else {
            throw DiskStoreError(system: errno, "Cannot make a pipe")
        }
        defer { close(ends[0]) }
        let (code, child) = spawn(program, arguments, environment, output: ends[1])
        close(ends[1])
        guard code == 0 else { throw DiskStoreError(system: code, "Cannot run \(program)") }
        let (bytes, timedOut) = collect(from: ends[0], of: child, timeout: timeout, limit: outputLimit)
        if timedOut { kill(child, SIGKILL) }
        var status: Int32 = 0
        while unsafe waitpid(child, &status, 0) < 0 {
            guard errno == EINTR else { throw DiskStoreError(system: errno, "Cannot wait for \(program)") }
        }
        let signal = status & 0x7F
        return Outcome(
            status: signal == 0 ? (status >> 8) & 0xFF : 128 + signal, output: String(decoding: bytes, as: UTF8.self),
            timedOut: timedOut)
    }

    private static func find(_ name: String) -> String? {
        if name.contains("/") { return unsafe access(name, X_OK) == 0 ? name : nil }
        let path = unsafe getenv("PATH").map { unsafe String(cString: $0) } ?? ""
        let folders = path.split(separator: ":").map(String.init) + ["/usr/sbin", "/sbin", "/usr/bin", "/bin"]
        return folders.lazy.map { "\($0)/\(name)" }.first { unsafe access($0, X_OK) == 0 }
    }

    private static func spawn(
        _ program: String, _ arguments: [String], _ environment: [String: String], output: Int32
    ) -> (code: Int32, child: pid_t) {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        unsafe posix_spawn_file_actions_adddup2(&actions, output, 1)
        unsafe posix_spawn_file_actions_adddup2(&actions, output, 2)
        var variables: [String] = environment.map { "\($0.key)=\($0.value)" }
        var next = unsafe environ
        while let entry = unsafe next.pointee {
            let text = unsafe String(cString: entry)
            if environment[String(text.prefix { $0 != "=" })] == nil { variables.append(text) }
            unsafe next += 1
        }
        var argv: [UnsafeMutablePointer<CChar>?] = unsafe arguments.map { unsafe strdup($0) } + [nil]
        var envp: [UnsafeMutablePointer<CChar>?] = unsafe variables.map { unsafe strdup($0) } + [nil]
        defer { unsafe (argv + envp).forEach { unsafe free($0) } }
        var child: pid_t = 0
        let code = unsafe posix_spawn(&child, program, &actions, nil, &argv, &envp)
        return (code, child)
    }

    /// Reads until the pipe closes or the time is up.
    private static func collect(
        from pipe: Int32, of child: pid_t, timeout: Int32, limit: Int
    ) -> (bytes: [UInt8], timedOut: Bool) {
        let deadline = milliseconds() + Int64(timeout)
        var kept: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let left = deadline - milliseconds()
            guard left > 0 else { return (kept, true) }
            var request = pollfd(fd: pipe, events: Int16(POLLIN), revents: 0)
            let ready = unsafe poll(&request, 1, Int32(clamping: left))
            if ready < 0, errno != EINTR { return (kept, true) }
            guard ready > 0 else { continue }
            let count = unsafe read(pipe, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return (kept, false) }
            kept += buffer.prefix(min(count, max(0, limit - kept.count)))
        }
    }

    private static func milliseconds() -> Int64 {
        var now = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &now)
        return Int64(now.tv_sec) * 1000 + Int64(now.tv_nsec) / 1_000_000
    }
}
