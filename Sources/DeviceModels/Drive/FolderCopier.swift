import DiskStores
import Glibc
import Logging

/// Copies a drive's files out when a client has gone.
///
/// `@unchecked Sendable`: runs on the thread of the connection that has just ended, before the next client can come;
/// `failure` is read when the last one has gone.
final class FolderCopier: @unchecked Sendable {
    private let built: FolderImage.Built
    private let target: String
    private let source: String
    private let logger: Logger
    /// What the last copy could not do; nil when it did all.
    private(set) var failure: String?

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

    func run() {
        failure = nil
        do throws(DiskStoreError) {
            let result = try FolderImage.extract(
                built.store, to: target, original: isSameFolder ? built.manifest : nil)
            for problem in result.problems { logger.warning("sync-back to \(target): \(problem)") }
            if let problem = result.problems.first { failure = "sync-back to \(target): \(problem)" }
            let counts =
                "\(result.written.count) files written, \(result.unchanged) unchanged, \(result.removed.count) removed"
            logger.notice("sync-back to \(target): \(counts)")
        } catch {
            failure = "sync-back to \(target): \(error)"
            logger.error("sync-back to \(target) failed: \(error)")
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
