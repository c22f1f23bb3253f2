import CommandSupport
import Logging
import USBReplay

/// Tells of what a host does otherwise than recorded, as events and in the log.
///
/// Belongs to the device's executor.
final class DivergenceReporter {
    /// How many divergences are logged one by one.
    private static let limit = 20
    /// How many are events that are kept; those beyond are made only while somebody follows.
    private static let keptLimit = 100

    private let events: EventSink
    private let logger: Logger
    private var count = 0

    init(_ context: ModelContext) {
        events = context.events
        logger = context.logger
    }

    func report(_ divergence: Divergence) {
        count += 1
        if count <= Self.limit {
            logger.warning("\(divergence.words)")
        } else if count == Self.limit + 1 {
            logger.warning("more than \(Self.limit) divergences; the report counts them")
        }
        guard count <= Self.keptLimit || events.isWatched else { return }
        events.send(
            "diverged",
            [
                ("what", .string(divergence.kind.rawValue)),
                ("packet", divergence.packet.map { .number($0) } ?? .null),
                ("endpoint", .string("\(divergence.endpoint)")),
                ("request", .string(divergence.subject)),
                ("expected", .string(Self.hex(divergence.expected))),
                ("actual", .string(Self.hex(divergence.actual))),
                ("byte", divergence.firstDifference.map { .number($0) } ?? .null),
                ("words", .string(divergence.words)),
            ])
    }

    private static func hex(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
    }
}
