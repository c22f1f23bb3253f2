import DirectHost
import Logging
import SocketIO
import Testing
import USBCore
import USBDeviceKit

@testable import USBPassthrough

/// A real device on a fake bus, with a host before it.
final class Bench {
    let fake = FakeLibUSB()
    let files = BusFiles()
    let notes = LogNotes()
    let path: String
    let real: RealDevice
    /// Notices what is plugged in and out, when the test says so.
    let watch = PlugWatch(isManual: true)
    private let plugged: ListedDevice
    private let driven: Set<UInt8>
    private let host: DirectHost
    private let news = News()
    /// What the device says to whoever offers it.
    let tap: PortTap
    private var isImported = false

    /// Plugs a device in and offers it.
    ///
    /// - Parameters:
    ///   - driven: the interfaces that kernel drivers have.
    ///   - imports: whether a host imports it at once.
    init(
        driven: Set<UInt8> = [0, 1], imports: Bool = true, resets: Bool = true,
        change: (inout FakeDevice) -> Void = { _ in }
    ) throws {
        var device = FakeDevice(.sample(), driven: driven)
        change(&device)
        path = device.listed.path
        plugged = device.listed
        self.driven = driven
        files.add(device)
        fake.plug(device)
        var options = RealDevice.Options()
        options.resets = resets
        let selector = try DeviceSelector(parsing: path)
        real = try RealDevice(
            selector, Inventory(fake.table, root: files.root), fake.table, watch: watch, options: options,
            logger: notes.logger)
        tap = PortTap(real.device)
        host = DirectHost(tap)
        let news = news
        host.onCompletion = { _ in news.add() }
        fake.monitor.withLock { fake.onChange = { [files] in files.update($0) } }
        if imports { try importDevice() }
    }

    deinit {
        // Only failed tests come here without having detached; the host must outlive its transfers.
        on { host in host.device.disconnect() }
        fake.finishAll()
        _ = settle { $0.waiting.isEmpty }
        real.close()
    }

    /// The bus and the address as calls have them.
    var address: String { fake.device(path).map { "\($0.listed.bus).\($0.listed.address)" } ?? "gone" }

    // MARK: Import and release

    /// Has a host import the device.
    func importDevice() throws(ImportRefusal) {
        try real.open()
        on { $0.device.connect() }
        isImported = true
    }

    /// Has the host go, and gives the device back.
    func detach() {
        on { $0.device.disconnect() }
        if isImported { real.release() }
        isImported = false
    }

    /// Ends the test's use of the device: gives it back, and sees that all was in order.
    func finish(leftovers: [String] = [], _ location: SourceLocation = #_sourceLocation) {
        detach()
        #expect(settle { $0.waiting.isEmpty }, "every transfer comes back", sourceLocation: location)
        #expect(fake.violations == [], sourceLocation: location)
        #expect(fake.leftovers == leftovers, sourceLocation: location)
        #expect(on { $0.violations } == [], sourceLocation: location)
    }

    // MARK: The bus

    /// Pulls the device out.
    func unplug() {
        files.remove(path)
        fake.unplug(path)
    }

    /// Plugs the device in again, at its place, with the state of one that has just come.
    func replug(address: UInt8, change: (inout FakeDevice) -> Void = { _ in }) {
        var listed = plugged
        listed.address = address
        var device = FakeDevice(listed, driven: driven)
        change(&device)
        fake.plug(device)
        files.add(device)
    }

    // MARK: The host

    /// The time that the device lives by.
    var clock: ManualClock { host.clock }

    /// Does something as the host does, on the device's executor.
    func on<R>(_ body: (DirectHost) -> R) -> R { host.executor.run { body(host) } }

    /// Has the host do something whenever a transfer has ended, as drivers do.
    func onCompletion(_ action: @escaping (DirectHost, DirectHost.Completion) -> Void) {
        let news = news
        on { host in
            host.onCompletion = { [unowned host] completion in
                action(host, completion)
                news.add()
            }
        }
    }

    /// Does something as the host does, on a thread of its own.
    ///
    /// - Returns: signalled when it is done.
    func onAnotherThread(_ body: @escaping @Sendable (DirectHost) -> Void) throws -> Semaphore {
        let done = Semaphore()
        let party = HostElsewhere(host: host)
        try startThread("host") {
            party.host.executor.run { body(party.host) }
            done.signal()
        }
        return done
    }

    /// Waits until `condition` holds, looking whenever a transfer has ended.
    func settle(_ condition: (DirectHost) -> Bool) -> Bool {
        while true {
            // Not looked at under the lock: who holds the executor takes it.
            let seen = news.count
            if on(condition) { return true }
            guard news.waits(beyond: seen) else { return on(condition) }
        }
    }

    /// How a transfer ended, for which it waits; nil when it does not end.
    func outcome(_ id: URB.ID) -> DirectHost.Completion? {
        _ = settle { $0.outcome(id) != nil }
        return on { $0.outcome(id) }
    }

    /// Sends a request and waits for its end.
    @discardableResult
    func control(_ setup: SetupPacket, _ bytes: [UInt8] = []) -> DirectHost.Completion? {
        outcome(on { $0.submitControl(setup, bytes) })
    }

    /// Asks for bytes and lets the device answer.
    func read(_ endpoint: EndpointAddress, _ count: Int, _ outcome: FakeOutcome) -> DirectHost.Completion? {
        let id = on { $0.submitIn(endpoint, count) }
        fake.finish(endpoint, outcome)
        return self.outcome(id)
    }

    /// Sends bytes and lets the device take them.
    func write(_ endpoint: EndpointAddress, _ bytes: [UInt8], _ outcome: FakeOutcome) -> DirectHost.Completion? {
        let id = on { $0.submitOut(endpoint, bytes) }
        fake.finish(endpoint, outcome)
        return self.outcome(id)
    }
}

/// Takes a host to another thread.
///
/// `@unchecked Sendable`: the host is only touched on its executor.
private struct HostElsewhere: @unchecked Sendable {
    let host: DirectHost
}

/// Counts what happens, for threads that wait for more.
///
/// `@unchecked Sendable`: the number is only touched under the lock.
final class News: @unchecked Sendable {
    private let monitor = Monitor()
    private var number = 0

    func add() {
        monitor.withLock {
            number += 1
            monitor.notify()
        }
    }

    var count: Int { monitor.withLock { number } }

    /// Waits until the count is more than `seen`; false when it does not become so.
    func waits(beyond seen: Int) -> Bool { monitor.withLock { monitor.wait(until: { number > seen }) } }
}
