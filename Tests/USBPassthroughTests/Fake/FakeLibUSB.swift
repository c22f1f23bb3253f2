import CLibUSB
import Glibc
import USBCore
import USBPassthrough

/// A bus in memory behind libusb's functions, which does what a test says and punishes what the library would.
///
/// What it refuses, and in which state, follows libusb on Linux. Callbacks are called by the thread that handles a
/// connection's events, and by no other. What would be undefined behaviour with the library is listed in
/// ``violations``; what should have been given back and was not, in ``leftovers``.
///
/// `@unchecked Sendable`: everything that changes is only touched under `monitor`.
final class FakeLibUSB: @unchecked Sendable {
    /// An open device.
    struct Connection {
        var id: Int
        var context: Int
        var key: Int
        var path: String
        var isOpen = true
        var isGone = false
        var claims: Set<UInt8> = []
        /// What has ended and waits for its callback, oldest first.
        var ended: [TransferMemory] = []
        var isInterrupted = false
        /// The thread that handles events, or did last.
        var eventThread: UInt?
        var isHandlingEvents = false
        /// How many calls are under way, the handling of events among them.
        var calls = 0
    }

    let monitor = Monitor()
    var devices: [Int: FakeDevice] = [:] {
        didSet { tellOfChanges(oldValue) }
    }
    /// Told of a device whose configuration or drivers have changed, as sysfs is; under the lock.
    var onChange: (FakeDevice) -> Void = { _ in }
    var connections: [Int: Connection] = [:]
    /// Every transfer that was ever allocated, by its address.
    var memory: [UInt: TransferMemory] = [:]
    var journalled: [FakeCall] = []
    var violated: [String] = []
    var failures: [FakeFailure] = []
    var holds: [Int: FakeHold] = [:]
    var threadsInCallbacks: Set<UInt> = []
    var submittedTransfers: [FakeTransfer] = []
    var holdCount = 0
    var contexts: Set<Int> = []
    var contextCount = 0
    var holdsEvents = false
    var cancellingMode = FakeCancelling.cancelled
    var memoryLimitInBytes: Int?
    /// Memory that the kernel shares, by its address: its size.
    var shared: [UInt: Int] = [:]
    /// Whether there is such memory to be had.
    var isSharing = true

    // MARK: The bus

    /// Plugs a device in.
    func plug(_ device: FakeDevice) {
        monitor.withLock {
            devices[Self.key(device.listed.bus, device.listed.address)] = device
            monitor.notify()
        }
    }

    /// Pulls a device out: whatever is in flight ends, and open connections lead nowhere.
    func unplug(_ path: String) {
        monitor.withLock {
            for (key, device) in devices where device.listed.path == path { devices[key] = nil }
            for (id, connection) in connections where connection.path == path && connection.isOpen {
                connections[id]?.isGone = true
                for transfer in inFlight(of: id) { end(transfer, .failed(.noDevice)) }
            }
            monitor.notify()
        }
    }

    /// The device at a path, as it is now.
    func device(_ path: String) -> FakeDevice? {
        monitor.withLock { devices.values.first { $0.listed.path == path } }
    }

    /// Changes the device at a path behind everybody's back.
    func change(_ path: String, _ body: (inout FakeDevice) -> Void) {
        monitor.withLock {
            for (key, var device) in devices where device.listed.path == path {
                body(&device)
                devices[key] = device
            }
            monitor.notify()
        }
    }

    /// Halts an endpoint: what is in flight there, and what comes, is answered STALL until the halt is cleared.
    func halt(_ endpoint: EndpointAddress, of path: String) {
        monitor.withLock {
            change(path) { $0.halted.insert(endpoint) }
            for (id, connection) in connections where connection.path == path && connection.isOpen {
                for transfer in inFlight(of: id) where transfer.snapshot.endpoint == endpoint {
                    end(transfer, .failed(.stall))
                }
            }
        }
    }

    // MARK: Scripts

    /// Has the next calls of a function fail; with `arguments`, those that have these.
    func fail(_ function: FakeFunction, _ error: LibUSBError, at arguments: String? = nil, times: Int = 1) {
        monitor.withLock {
            failures.append(FakeFailure(function: function, arguments: arguments, error: error, count: times))
            monitor.notify()
        }
    }

    /// Forgets failures that nobody has met yet.
    func forgetFailures() { monitor.withLock { failures = [] } }

    /// Has calls of a function wait until ``letGo(_:)``.
    func hold(_ function: FakeFunction, _ arguments: String? = nil) -> Int {
        monitor.withLock {
            holdCount += 1
            holds[holdCount] = FakeHold(function: function, arguments: arguments)
            return holdCount
        }
    }

    /// Whether a call waits at a hold, or comes to.
    func isReached(_ hold: Int) -> Bool { waits { (self.holds[hold]?.waiting ?? 0) > 0 } }

    /// Lets the calls that wait at a hold go on, and those to come.
    func letGo(_ hold: Int) {
        monitor.withLock {
            holds[hold] = nil
            monitor.notify()
        }
    }

    /// Keeps callbacks back, so that several transfers end together.
    func holdEvents() { monitor.withLock { holdsEvents = true } }

    /// Calls the callbacks that were kept back.
    func letEventsGo() {
        monitor.withLock {
            holdsEvents = false
            monitor.notify()
        }
    }

    /// What happens when a transfer's return is asked for.
    var cancelling: FakeCancelling {
        get { monitor.withLock { cancellingMode } }
        set { monitor.withLock { cancellingMode = newValue } }
    }

    /// How many bytes can be in flight in the whole system, as the kernel's `usbfs_memory_mb` has it; nil for any.
    var memoryLimit: Int? {
        get { monitor.withLock { memoryLimitInBytes } }
        set { monitor.withLock { memoryLimitInBytes = newValue } }
    }

    // MARK: What a test sees

    /// Waits until `condition` holds, looking whenever something has happened here.
    ///
    /// - Returns: whether it came to hold before the limit.
    func waits(until condition: () -> Bool) -> Bool { monitor.withLock { monitor.wait(until: condition) } }

    /// Every call, in order.
    var journal: [FakeCall] { monitor.withLock { journalled } }

    /// The calls that change a device's state, in order, as ``FakeCall/description`` has them.
    var history: [String] { history(of: nil) }

    /// The calls that change the state of the device at a path.
    func history(of path: String?) -> [String] {
        journal.filter { $0.function.changesDevice && (path == nil || path == $0.path) }.map(\.description)
    }

    /// How often a function was called.
    func count(_ function: FakeFunction) -> Int { journal.filter { $0.function == function }.count }

    /// What was done that libusb's rules forbid.
    var violations: [String] { monitor.withLock { violated } }

    /// What has not been given back: connections, interfaces, kernel drivers, transfers.
    var leftovers: [String] {
        monitor.withLock {
            var all: [String] = []
            for connection in connections.values where connection.isOpen {
                all.append("\(connection.path) is open, interfaces \(connection.claims.sorted()) are claimed")
            }
            for device in devices.values {
                let missing = device.driven.intersection(device.interfaces).subtracting(device.bound)
                if !missing.isEmpty { all.append("\(device.listed.path): no driver on \(missing.sorted())") }
            }
            if !shared.isEmpty { all.append("\(shared.count) pieces of shared memory were not freed") }
            let unfreed = memory.values.filter { $0.state != .freed }.count
            if unfreed > 0 { all.append("\(unfreed) transfers were not freed") }
            return all
        }
    }

    // MARK: What the parts share; all under the lock

    private func tellOfChanges(_ old: [Int: FakeDevice]) {
        for (key, device) in devices {
            guard let before = old[key], before.configuration != device.configuration || before.bound != device.bound
            else { continue }
            onChange(device)
        }
    }

    static func key(_ bus: UInt8, _ address: UInt8) -> Int { Int(bus) << 8 | Int(address) }

    static var thisThread: UInt { UInt(pthread_self()) }

    func violate(_ text: String) { violated.append(text) }

    func inFlight(of connection: Int) -> [TransferMemory] {
        memory.values.filter { $0.state == .inFlight && $0.connection == connection }
            .sorted { $0.snapshot.number < $1.snapshot.number }
    }

    /// Notes a call and lets it wait where it is to.
    ///
    /// - Returns: its place in the journal.
    private func enter(_ function: FakeFunction, _ path: String, _ arguments: String) -> Int {
        let isInCallback = threadsInCallbacks.contains(Self.thisThread)
        if isInCallback, !function.isAllowedInCallback { violate("\(function) was called from a callback") }
        let place = journalled.count
        journalled.append(
            FakeCall(
                function: function, path: path, arguments: arguments,
                isOnEventThread: connections.values.contains { $0.isOpen && $0.eventThread == Self.thisThread },
                isInCallback: isInCallback))
        monitor.notify()
        let held = holds.first { _, hold in
            hold.function == function && (hold.arguments == nil || hold.arguments == arguments)
        }
        guard let id = held?.key else { return place }
        holds[id]?.waiting += 1
        monitor.notify()
        if !monitor.wait(seconds: 10 * Monitor.limit, until: { holds[id] == nil }) {
            violate("\(function) \(arguments) was held and never let go")
        }
        return place
    }

    private func takeFailure(_ function: FakeFunction, _ arguments: String) -> LibUSBError? {
        let index = failures.firstIndex { failure in
            failure.function == function && (failure.arguments == nil || failure.arguments == arguments)
        }
        guard let index else { return nil }
        failures[index].count -= 1
        let error = failures[index].error
        if failures[index].count <= 0 { failures.remove(at: index) }
        return error
    }

    /// Runs a function of the table: notes it, lets it wait or fail where a script says so, and does its work.
    func perform<R>(
        _ function: FakeFunction, _ path: String = "", _ arguments: String = "",
        _ body: () throws(LibUSBError) -> R
    ) throws(LibUSBError) -> R {
        try monitor.withLock { () throws(LibUSBError) -> R in
            let place = enter(function, path, arguments)
            defer { monitor.notify() }
            do throws(LibUSBError) {
                if let error = takeFailure(function, arguments) { throw error }
                return try body()
            } catch {
                journalled[place].error = error
                throw error
            }
        }
    }
}
