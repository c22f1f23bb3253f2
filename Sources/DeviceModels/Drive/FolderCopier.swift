import DiskStores
import Glibc
import Logging
import Synchronization

/// Copies a drive's files out when a client has gone, and when the medium is taken out.
///
/// `@unchecked Sendable`: runs on the thread of the connection that has just ended, before the next client can come,
/// or on the device's executor; ``state`` sees to it that one copies at a time. What it reads changes only through a
/// client, or not at all while the medium is out.
final class FolderCopier: @unchecked Sendable {
    private let built: FolderImage.Built
    private let target: String
    private let source: String
    private let logger: Logger
    private let state = Mutex(State())

    private struct State {
        var failure: String?
        var isInDrive = true
    }

    /// What the last copy could not do; nil when it did all.
    var failure: String? { state.withLock { $0.failure } }

    /// Makes a copier.
    ///
    /// - Throws: ``DiskStoreError`` when it is clear now already that nothing can be written to `target`.
    init(
        _ built: FolderImage.Built, from source: String, to target: String, _ logger: Logger
    ) throws(DiskStoreError) {
        self.built = built
        self.source = source
        self.target = target
        self.logger = logger
        // A folder that is not there yet is made in its parent.
        let place = unsafe access(target, F_OK) == 0 ? target : Self.parent(of: target)
        guard unsafe access(place, W_OK | X_OK) == 0 else {
            throw DiskStoreError(
                .permissionDenied,
                "sync-back=\(target): cannot write to \(place): \(unsafe String(cString: strerror(errno)))")
        }
    }

    private static func parent(of path: String) -> String {
        var path = path[...]
        while path.count > 1, path.hasSuffix("/") { path = path.dropLast() }
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Copies, if the medium is in the drive: what was taken out has been copied then.
    func run() {
        state.withLock { state in
            if state.isInDrive { state.failure = copy() }
        }
    }

    /// Copies what is taken out; a client that detaches later copies nothing.
    func takenOut() {
        state.withLock { state in
            state.failure = copy()
            state.isInDrive = false
        }
    }

    /// The medium is in the drive again.
    func putIn() { state.withLock { $0.isInDrive = true } }

    private func copy() -> String? {
        do throws(DiskStoreError) {
            let result = try FolderImage.extract(
                built.store, to: target, original: isSameFolder ? built.manifest : nil)
            for problem in result.problems { logger.warning("sync-back to \(target): \(problem)") }
            let counts =
                "\(result.written.count) files written, \(result.unchanged) unchanged, \(result.removed.count) removed"
            logger.notice("sync-back to \(target): \(counts)")
            return result.problems.first.map { "sync-back to \(target): \($0)" }
        } catch {
            logger.error("sync-back to \(target) failed: \(error)")
            return "sync-back to \(target): \(error)"
        }
    }

    /// Whether the files go back to where they came from, however that is written.
    private var isSameFolder: Bool {
        var first = stat()
        var second = stat()
        return unsafe stat(source, &first) == 0 && stat(target, &second) == 0 && first.st_dev == second.st_dev
            && first.st_ino == second.st_ino
    }
}
