import Glibc

/// A shell command: runs with a time limit, and what it prints is kept.
struct ShellCommand {
    /// How a command ended.
    struct Ended {
        /// As the shell has it: 128 and more for signals.
        let status: Int32
        /// The end of what it printed, on either output.
        let output: String
    }

    /// The most output that is kept, in bytes.
    private static let outputLimit = 64 << 10

    private let text: String
    private let environment: [(String, String)]

    /// - Parameter environment: variables besides this process's own.
    init(_ text: String, _ environment: [(String, String)]) {
        self.text = text
        self.environment = environment
    }

    /// Runs the command; it and all that it has started are killed when the time is up or nobody waits any more.
    ///
    /// What it leaves in the background when it ends is not waited for.
    ///
    /// - Throws: ``ScenarioPlayer/Refusal`` when it cannot be started, or is killed.
    func run(timeout: Duration, _ cancellation: Cancellation) throws(ScenarioPlayer.Refusal) -> Ended {
        var ends = [Int32](repeating: -1, count: 2)
        guard unsafe pipe(&ends) == 0 else { throw Self.refusal("cannot make a pipe", errno) }
        let (output, theirs) = (ends[0], ends[1])
        defer { close(output) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        // Ours alone: few programs bear an output that does not block.
        _ = fcntl(output, F_SETFL, O_NONBLOCK)
        let pid = spawn(output: theirs)
        let code = errno
        close(theirs)
        guard let pid else { throw Self.refusal("cannot start a shell", code) }

        var kept: [UInt8] = []
        let deadline = ContinuousClock.now + timeout
        while true {
            read(output, &kept)
            var status: Int32 = 0
            let ended = unsafe waitpid(pid, &status, WNOHANG)
            guard ended >= 0 else { throw Self.refusal("cannot tell how the command ended", errno) }
            if ended == pid {
                read(output, &kept)
                let signal = status & 0x7f
                return Ended(
                    status: signal == 0 ? status >> 8 & 0xff : 128 + signal,
                    output: String(decoding: kept, as: UTF8.self))
            }
            guard ContinuousClock.now < deadline, !cancellation.isCancelled else {
                end(pid)
                throw ScenarioPlayer.Refusal(
                    cancellation.isCancelled
                        ? "given up" : "the command did not end within \(timeout.words)\(Self.words(kept))")
            }
            var waiting = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
            _ = unsafe poll(&waiting, 1, 10)
            // Its output is closed: only its end is missing.
            if waiting.revents & Int16(POLLIN) == 0, waiting.revents != 0 { usleep(2000) }
        }
    }

    /// What was printed, for the end of a message.
    static func words(_ output: some Sequence<UInt8>) -> String {
        let text = String(decoding: Array(output), as: UTF8.self)
        let lines = text.split(separator: "\n").suffix(5).joined(separator: "\n")
        return lines.isEmpty ? ", and printed nothing" : ", and printed: \(lines.suffix(500))"
    }

    private static func refusal(_ what: String, _ code: Int32) -> ScenarioPlayer.Refusal {
        let words = unsafe strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
        return ScenarioPlayer.Refusal("\(what): \(words)")
    }

    /// Takes what there is; keeps its end.
    private func read(_ descriptor: Int32, _ kept: inout [UInt8]) {
        var room = [UInt8](repeating: 0, count: 16 << 10)
        // A command that prints without end does not keep us from its time limit.
        for _ in 0..<64 {
            let count = unsafe room.withUnsafeMutableBytes { unsafe Glibc.read(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { return }
            kept += room[..<count]
            if kept.count > 2 * Self.outputLimit { kept.removeFirst(kept.count - Self.outputLimit) }
        }
    }

    /// Ends the command and its children: asks first.
    private func end(_ pid: pid_t) {
        var status: Int32 = 0
        kill(-pid, SIGTERM)
        for _ in 0..<200 {
            // Nothing to wait for is an end, too.
            guard unsafe waitpid(pid, &status, WNOHANG) == 0 else {
                kill(-pid, SIGKILL)
                return
            }
            usleep(10_000)
        }
        kill(-pid, SIGKILL)
        unsafe waitpid(pid, &status, 0)
    }

    /// - Returns: the process's id, which is its group's as well; nil with `errno` set when there is none.
    private func spawn(output: Int32) -> pid_t? {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        unsafe posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
        unsafe posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO)
        Self.keepDescriptors()
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        // We block the signals that end us, and ignore a reader that has gone; a command is to do neither.
        let flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
        unsafe posix_spawnattr_setflags(&attributes, Int16(flags))
        unsafe posix_spawnattr_setpgroup(&attributes, 0)
        var none = sigset_t()
        unsafe sigemptyset(&none)
        unsafe posix_spawnattr_setsigmask(&attributes, &none)
        var defaults = sigset_t()
        unsafe sigemptyset(&defaults)
        unsafe sigaddset(&defaults, SIGPIPE)
        unsafe posix_spawnattr_setsigdefault(&attributes, &defaults)

        let words: [String] = ["sh", "-c", text]
        let own: [String] = environment.map { "\($0.0)=\($0.1)" }
        var arguments: [UnsafeMutablePointer<CChar>?] = unsafe words.map { unsafe strdup($0) }
        unsafe arguments.append(nil)
        var variables = unsafe Self.inherited(without: environment.map(\.0))
        unsafe variables += own.map { unsafe strdup($0) }
        unsafe variables.append(nil)
        defer {
            for index in unsafe arguments.indices { unsafe free(arguments[index]) }
            for index in unsafe variables.indices { unsafe free(variables[index]) }
        }
        var pid: pid_t = 0
        let code = unsafe posix_spawn(&pid, "/bin/sh", &actions, &attributes, &arguments, &variables)
        guard code == 0 else {
            errno = code
            return nil
        }
        return pid
    }

    /// Keeps from the command what whoever started us left open; what we open ourselves is not inherited anyway.
    private static func keepDescriptors() {
        guard let folder = unsafe opendir("/proc/self/fd") else { return }
        defer { unsafe closedir(folder) }
        while let entry = unsafe readdir(folder) {
            let name = unsafe withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard let descriptor = Int32(name), descriptor > STDERR_FILENO else { continue }
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        }
    }

    /// Copies of this process's variables.
    private static func inherited(without names: [String]) -> [UnsafeMutablePointer<CChar>?] {
        var copies: [UnsafeMutablePointer<CChar>?] = unsafe []
        var index = 0
        while let entry = unsafe environ[index] {
            let text = unsafe String(cString: entry)
            if !names.contains(String(text.prefix { $0 != "=" })) { unsafe copies.append(strdup(entry)) }
            index += 1
        }
        return unsafe copies
    }
}

extension ScenarioCommand {
    /// The command as a shell takes it: its devices' variables are variables of the shell's.
    var shellText: String {
        // Taken apart once already, when it was read.
        guard let parts = try? ScenarioVariable.parts(of: text, "", 0) else { return text }
        return parts.map { part in
            switch part {
            case .text(let text): text
            case .variable(let variable): "${\(variable.environmentName)}"
            }
        }.joined()
    }

    /// What is wrong with how it ended; nil when it is as expected.
    func complaint(_ ended: ShellCommand.Ended) -> String? {
        if let status, ended.status != status {
            return "expected exit status \(status); it ended with \(ended.status)"
                + ShellCommand.words(ended.output.utf8)
        }
        if let output, !ended.output.contains(output) {
            return "expected output with '\(output)'; it ended with \(ended.status)"
                + ShellCommand.words(ended.output.utf8)
        }
        return nil
    }
}
