import ArgumentParser
import CLinux
import CommandSupport
import Glibc

/// Leaves a process of this program behind, once it has said all that there is to say.
///
/// The process that stays is a child, which says with a zero byte that it lets go of whoever waits; without one, waiting is
/// for its end.
struct Background: Sendable {
    /// What is said from now on goes here.
    private let log: Int32

    // MARK: In the process that waits

    /// Starts this program again with other arguments, and passes its output on until it lets go or ends.
    ///
    /// - Returns: its exit status if it has ended; nil when it runs on.
    /// - Throws: ``Failure`` when it cannot be started.
    static func start(_ arguments: [String]) throws(Failure) -> Int32? {
        signal(SIGCHLD, SIG_DFL)
        var ends: (Int32, Int32) = (-1, -1)
        let isPiped = unsafe withUnsafeMutablePointer(to: &ends) { pointer in
            unsafe pointer.withMemoryRebound(to: Int32.self, capacity: 2) { unsafe pipe($0) == 0 }
        }
        guard isPiped else { throw Failure("cannot make a pipe: \(words(errno))", .failure) }
        // Neither these nor what was left open for this process are for one that stays.
        for descriptor in 3..<Int32(1024) { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        let pid = try spawn(arguments, output: ends.1)
        close(ends.1)
        let hasLetGo = copy(from: ends.0)
        close(ends.0)
        guard !hasLetGo else { return nil }
        var status: Int32 = 0
        while unsafe waitpid(pid, &status, 0) != pid {
            guard errno == EINTR else { throw Failure("the process in the background was lost", .failure) }
        }
        return exitStatus(status)
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

    /// - Returns: whether a zero byte came, which is not passed on.
    private static func copy(from descriptor: Int32) -> Bool {
        var room = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = unsafe room.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else {
                if count < 0, errno == EINTR { continue }
                return false
            }
            let text = room[..<count]
            let end = text.firstIndex(of: 0)
            StandardOutput.write(String(decoding: text[..<(end ?? count)], as: UTF8.self))
            if end != nil { return true }
        }
    }

    // MARK: In the process that stays

    /// Gets ready in the process that stays: it ends with the one that waits, until it lets go.
    ///
    /// - Parameters:
    ///   - parent: the process that waits.
    ///   - log: a file for what is said afterwards; nil for none.
    /// - Throws: ``Failure`` when the file cannot be written.
    init(parent: Int32, log: String?) throws(Failure) {
        // A signal of the terminal ends the one that waits, and that is told here, once.
        _ = setsid()
        _ = linux_end_with_parent(parent)
        let path = log ?? "/dev/null"
        self.log = unsafe open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard self.log >= 0 else { throw Failure("--log \(path): \(Self.words(errno))", .failure) }
    }

    /// Lets go of the process that waits: all has been said.
    func letGo() {
        _ = linux_outlive_parent()
        StandardOutput.write("\0")
        dup2(log, STDERR_FILENO)
        dup2(log, STDOUT_FILENO)
        close(log)
    }

    private static func words(_ code: Int32) -> String {
        unsafe strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
    }
}
