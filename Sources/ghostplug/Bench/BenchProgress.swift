import CommandSupport
import Glibc
import Measurement

/// What is going on, on standard error: a line that is written over where that is a terminal, nothing elsewhere.
final class BenchProgress {
    private let isShown: Bool
    private var isOnLine = false
    private var columns: Int {
        var size = winsize()
        let isKnown = unsafe ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0
        return isKnown && size.ws_col > 0 ? Int(size.ws_col) : 80
    }

    init(isShown: Bool = isatty(STDERR_FILENO) == 1) { self.isShown = isShown }

    /// Shows a line in the last one's place.
    func show(_ line: String) {
        guard isShown else { return }
        StandardError.write("\r\(line.prefix(max(1, columns - 1)))\u{1b}[K")
        isOnLine = true
    }

    /// Leaves no trace.
    func clear() {
        guard isOnLine else { return }
        StandardError.write("\r\u{1b}[K")
        isOnLine = false
    }
}
