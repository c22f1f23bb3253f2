import Glibc

/// What a program left behind.
struct ProgramOutcome: Sendable {
    /// The exit code, or 128 plus the signal that ended it.
    var status: Int32
    /// The beginning of what it wrote, both outputs.
    var output: String
}

/// Runs a system program to its end, without a shell.
enum Program {
    private static let folders = ["/sbin", "/usr/sbin", "/bin", "/usr/bin"]
    private static let outputLimit = 8192

    /// Runs a program that the system has in one of its own folders: never one from `PATH`, since this runs as root.
    ///
    /// - Parameter arguments: the program's name, then its arguments.
    /// - Returns: nil when there is no such program, or it cannot be started.
    static func run(_ arguments: [String]) -> ProgramOutcome? {
        guard let name = arguments.first, let program = find(name) else { return nil }
        var ends: [Int32] = [-1, -1]
        // A socket pair and not a pipe: only here is close-on-exec set in the same call.
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        guard unsafe socketpair(AF_UNIX, kind, 0, &ends) == 0 else { return nil }
        defer { close(ends[0]) }
        let child = start(program, arguments, output: ends[1])
        close(ends[1])
        guard let child else { return nil }
        let output = collect(from: ends[0])
        var status: Int32 = 0
        while unsafe waitpid(child, &status, 0) < 0 {
            guard errno == EINTR else { return nil }
        }
        let signal = status & 0x7f
        return ProgramOutcome(status: signal == 0 ? (status >> 8) & 0xff : 128 + signal, output: output)
    }

    private static func find(_ name: String) -> String? {
        for folder in folders {
            let path = "\(folder)/\(name)"
            if unsafe access(path, X_OK) == 0 { return path }
        }
        return nil
    }

    private static func start(_ program: String, _ arguments: [String], output: Int32) -> pid_t? {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        unsafe posix_spawn_file_actions_adddup2(&actions, output, 1)
        unsafe posix_spawn_file_actions_adddup2(&actions, output, 2)
        // What it says is looked at, so it has to be in English.
        let variables = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"]
        var argv: [UnsafeMutablePointer<CChar>?] = unsafe arguments.map { unsafe strdup($0) } + [nil]
        var envp: [UnsafeMutablePointer<CChar>?] = unsafe variables.map { unsafe strdup($0) } + [nil]
        defer { unsafe (argv + envp).forEach { unsafe free($0) } }
        var child: pid_t = 0
        return unsafe posix_spawn(&child, program, &actions, nil, &argv, &envp) == 0 ? child : nil
    }

    private static func collect(from end: Int32) -> String {
        var kept: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = unsafe read(end, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return String(decoding: kept, as: UTF8.self) }
            kept += buffer.prefix(min(count, outputLimit - kept.count))
        }
    }
}
