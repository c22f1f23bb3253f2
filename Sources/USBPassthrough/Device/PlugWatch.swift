import CLinux
import Glibc
import SocketIO
import Synchronization

/// Notices that devices are plugged in and unplugged, with the kernel's own news.
///
/// Libusb's news come from udev; where there is none (containers, small systems), no news come. The kernel's do, but not
/// into every container: there a look every second has to do.
final class PlugWatch: Sendable {
    static let shared = PlugWatch(isManual: false)

    private struct State {
        var places: [DevicePlace] = []
        var isRunning = false
        /// The last list of devices, and what was plugged in then.
        var last: (signature: [String], devices: [HostDevice], isComplete: Bool)?
    }

    private let state = Mutex(State())
    private let isManual: Bool

    /// - Parameter isManual: whether somebody else calls ``look()``, as tests do.
    init(isManual: Bool) { self.isManual = isManual }

    /// Watches a place, unless its device is watched already.
    ///
    /// - Returns: false when another place has the same device.
    func add(_ place: DevicePlace) -> Bool {
        let (isFree, mustStart) = state.withLock { state in
            if let path = place.host?.path, state.places.contains(where: { $0.host?.path == path }) {
                return (false, false)
            }
            state.places.append(place)
            guard !isManual else { return (true, false) }
            defer { state.isRunning = true }
            return (true, !state.isRunning)
        }
        if mustStart, (try? startThread("plug watch") { [self] in run() }) == nil {
            state.withLock { $0.isRunning = false }
            place.warn("there is no thread to notice when devices are plugged in and unplugged")
        }
        return isFree
    }

    func remove(_ place: DevicePlace) { state.withLock { $0.places.removeAll { $0 === place } } }

    /// How long a device that has come is looked at in short steps.
    private static let shortSteps: Int32 = 100
    private static let longSteps: Int32 = 1000

    private func run() {
        let news = linux_uevents_open()
        defer { if news >= 0 { close(news) } }
        var step = Self.longSteps
        while true {
            Self.wait(news, step)
            guard let isSettled = look() else { return }
            step = isSettled ? Self.longSteps : Self.shortSteps
        }
    }

    /// Looks at every place.
    ///
    /// - Returns: whether there is nothing to be looked at again soon; nil when there are no places left.
    @discardableResult
    func look() -> Bool? {
        guard let places = next() else { return nil }
        var isSettled = true
        var listed: [HostDevice]?
        for place in places {
            let others = Set(places.compactMap { $0 === place ? nil : $0.host?.path })
            let isDone = place.check(others: others) {
                // One list does for all, made only when something is missed, and something has changed since the last.
                if listed == nil { listed = devices(of: place.inventory) }
                return listed ?? []
            }
            if !isDone { isSettled = false }
        }
        return isSettled
    }

    /// Every device there is; the last list again as long as the same are plugged in.
    ///
    /// A list is some work for libusb, and waits for devices that are just being enumerated.
    private func devices(of inventory: Inventory) -> [HostDevice] {
        let signature = inventory.signature()
        if let last = state.withLock({ $0.last }), last.signature == signature, last.isComplete { return last.devices }
        // What failed is tried again at the next look.
        guard let devices = try? inventory.devices() else { return [] }
        // One that is not configured yet is to be looked at again.
        let isComplete = devices.allSatisfy { $0.isHub || $0.configurationValue != 0 }
        state.withLock { $0.last = (signature, devices, isComplete) }
        return devices
    }

    /// The places to look at; nil when there are none left, and the thread ends.
    private func next() -> [DevicePlace]? {
        state.withLock { state in
            if state.places.isEmpty { state.isRunning = false }
            return state.places.isEmpty ? nil : state.places
        }
    }

    /// Waits for news, or for some time.
    private static func wait(_ news: Int32, _ milliseconds: Int32) {
        guard news >= 0 else {
            pause(milliseconds: milliseconds)
            return
        }
        let end = ContinuousClock.now.advanced(by: .milliseconds(milliseconds))
        while true {
            let left = Int32(max(0, min(60_000, ContinuousClock.now.duration(to: end) / .milliseconds(1))))
            var entry = pollfd(fd: news, events: Int16(POLLIN), revents: 0)
            guard left > 0, unsafe poll(&entry, 1, left) > 0 else { return }
            if isOfUSB(news) { return }
        }
    }

    /// Reads what news there is, and says whether any is of USB: what happened is seen by looking.
    private static func isOfUSB(_ news: Int32) -> Bool {
        let mark = Array("SUBSYSTEM=usb\0".utf8)
        var bytes = [UInt8](repeating: 0, count: 8192)
        var isOfUSB = false
        while true {
            let count = unsafe recv(news, &bytes, bytes.count, 0)
            if count > 0 {
                if bytes.prefix(count).contains(mark) { isOfUSB = true }
            } else if count < 0, errno == ENOBUFS {
                // More than was kept for us: it may have been.
                isOfUSB = true
            } else if count == 0 || errno != EINTR {
                return isOfUSB
            }
        }
    }
}
