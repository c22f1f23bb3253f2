import ArgumentParser
import CBenchReference

/// Where host and servers run.
enum Condition: String, CaseIterable {
    case hot
    case cold
    case shared

    /// Makes a condition, for servers and the host of this thread.
    ///
    /// - Parameter start: starts the servers; they run where it runs.
    /// - Returns: what `start` returns, and the processes without which the condition ends.
    /// - Throws: ``Failure`` when the system does not permit the condition, and what `start` throws.
    func enter<R>(_ start: () throws -> R) throws -> (R, [ChildProcess]) {
        guard self != .cold else { return (try start(), []) }
        let all = Machine.processorNumbers
        guard let first = all.first, let last = all.last else { throw Failure("the processors cannot be counted") }
        // Left to itself, the scheduler moves host and server together and apart, which matters more than all else.
        try Self.stay(on: [self == .hot && first != last ? first : last])
        let started = try start()
        // Started from here as well: a spinner picks its processor itself.
        let spinners = self == .hot ? try all.map { try ChildProcess(["spin", "\($0)"], timeout: 5000) } : []
        try Self.stay(on: [last])
        return (started, spinners)
    }

    /// Lets this thread run everywhere again.
    static func leave(_ processors: [Int32]) { try? stay(on: processors) }

    private static func stay(on processors: [Int32]) throws {
        guard unsafe bench_stay_on(processors, Int32(processors.count)) else {
            throw Failure("this process may not choose its processors")
        }
    }
}

/// Conditions on the command line.
enum ConditionFlag: String, EnumerableFlag {
    case hot
    case cold
    case shared
    case both

    var conditions: [Condition] {
        switch self {
        case .hot: [.hot]
        case .cold: [.cold]
        case .shared: [.shared]
        case .both: [.hot, .cold]
        }
    }
}
