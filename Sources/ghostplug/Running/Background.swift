import ArgumentParser
import Glibc

/// Leaves a process of this program behind, once it has said all that there is to say.
enum Background {
    /// Starts this program again with other arguments, passes its output on until it lets go of it, and says how it went.
    ///
    /// - Returns: its exit status if it has ended; nil when it runs on.
    /// - Throws: ``Failure`` when it cannot be started.
    static func start(_ arguments: [String]) throws(Failure) -> Int32? {
        var ends: (Int32, Int32) = (-1, -1)
        let isPiped = unsafe withUnsafeMutablePointer(to: &ends) { pointer in
            unsafe pointer.withMemoryRebound(to: Int32.self, capacity: 2) { unsafe pipe($0) == 0 }
        }
        guard isPiped else { throw Failure("cannot make a pipe: \(words(errno))", .failure) }
        for end in [ends.0, ends.1] { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let pid = try spawn(arguments, output: ends.1)
        close(ends.1)
        copy(from: ends.0)
        close(ends.0)
        var status: Int32 = 0
        guard unsafe waitpid(pid, &status, WNOHANG) != pid else { return exitStatus(status) }
        // It has closed its output on its way to the end, or to letting go; the former takes a moment.
        usleep(50_000)
        return unsafe waitpid(pid, &status, WNOHANG) == pid ? exitStatus(status) : nil
    }

    private static func exitStatus(_ status: Int32) -> Int32 {
        let signal = status & 0x7f
        return signal == 0 ? status >> 8 & 0xff : 128 + signal
    }

    private static func spawn(_ arguments: [String], output: Int32) throws(Failure) -> pid_t {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        unsafe posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
        var pointers = unsafe [UnsafeMutablePointer<CChar>?]()
        for argument in ["ghostplug"] + arguments { unsafe pointers.append(strdup(argument)) }
        unsafe pointers.append(nil)
        defer { for index in unsafe pointers.indices { unsafe free(pointers[index]) } }
        var pid: pid_t = 0
        let code = unsafe posix_spawn(&pid, "/proc/self/exe", &actions, nil, &pointers, environ)
        guard code == 0 else { throw Failure("cannot start a process in the background: \(words(code))", .failure) }
        return pid
    }

    private static func copy(from descriptor: Int32) {
        var room = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = unsafe room.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else {
                if count < 0, errno == EINTR { continue }
                return
            }
            var written = 0
            while written < count {
                let sent = unsafe room.withUnsafeBytes { all in
                    unsafe write(STDOUT_FILENO, all.baseAddress.map { unsafe $0 + written }, count - written)
                }
                guard sent > 0 else { return }
                written += sent
            }
        }
    }

    /// Leaves the terminal of whoever started this process, to get none of the signals that it sends.
    static func leaveTerminal() { _ = setsid() }

    /// Lets go of whoever started this process: all that it waited for has been said.
    ///
    /// - Parameter log: a file for what is said from now on; nil for none.
    /// - Throws: ``Failure`` when the file cannot be written.
    static func letGo(log: String?) throws(Failure) {
        let path = log ?? "/dev/null"
        let later = unsafe open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard later >= 0 else { throw Failure("--log \(path): \(words(errno))", .failure) }
        dup2(later, STDERR_FILENO)
        dup2(later, STDOUT_FILENO)
        close(later)
    }

    private static func words(_ code: Int32) -> String {
        unsafe strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
    }
}
