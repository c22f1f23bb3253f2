import USBCore
import USBDeviceKit

/// An interrupt IN endpoint with a report every so often, whether or not the host asks: a keyboard that types by itself.
///
/// Reports are made on a fixed schedule. One that the host has not fetched waits; of too many, the oldest is lost.
final class ReportSource: EndpointHandler {
    let address: EndpointAddress
    private(set) var counts = EndpointCounts()
    private let period: UInt64
    private let size: Int
    private var memory: PatternMemory
    private weak var link: GadgetLink?
    private var alarm: Alarm?
    /// When the next report is to be made; nil while none are.
    private var next: UInt64?
    /// The number of the next report.
    private var made: UInt64 = 0
    /// Reports that wait for the host; since they are numbered in order, the times they were made at say all.
    private var times: ArraySlice<UInt64> = []
    private var waiting = URBQueue()

    /// The most reports kept for a host that does not ask.
    static let capacity = 256
    /// A number and a time.
    static let headerSize = 16

    /// Makes a source with a report of `size` bytes each `milliseconds`, which starts when told to.
    init(_ address: EndpointAddress, _ pattern: TestPattern, size: Int, milliseconds: Int) {
        self.address = address
        self.size = size
        period = UInt64(max(1, milliseconds)) &* 1_000_000
        memory = PatternMemory(pattern, period: size)
    }

    // MARK: Time

    /// Is given the clock, as part of a device.
    func attached(to link: GadgetLink) { self.link = link }

    /// Gets ready for a host.
    func connect() {
        let reference = WeakReference(self)
        alarm = link?.makeAlarm { reference.source?.ring() }
    }

    /// Makes reports from now on, the first one after a period, numbered from 0.
    func start() {
        stop()
        guard let alarm, let link else { return }
        let first = link.now &+ period
        next = first
        alarm.set(at: first)
    }

    /// Makes no more reports, and forgets those that were not fetched.
    func stop() {
        alarm?.cancel()
        next = nil
        made = 0
        times = []
        counts = EndpointCounts()
    }

    private func ring() {
        // The alarm may have been on its way when it was cancelled or set anew.
        guard let link, let due = next, link.now >= due else { return }
        makeReports(from: due, until: link.now)
        answer()
        // From the schedule and not from now on: what is late once does not stay late.
        if let next { alarm?.set(at: next) }
    }

    private func makeReports(from due: UInt64, until now: UInt64) {
        let count = (now - due) / period + 1
        // A machine that stood still for long must not make one by one what is lost anyway.
        let lost = count > UInt64(Self.capacity) ? count - UInt64(Self.capacity) : 0
        if lost > 0 {
            lose(UInt64(times.count) &+ lost)
            times = []
        }
        for index in lost..<count {
            if times.count == Self.capacity {
                times.removeFirst()
                lose(1)
            }
            times.append(due &+ index &* period)
        }
        made &+= count
        next = due &+ count &* period
    }

    private func lose(_ count: UInt64) { counts.lost &+= count }

    // MARK: Transfers

    func submit(_ urb: consuming URB) {
        waiting.append(urb)
        answer()
    }

    /// Brings reports and transfers together, oldest first.
    ///
    /// Whoever gets a transfer back may submit the next at once, and so find this going on with the next report.
    private func answer() {
        while let time = times.first, let urb = waiting.popFirst() {
            let number = made &- UInt64(times.count)
            times.removeFirst()
            let count = min(size, urb.requestedLength)
            counts.add(bytes: count)
            urb.complete(reserving: count) { output in
                unsafe output.withUnsafeMutableBytes { room, initialized in
                    unsafe memory.fill(room, numbered: number)
                    if room.count > 8 {
                        unsafe Self.store(time, in: UnsafeMutableRawBufferPointer(rebasing: room[8...]))
                    }
                    initialized = room.count
                }
                return .success
            }
        }
    }

    private static func store(_ time: UInt64, in room: UnsafeMutableRawBufferPointer) {
        for index in 0..<min(8, room.count) {
            unsafe room[index] = UInt8(truncatingIfNeeded: time >> UInt64(8 * index))
        }
    }

    func cancel(_ id: URB.ID) -> Bool {
        guard let urb = waiting.remove(id) else { return false }
        urb.complete(.cancelled)
        return true
    }

    func completeAll(_ status: TransferStatus) { waiting.completeAll(status) }
}

/// Lets an alarm find its source without keeping it.
///
/// `@unchecked Sendable`: only used on the device's executor.
private final class WeakReference: @unchecked Sendable {
    weak var source: ReportSource?
    init(_ source: ReportSource) { self.source = source }
}
