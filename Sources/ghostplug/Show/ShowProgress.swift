import CommandSupport
import Glibc

/// How far reading has come, on standard error: nothing where that is no terminal, and nothing in the first second.
final class ShowProgress {
    private let isShown: Bool
    private let start = ContinuousClock.now
    private var shown: ContinuousClock.Instant?

    init(isShown: Bool = isatty(STDERR_FILENO) == 1) { self.isShown = isShown }

    /// Shows what is being done, and how much of it is done.
    func show(_ what: String, _ done: Int64, of all: Int64) {
        guard isShown, all > 0 else { return }
        let now = ContinuousClock.now
        guard now - start > .seconds(1), shown.map({ now - $0 > .milliseconds(200) }) ?? true else { return }
        shown = now
        let percent = Int((Double(done) / Double(all) * 100).rounded(.down))
        StandardError.write("\r\(what): \(min(max(percent, 0), 100)) %\u{1b}[K")
    }

    /// Leaves no trace.
    func clear() {
        guard shown != nil else { return }
        StandardError.write("\r\u{1b}[K")
        shown = nil
    }
}
