/// The time that devices live by, and a way to be woken at a later one.
///
/// One clock serves many devices: it has one thread or none, whatever their number.
public protocol BusClock: AnyObject, Sendable {
    /// Nanoseconds since a fixed moment in the past; never goes back.
    ///
    /// The bus's frames begin at whole milliseconds of it, its microframes at multiples of 125 µs.
    var now: UInt64 { get }

    /// Rings `alarm` once, at `time` or as soon afterwards as possible; replaces what was set before.
    ///
    /// Callable from any thread.
    func set(_ alarm: Alarm, at time: UInt64)

    /// Forgets what was set for `alarm`; one that is ringing at this moment may still ring.
    func cancel(_ alarm: Alarm)
}

/// Work that a ``BusClock`` does at a time that is set again and again, on a device's executor.
///
/// `@unchecked Sendable`: `place` belongs to the clock's ``AlarmQueue``, which the clock guards; the rest does not change.
public final class Alarm: @unchecked Sendable {
    /// Where the queue has the alarm; -1 when it is not set.
    fileprivate var place = -1
    private let port: any DevicePort
    private let work: @Sendable () -> Void

    /// Makes an alarm that is not set.
    ///
    /// - Parameters:
    ///   - port: names the executor.
    ///   - work: must not retain what owns the alarm.
    public init(_ port: any DevicePort, _ work: @escaping @Sendable () -> Void) {
        self.port = port
        self.work = work
    }

    /// Sets the alarm: see ``BusClock/set(_:at:)``.
    public func set(at time: UInt64) { port.clock.set(self, at: time) }

    /// Forgets the time that was set.
    ///
    /// An alarm that is ringing at this moment may still ring: its work looks at the time.
    public func cancel() { port.clock.cancel(self) }

    /// Has the work done; called by the clock.
    public func ring() { port.post(work) }
}

/// Alarms by time, earliest first: what every ``BusClock`` needs.
///
/// Not safe for concurrent use.
public struct AlarmQueue {
    private var heap: [(time: UInt64, alarm: Alarm)] = []

    /// Makes an empty queue.
    public init() {}

    /// The earliest time set; nil when no alarm is.
    public var earliest: UInt64? { heap.first?.time }

    /// How many alarms are set.
    public var count: Int { heap.count }

    /// Sets or moves an alarm.
    ///
    /// - Complexity: O(log *n*) in the alarms that are set.
    public mutating func set(_ alarm: Alarm, at time: UInt64) {
        if heap.indices.contains(alarm.place) {
            heap[alarm.place].time = time
            siftDown(siftUp(alarm.place))
        } else {
            alarm.place = heap.count
            heap.append((time, alarm))
            siftUp(alarm.place)
        }
    }

    /// Takes an alarm out.
    public mutating func remove(_ alarm: Alarm) {
        let index = alarm.place
        guard heap.indices.contains(index) else { return }
        exchange(index, heap.count - 1)
        heap.removeLast()
        alarm.place = -1
        if heap.indices.contains(index) { siftDown(siftUp(index)) }
    }

    /// Takes out the earliest alarm if its time has come.
    public mutating func popDue(at now: UInt64) -> Alarm? {
        guard let first = heap.first, first.time <= now else { return nil }
        remove(first.alarm)
        return first.alarm
    }

    @discardableResult
    private mutating func siftUp(_ index: Int) -> Int {
        var index = index
        while index > 0, heap[index].time < heap[(index - 1) / 2].time {
            exchange(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
        return index
    }

    private mutating func siftDown(_ index: Int) {
        var index = index
        while true {
            let children = (2 * index + 1)..<min(2 * index + 3, max(heap.count, 2 * index + 1))
            guard let child = children.min(by: { heap[$0].time < heap[$1].time }),
                heap[child].time < heap[index].time
            else { return }
            exchange(index, child)
            index = child
        }
    }

    private mutating func exchange(_ first: Int, _ second: Int) {
        heap.swapAt(first, second)
        heap[first].alarm.place = first
        heap[second].alarm.place = second
    }
}
