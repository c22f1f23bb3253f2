import Synchronization
public import USBDeviceKit

/// A clock that stands still until a test moves it.
public final class ManualClock: BusClock {
    private struct State {
        var now: UInt64
        var alarms = AlarmQueue()
    }

    private let state: Mutex<State>

    /// Makes a clock that shows `start` nanoseconds.
    public init(at start: UInt64 = 5_000_000_000) { state = Mutex(State(now: start)) }

    /// See ``BusClock/now``.
    public var now: UInt64 { state.withLock { $0.now } }

    /// See ``BusClock/set(_:at:)``.
    public func set(_ alarm: Alarm, at time: UInt64) { state.withLock { $0.alarms.set(alarm, at: time) } }

    /// See ``BusClock/cancel(_:)``.
    public func cancel(_ alarm: Alarm) { state.withLock { $0.alarms.remove(alarm) } }

    /// The next time at which something will happen; nil when nothing is set.
    public var nextAlarm: UInt64? { state.withLock { $0.alarms.earliest } }

    /// How many alarms are set.
    public var alarmCount: Int { state.withLock { $0.alarms.count } }

    /// Moves on by `nanoseconds`, ringing each alarm at its time.
    public func advance(by nanoseconds: UInt64) { advance(to: now + nanoseconds) }

    /// Moves on to `time`, ringing each alarm at its time.
    public func advance(to time: UInt64) {
        while let earliest = nextAlarm, earliest <= time {
            state.withLock { $0.now = max($0.now, earliest) }
            ringDue()
        }
        state.withLock { $0.now = max($0.now, time) }
    }

    /// Moves on to `time` in one step, as when the machine was busy: every alarm that is due rings late.
    public func jump(to time: UInt64) {
        state.withLock { $0.now = max($0.now, time) }
        ringDue()
    }

    private func ringDue() {
        while let alarm = state.withLock({ $0.alarms.popDue(at: $0.now) }) { alarm.ring() }
    }
}
