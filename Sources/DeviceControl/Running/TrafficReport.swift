import CommandSupport
import Statistics
import USBCore
import USBDeviceKit
import USBIPServer
import USBIPSession

/// A device that was asked what has moved through it.
///
/// It answers when it can: a client that does not read what it asked for can hold a device up for ever.
struct TrafficReading {
    private let answer = Monitor<TrafficReport?>(nil)

    /// Asks; does not wait.
    init(of export: Export) {
        let answer = answer
        export.postReading { traffic, pace in
            let report = TrafficReport(inFlight: traffic.inFlight, endpoints: traffic.endpoints, pace: pace)
            answer.change { $0 = report }
        }
    }

    /// Waits for the answer; nil when there is none in time, or nobody needs it any more.
    func report(until deadline: ContinuousClock.Instant, _ cancellation: Cancellation) -> TrafficReport? {
        cancellation.withHandler({ answer.change { _ in } }) {
            answer.wait(until: deadline) { answer -> TrafficReport?? in
                if let answer { return .some(answer) }
                return cancellation.isCancelled ? .some(nil) : nil
            } ?? nil
        }
    }
}

/// What has moved through a device, as the control protocol has it.
///
/// `@unchecked Sendable`: values only, which those of the endpoints do not say of themselves.
struct TrafficReport: @unchecked Sendable {
    let inFlight: Int
    let endpoints: [Traffic.Endpoint]
    /// Nil where nobody keeps time.
    let pace: PaceStatistics?

    var members: [(String, JSON)] {
        let sum = { (direction: Direction?, value: (Traffic.Endpoint) -> UInt64) in
            JSON.number(
                Int(
                    clamping: endpoints.filter { direction == nil || $0.address.direction == direction }
                        .reduce(UInt64(0)) { $0 &+ value($1) }))
        }
        var members: [(String, JSON)] = [
            ("urbs", sum(nil) { $0.transfers }), ("bytes_in", sum(.in) { $0.bytes }),
            ("bytes_out", sum(.out) { $0.bytes }), ("errors", sum(nil) { $0.failures }),
            ("cancelled", sum(nil) { $0.cancelled }), ("in_flight", .number(inFlight)),
        ]
        if let pace {
            members.append(
                (
                    "pace",
                    .object([
                        ("completed", .number(Int(clamping: pace.completed))),
                        ("late", .number(Int(clamping: pace.late))), ("worst_us", Self.microseconds(pace.worst)),
                    ])
                ))
        }
        members.append(("endpoints", .array(endpoints.map(Self.endpoint))))
        return members
    }

    private static func endpoint(_ endpoint: Traffic.Endpoint) -> JSON {
        let latency = endpoint.latency
        return .object([
            ("endpoint", .string("0x\(RequestWords.hex(endpoint.address.rawValue, 2))")),
            ("urbs", .number(Int(clamping: endpoint.transfers))), ("bytes", .number(Int(clamping: endpoint.bytes))),
            ("errors", .number(Int(clamping: endpoint.failures))),
            ("cancelled", .number(Int(clamping: endpoint.cancelled))),
            (
                "latency_us",
                .object([
                    ("min", microseconds(latency.least)), ("mean", .decimal(latency.mean / 1000, digits: 1)),
                    ("p50", microseconds(latency.quantile(50, of: 100))),
                    ("p90", microseconds(latency.quantile(90, of: 100))),
                    ("p99", microseconds(latency.quantile(99, of: 100))), ("max", microseconds(latency.greatest)),
                ])
            ),
            (
                "histogram",
                .array(
                    latency.octaves.map {
                        .object([("below_us", microseconds($0.below)), ("count", .number(Int(clamping: $0.count)))])
                    })
            ),
        ])
    }

    private static func microseconds(_ nanoseconds: UInt64) -> JSON {
        .decimal(Double(nanoseconds) / 1000, digits: 3)
    }
}
