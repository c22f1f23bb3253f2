import USBDeviceKit

/// Something that waits for a time.
protocol Waiting: AnyObject {
    /// Does what is due, and asks to be woken for the rest.
    func wake()
}

/// Wakes the parts of a replayed device when their time has come, with one alarm for all.
///
/// Belongs to the device's executor.
final class ReplayClock {
    private var port: (any DevicePort)?
    private var alarm: Alarm?
    private var alarmTime = UInt64.max
    private var sleepers: [any Waiting] = []

    /// The time; 0 before the device is attached.
    var now: UInt64 { port?.clock.now ?? 0 }

    func attach(to port: any DevicePort) {
        self.port = port
        let reference = WeakClock(self)
        alarm = Alarm(port) { reference.clock?.ring() }
    }

    /// Has `sleeper` woken whenever anybody's time has come.
    func add(_ sleeper: any Waiting) { sleepers.append(sleeper) }

    /// Rings at `time`, if nothing rings earlier.
    func wake(at time: UInt64) {
        guard time < alarmTime else { return }
        alarmTime = time
        alarm?.set(at: time)
    }

    /// Forgets what was set.
    func stop() {
        alarm?.cancel()
        alarmTime = .max
    }

    private func ring() {
        alarmTime = .max
        for sleeper in sleepers { sleeper.wake() }
    }
}

/// Lets an alarm find its clock without keeping it.
///
/// `@unchecked Sendable`: only used on the device's executor.
private final class WeakClock: @unchecked Sendable {
    weak var clock: ReplayClock?
    init(_ clock: ReplayClock) { self.clock = clock }
}
