import Glibc
import SocketIO
import Synchronization
public import USBDeviceKit

/// A connection that the ``EventThread`` reads for.
protocol ReadinessHandler: AnyObject, Sendable {
    var socket: StreamSocket { get }

    /// Something can be read.
    ///
    /// - Returns: whether to go on watching.
    func ready() -> Bool

    /// The connection is watched no longer.
    func released()
}

/// One thread for everything that happens now and then: it keeps the time of all buses, and reads for the connections
/// that have nothing but periodic transfers.
///
/// It does the devices' work itself where their executors are free. Two hundred polled keyboards thus cost a wake-up a
/// millisecond, not one for each report and another for each answer; a connection that moves bulk data has a thread of its
/// own, which is faster for it.
public final class EventThread: BusClock {
    /// The thread; it starts when it is first needed, and lives as long as the process.
    public static let shared = EventThread()

    private struct State {
        var alarms = AlarmQueue()
        /// When the timer is set to expire.
        var timer = UInt64.max
        var isRunning = false
        /// Whether the thread is between two waits: it sets the timer itself before the next.
        var isAwake = false
    }

    private let state = Mutex(State())
    private let poller: ReadinessPoller

    private init() {
        do throws(SocketError) {
            poller = try ReadinessPoller()
        } catch {
            preconditionFailure("the server cannot begin: \(error)")
        }
    }

    // MARK: The clock

    /// See ``BusClock/now``.
    public var now: UInt64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
    }

    /// See ``BusClock/set(_:at:)``.
    public func set(_ alarm: Alarm, at time: UInt64) {
        state.withLock { state in
            state.alarms.set(alarm, at: time)
            start(&state)
            guard !state.isAwake, time < state.timer else { return }
            state.timer = time
            poller.setTimer(time)
        }
    }

    /// See ``BusClock/cancel(_:)``.
    public func cancel(_ alarm: Alarm) { state.withLock { $0.alarms.remove(alarm) } }

    // MARK: Connections

    /// Reads for a connection until it says otherwise.
    ///
    /// - Throws: ``SocketError`` when that is not possible; the caller then reads by itself.
    func watch(_ handler: any ReadinessHandler) throws(SocketError) {
        guard state.withLock({ start(&$0) }) else { throw SocketError("there is no thread for events") }
        let watched = Watched(handler)
        let reference = unsafe Unmanaged.passRetained(watched)
        let tag = unsafe UInt64(UInt(bitPattern: reference.toOpaque()))
        do throws(SocketError) {
            try poller.add(handler.socket, tag: tag)
        } catch {
            unsafe reference.release()
            throw error
        }
    }

    private final class Watched: Sendable {
        let handler: any ReadinessHandler
        init(_ handler: any ReadinessHandler) { self.handler = handler }
    }

    private func isReadable(_ tag: UInt64) {
        guard let address = unsafe UnsafeRawPointer(bitPattern: UInt(tag)) else { return }
        // Alive until this thread, and no other, lets go of it.
        let reference = unsafe Unmanaged<Watched>.fromOpaque(address)
        let handler = unsafe reference.takeUnretainedValue().handler
        guard !handler.ready() else { return }
        poller.remove(handler.socket)
        unsafe reference.release()
        handler.released()
    }

    // MARK: The thread

    @discardableResult
    private func start(_ state: inout State) -> Bool {
        guard !state.isRunning else { return true }
        state.isRunning = true
        state.isAwake = true
        do throws(SocketError) {
            try startThread("events") { [self] in run() }
        } catch {
            // The next alarm tries again.
            state.isRunning = false
            state.isAwake = false
        }
        return state.isRunning
    }

    private func run() {
        var due: [Alarm] = []
        while true {
            state.withLock { state in
                let now = now
                while let alarm = state.alarms.popDue(at: now) { due.append(alarm) }
                guard due.isEmpty else { return }
                state.isAwake = false
                let earliest = state.alarms.earliest ?? .max
                guard earliest != state.timer else { return }
                state.timer = earliest
                poller.setTimer(earliest)
            }
            let isBlocking = due.isEmpty
            for alarm in due { alarm.ring() }
            due.removeAll(keepingCapacity: true)
            // Alarms that are always due again must not keep connections waiting.
            poller.wait(isBlocking: isBlocking) { tags in
                // From now on alarms are only noted: the timer is set before the next wait.
                state.withLock { $0.isAwake = true }
                for index in tags.indices {
                    if tags[index] == ReadinessPoller.timerTag {
                        state.withLock { $0.timer = .max }
                    } else {
                        isReadable(tags[index])
                    }
                }
            }
        }
    }
}
