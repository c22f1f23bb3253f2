public import USBCore

/// How often the bus serves an isochronous or interrupt endpoint, and with how much.
@frozen public struct PeriodicSchedule: Hashable, Sendable {
    /// The time between services in nanoseconds, a multiple of 125,000 (USB 2.0 §9.6.6).
    public var period: UInt64
    /// The most bytes that one service moves, at least 1.
    public var capacity: Int

    /// Makes a schedule.
    public init(period: UInt64, capacity: Int) {
        self.period = max(period, 125_000)
        self.capacity = max(capacity, 1)
    }

    /// The schedule of an endpoint; nil for bulk and control.
    public init?(_ endpoint: EndpointDescriptor, at speed: Speed) {
        guard let period = endpoint.period(at: speed) else { return nil }
        self.init(period: period, capacity: endpoint.bytesPerServiceInterval(at: speed))
    }

    /// How many services `count` bytes take; an empty packet takes one as well.
    func services(for count: Int) -> UInt64 { UInt64(max(1, (count + capacity - 1) / capacity)) }
}
