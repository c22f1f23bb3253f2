package import Statistics
public import USBCore
public import USBDeviceKit

/// What has moved through one device since it was exported: transfers, bytes, failures, and how long answers took.
///
/// Counted where answers are written, so that it costs a transfer a few instructions; the time is read once for all
/// transfers that arrive together, and once when their answers have been sent. Confined to the device's executor.
@safe public final class Traffic {
    /// What has moved through one endpoint.
    @safe struct Counters {
        var transfers: UInt64 = 0
        var bytes: UInt64 = 0
        var failures: UInt64 = 0
        var cancelled: UInt64 = 0
        /// Those of the transfers whose times are in the distribution.
        var timed: UInt64 = 0
    }

    /// What has moved through one endpoint, to be shown.
    public struct Endpoint {
        /// The endpoint; 0 OUT and 0 IN are one pipe, by the direction of the data.
        public let address: EndpointAddress
        /// Transfers answered.
        public let transfers: UInt64
        /// Bytes moved.
        public let bytes: UInt64
        /// Transfers that ended with an error, stalls among them.
        public let failures: UInt64
        /// Transfers that the host took back.
        public let cancelled: UInt64
        /// Nanoseconds from a transfer's arrival until its answer was sent, the device's waiting for data included.
        package let latency: Histogram
    }

    private let counters: UnsafeMutablePointer<Counters>
    /// Made when first needed: each is some kilobytes.
    private let latencies: UnsafeMutablePointer<Histogram?>
    private let clock: any BusClock
    /// When what is being done now has arrived.
    private var arrived: UInt64 = 0
    /// The endpoints that have answers since then, a bit each.
    private var active: UInt32 = 0
    private var waiting = 0

    /// Transfers that wait in the device.
    public var inFlight: Int { waiting }

    /// Makes counters that stand at zero.
    public init(clock: any BusClock) {
        self.clock = clock
        unsafe counters = .allocate(capacity: 32)
        unsafe counters.initialize(repeating: Counters(), count: 32)
        unsafe latencies = .allocate(capacity: 32)
        unsafe latencies.initialize(repeating: nil, count: 32)
    }

    deinit {
        unsafe counters.deallocate()
        unsafe latencies.deinitialize(count: 32)
        unsafe latencies.deallocate()
    }

    /// The endpoints that were used, in order of their address.
    public var endpoints: [Endpoint] {
        let numbers = UInt8(0)...15
        return (numbers.map { .out($0) } + numbers.map { .in($0) }).compactMap { address in
            let index = Self.index(address)
            let count = unsafe counters[index]
            guard count.transfers > 0 || count.cancelled > 0 else { return nil }
            return Endpoint(
                address: address, transfers: count.transfers, bytes: count.bytes,
                failures: count.failures, cancelled: count.cancelled,
                latency: unsafe latencies[index] ?? Histogram(precision: Self.precision))
        }
    }

    private static let precision = 3

    // MARK: Time

    /// Transfers have arrived.
    public func begin() { arrived = clock.now }

    /// The answers have been sent.
    public func end() {
        guard active != 0 else { return }
        let time = clock.now &- arrived
        while active != 0 {
            let index = active.trailingZeroBitCount
            active &= active &- 1
            let times = unsafe counters[index].transfers &- counters[index].timed
            unsafe counters[index].timed &+= times
            record(time, times: times, at: index)
        }
    }

    private func record(_ time: UInt64, times: UInt64, at index: Int) {
        if unsafe latencies[index] == nil { unsafe latencies[index] = Histogram(precision: Self.precision) }
        unsafe latencies[index]?.record(time, times: times)
    }

    // MARK: Transfers

    /// The device keeps a transfer.
    func kept(_ slot: UnsafeMutablePointer<URBSlot>) {
        unsafe slot.pointee.arrival = arrived
        waiting += 1
    }

    /// A transfer is answered.
    @inline(__always)
    func answered(_ slot: UnsafeMutablePointer<URBSlot>) {
        let index = unsafe Self.index(slot.pointee.endpoint)
        unsafe counters[index].transfers &+= 1
        unsafe counters[index].bytes &+= UInt64(truncatingIfNeeded: slot.pointee.actualLength)
        // Success by its number: to name it is a call into another module.
        if unsafe slot.pointee.status.rawValue != 0 { unsafe counters[index].failures &+= 1 }
        if unsafe slot.pointee.isKept {
            unsafe late(slot, index)
        } else {
            active |= 1 &<< UInt32(truncatingIfNeeded: index)
        }
    }

    @inline(never)
    private func late(_ slot: UnsafeMutablePointer<URBSlot>, _ index: Int) {
        waiting -= 1
        unsafe counters[index].timed &+= 1
        unsafe record(clock.now &- slot.pointee.arrival, times: 1, at: index)
    }

    /// A kept transfer has ended without an answer: the host took it back, or has gone.
    func cancelled(_ slot: UnsafeMutablePointer<URBSlot>) {
        unsafe counters[Self.index(slot.pointee.endpoint)].cancelled &+= 1
        if unsafe slot.pointee.isKept { waiting -= 1 }
    }

    /// The address turned round by one bit: direction last, which takes the fewest instructions.
    private static func index(_ endpoint: EndpointAddress) -> Int {
        let address = Int(endpoint.rawValue)
        return (address &+ address | address &>> 7) & 0x1f
    }
}
