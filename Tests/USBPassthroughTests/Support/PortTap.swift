import Synchronization
import USBCore
import USBDeviceKit

/// A device that is another, but for its port, at which is noted what goes through.
///
/// `@unchecked Sendable`: but for ``port``, confined to the device's executor.
final class PortTap: USBDevice, @unchecked Sendable {
    private let device: any USBDevice
    /// What the device has of the outside; nil before it is attached.
    private(set) var port: TappedPort?

    init(_ device: any USBDevice) { self.device = device }

    var identity: DeviceIdentity { device.identity }

    func attach(to port: any DevicePort) {
        let tapped = TappedPort(port)
        self.port = tapped
        device.attach(to: tapped)
    }

    func connect() { device.connect() }
    func disconnect() { device.disconnect() }
    func transferType(of endpoint: EndpointAddress) -> TransferType? { device.transferType(of: endpoint) }
    func schedule(of endpoint: EndpointAddress) -> PeriodicSchedule? { device.schedule(of: endpoint) }
    func submit(_ urb: consuming URB) { device.submit(urb) }
    func cancel(_ id: URB.ID) { device.cancel(id) }
    func reset(_ cause: ResetCause) { device.reset(cause) }

    func landing(for endpoint: EndpointAddress, count: Int) -> UnsafeMutableRawBufferPointer? {
        unsafe device.landing(for: endpoint, count: count)
    }
}

/// A port that notes what is done with it.
final class TappedPort: DevicePort {
    /// What was done with a port.
    struct Notes: Sendable {
        var posts = 0
        var unplugs = 0
        /// What the device said that it is; nil for nothing.
        var presented: [DeviceIdentity?] = []
    }

    private let port: any DevicePort
    private let state = Mutex(Notes())
    private let news = News()

    init(_ port: any DevicePort) { self.port = port }

    var clock: any BusClock { port.clock }

    func post(_ work: @escaping @Sendable () -> Void) {
        state.withLock { $0.posts += 1 }
        port.post(work)
    }

    func unplug() {
        state.withLock { $0.unplugs += 1 }
        news.add()
        port.unplug()
    }

    func present(_ identity: DeviceIdentity?) {
        state.withLock { $0.presented.append(identity) }
        news.add()
        port.present(identity)
    }

    var notes: Notes { state.withLock { $0 } }

    /// Waits until `condition` holds, looking whenever the device has said something.
    func waits(until condition: (Notes) -> Bool) -> Bool {
        while true {
            let seen = news.count
            if condition(notes) { return true }
            guard news.waits(beyond: seen) else { return condition(notes) }
        }
    }
}
