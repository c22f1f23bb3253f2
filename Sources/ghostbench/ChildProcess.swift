import CBenchReference
import Glibc

/// A child process of this executable: a server, or what keeps a processor awake.
///
/// It ends with this object, or with this process, however that ends.
@safe final class ChildProcess {
    let id: pid_t
    /// What the child announced when it was ready: a server's port.
    let number: UInt16
    /// Nanoseconds from its start to its announcement.
    let startTime: Int64

    /// Starts a child and waits for its announcement.
    ///
    /// - Parameters:
    ///   - arguments: a hidden subcommand and its arguments, `--parent` aside.
    ///   - file: becomes the child's descriptor 4.
    /// - Throws: ``Failure`` when it does not get ready; it has then said why.
    init(_ arguments: [String], file: Int32 = -1, timeout: Int32 = 120_000) throws {
        let name = arguments.first ?? "child"
        var output: Int32 = -1
        let started = bench_now()
        let all = ["ghostbench"] + arguments + ["--parent", "\(getpid())"]
        let child = Self.spawn(all, &output, file)
        guard child > 0 else { throw Failure("cannot start '\(name)': \(unsafe String(cString: strerror(-child)))") }
        let announced = bench_read_number(output, timeout)
        startTime = bench_now() - started
        close(output)
        guard let number = UInt16(exactly: announced) else {
            bench_end(child)
            throw Failure("'\(all.dropFirst().dropLast(2).joined(separator: " "))' did not get ready")
        }
        id = child
        self.number = number
    }

    deinit { bench_end(id) }

    /// The most memory that it has had resident at once, in bytes.
    func peakMemory() throws -> Int64 {
        let bytes = bench_peak_memory(id)
        guard bytes > 0 else { throw Failure("the memory of process \(id) cannot be told; has it ended?") }
        return bytes
    }

    /// Stops what keeps processors awake for a moment, so that others get a turn.
    static func rest(_ children: [ChildProcess]) {
        guard !children.isEmpty else { return }
        let ids = children.map(\.id)
        unsafe bench_rest(ids, Int32(ids.count))
    }

    private static func spawn(_ arguments: [String], _ output: inout Int32, _ file: Int32) -> pid_t {
        var pointers = unsafe arguments.map { unsafe strdup($0) }
        unsafe pointers.append(nil)
        defer { unsafe pointers.forEach { unsafe free($0) } }
        return unsafe bench_spawn(pointers, &output, file)
    }
}
