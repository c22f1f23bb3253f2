import Glibc
import SocketIO

/// What tests arrange: the system's answers that no folder can give, and time.
struct SystemCalls: Sendable {
    /// Writes a text to a file that exists, in one call; answers 0 or the error number.
    var write: @Sendable (_ path: String, _ text: String) -> Int32
    /// Runs a program to its end; nil when there is none.
    var run: @Sendable (_ arguments: [String]) -> ProgramOutcome?
    /// Milliseconds of a clock that never jumps.
    var now: @Sendable () -> Int64
    /// Lets milliseconds pass.
    var pause: @Sendable (Int32) -> Void
    /// Whether this process is root's.
    var isRoot: @Sendable () -> Bool

    /// The real ones.
    static let live = Self(
        write: { path, text in FileAccess.write(text, to: path) },
        run: { Program.run($0) },
        now: {
            var time = timespec()
            unsafe clock_gettime(CLOCK_MONOTONIC, &time)
            return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
        },
        pause: { SocketIO.pause(milliseconds: $0) },
        isRoot: { geteuid() == 0 }
    )
}
