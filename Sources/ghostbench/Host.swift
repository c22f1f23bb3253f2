import CBenchReference

/// What one round gave.
struct Figures {
    var perSecond: Double
    /// Microseconds.
    var p50: Double
    /// Microseconds.
    var p99: Double
    /// Microseconds of the server's CPU time for a command.
    var cpu: Double

    init(_ figures: bench_figures) throws {
        guard figures.commands > 0, figures.nanoseconds > 0 else { throw Failure("not one command was measured") }
        let commands = Double(figures.commands)
        perSecond = commands / Double(figures.nanoseconds) * 1e9
        p50 = Double(figures.p50_nanoseconds) / 1e3
        p99 = Double(figures.p99_nanoseconds) / 1e3
        cpu = Double(figures.server_cpu_nanoseconds) / commands / 1e3
    }

    /// The median of each figure.
    init(medianOf rounds: [Figures]) {
        func median(_ figure: KeyPath<Figures, Double>) -> Double {
            let sorted = rounds.map { $0[keyPath: figure] }.sorted()
            guard !sorted.isEmpty else { return 0 }
            let middle = sorted.count / 2
            return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
        }
        perSecond = median(\.perSecond)
        p50 = median(\.p50)
        p99 = median(\.p99)
        cpu = median(\.cpu)
    }
}

/// A host that has a server's drive.
@safe final class Host {
    private let host: OpaquePointer

    /// Imports a drive and makes it ready.
    ///
    /// - Throws: ``Failure``.
    init(_ server: ChildProcess, busID: String = "1-1") throws {
        let (host, message) = unsafe Self.withMessage { text, size in
            unsafe bench_host_open(server.number, busID, server.id, text, size)
        }
        guard let host = unsafe host else { throw Failure("importing \(busID): \(message)") }
        unsafe self.host = unsafe host
    }

    deinit { unsafe bench_host_close(host) }

    /// Counts the devices that a server lists.
    ///
    /// - Throws: ``Failure``.
    static func deviceCount(of server: ChildProcess) throws -> Int {
        let (count, message) = unsafe withMessage { text, size in unsafe bench_list(server.number, text, size) }
        guard count >= 0 else { throw Failure("listing devices: \(message)") }
        return Int(count)
    }

    /// Writes the whole drive, reads it back and compares.
    ///
    /// - Throws: ``Failure``.
    func checkDisk() throws { try check(unsafe bench_host_check_disk(host)) }

    /// Repeats a load for a while.
    ///
    /// - Throws: ``Failure`` when an answer is wrong.
    func measure(_ load: Case.Load, seconds: Double) throws -> Figures {
        var figures = bench_figures()
        let nanoseconds = Int64(seconds * 1e9)
        switch load {
        case .command(let command, let bytes):
            try check(unsafe bench_host_measure(host, command, bytes, nanoseconds, &figures))
        case .control(let depth):
            try check(unsafe bench_host_measure_control(host, depth, nanoseconds, &figures))
        }
        return try Figures(figures)
    }

    private func check(_ isRight: Bool) throws {
        guard isRight else { throw Failure(unsafe String(cString: bench_host_error(host))) }
    }

    private static func withMessage<R>(_ body: (UnsafeMutablePointer<CChar>?, Int) -> R) -> (R, String) {
        var text = [CChar](repeating: 0, count: 256)
        let result = unsafe text.withUnsafeMutableBufferPointer { unsafe body($0.baseAddress, $0.count) }
        return (result, String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
    }
}
