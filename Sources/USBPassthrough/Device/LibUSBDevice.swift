import SocketIO
import Synchronization
public import USBCore
public import USBDeviceKit

/// A real device as a ``USBDevice``: what a host submits goes to the hardware through libusb.
///
/// Transfers go straight from the thread that submits to the system, and come back over libusb's own thread; requests
/// that are calls of libusb's, which take long, run on a thread of their own, and what is submitted meanwhile waits for
/// them.
///
/// `@unchecked Sendable`: confined to its executor but for ``opened``, which is guarded.
@safe public final class LibUSBDevice: USBDevice, @unchecked Sendable {
    /// What is imported: set before ``connect()``, taken away after ``disconnect()``.
    let opened = Mutex<OpenDevice?>(nil)
    let place: DevicePlace
    let libusb: LibUSBFunctions
    private(set) var port: (any DevicePort)?
    /// The device that the host has now.
    var current: OpenDevice?
    var endpoints = EndpointTable([], selected: 0)
    var pool: FlightPool?
    /// Transfers at libusb.
    var flights: [URB.ID: Flight] = [:]
    var bytesInFlight = 0
    /// Transfers that wait for a call that takes long, or for others to make room; in order.
    var parked = URBQueue()
    /// A loaded transfer that the system had no room for: the first to go when others have made some.
    var waiting: Flight?
    /// The request whose call runs now, unless the host has taken it back.
    var request: UnsafeMutablePointer<URBSlot>?
    /// Whether a call that takes long runs now.
    var isCalling = false
    /// Memory that a transfer from the host is being received into.
    var landing: Flight?
    /// Whether the host has selected a configuration: before, what looks like a reset is its first look.
    var isConfigured = false
    private var isLeaving = false
    /// Whether the host has reset the bus while a call was running.
    private var isResetWanted = false
    /// Whether a reset of the host's resets the hardware.
    let resets: Bool
    /// The most bytes at libusb at once, beyond what the system sets apart.
    static let bytesLimit = 256 << 20

    init(_ place: DevicePlace, _ libusb: LibUSBFunctions, resets: Bool) {
        self.place = place
        self.libusb = libusb
        self.resets = resets
    }

    /// See ``USBDevice/identity``.
    public var identity: DeviceIdentity { place.identity }

    /// See ``USBDevice/attach(to:)``.
    public func attach(to port: any DevicePort) {
        self.port = port
        place.attach(port)
    }

    /// See ``USBDevice/connect()``.
    public func connect() {
        guard let device = opened.withLock({ $0 }) else { return }
        current = device
        endpoints = EndpointTable(device.host.listed.configurations, selected: device.host.configurationValue)
        pool = FlightPool(libusb, device.mailbox)
        isConfigured = false
        isLeaving = false
        isCalling = false
        isResetWanted = false
        let drain: @Sendable () -> Void = { [weak self] in self?.drain(device) }
        let port = port
        device.setArrivals { port?.post(drain) }
    }

    /// See ``USBDevice/disconnect()``.
    public func disconnect() {
        guard current != nil else { return }
        isLeaving = true
        endWaiting(.cancelled)
        finishRequest(.cancelled)
        if let landing { pool?.put(landing) }
        landing = nil
        for id in Array(flights.keys) { takeBack(id) }
        leaveIfEmpty()
    }

    /// Lets the thread that gives the device back go on.
    func leaveIfEmpty() {
        guard isLeaving, flights.isEmpty, let device = current else { return }
        pool = nil
        current = nil
        device.emptied.signal()
    }

    /// See ``USBDevice/transferType(of:)``.
    public func transferType(of endpoint: EndpointAddress) -> TransferType? { endpoints.type(of: endpoint) }

    /// See ``USBDevice/schedule(of:)``: hardware keeps time by itself.
    public func schedule(of endpoint: EndpointAddress) -> PeriodicSchedule? { nil }

    /// See ``USBDevice/submit(_:)``.
    public func submit(_ urb: consuming URB) {
        guard let device = current, !isLeaving else {
            urb.complete(.noDevice)
            return
        }
        guard !mustWait else {
            parked.append(urb)
            return
        }
        start(urb, device)
    }

    /// Whether a transfer would overtake others, or a call that may change what it means.
    private var mustWait: Bool { isCalling || waiting != nil || !parked.isEmpty }

    /// See ``USBDevice/cancel(_:)``.
    public func cancel(_ id: URB.ID) {
        if let urb = parked.remove(id) {
            if let flight = landing, unsafe urb.payload.baseAddress == UnsafeRawPointer(flight.buffer) {
                landing = nil
                pool?.put(flight)
            }
            urb.complete(.cancelled)
            // What stood behind it may fit.
            resume()
        } else if let flight = waiting, flight.id == id {
            endFirst(.cancelled)
            resume()
        } else if let request = unsafe request, unsafe request.pointee.id == id {
            // The call goes on: it cannot be taken back.
            finishRequest(.cancelled)
        } else {
            takeBack(id)
        }
    }

    private func takeBack(_ id: URB.ID) {
        guard let flight = flights[id], !flight.isRecalled else { return }
        flight.isRecalled = true
        // Not found: it has ended already and is on its way. What it became is decided when it arrives.
        try? unsafe libusb.cancel(flight.transfer)
    }

    /// See ``USBDevice/reset(_:)``.
    public func reset(_ cause: ResetCause) {
        // What looks like a reset before a configuration is selected is the host's first look.
        guard let device = current, resets, cause == .port || isConfigured else { return }
        guard !isCalling else {
            isResetWanted = true
            return
        }
        resetPort(device)
    }

    private func resetPort(_ device: OpenDevice) {
        isResetWanted = false
        isConfigured = false
        unsafe call(device, nil) { device throws(LibUSBError) in
            do throws(LibUSBError) {
                try device.libusb.reset(device.connection)
            } catch {
                // It has come back as another device.
                throw error == .notFound ? .noDevice : error
            }
        } then: { _ in
        }
    }

    /// See ``USBDevice/landing(for:count:)``.
    public func landing(for endpoint: EndpointAddress, count: Int) -> UnsafeMutableRawBufferPointer? {
        guard landing == nil, !mustWait, endpoint.direction == .out, count <= Self.bytesLimit,
            let type = endpoints.type(of: endpoint), type == .bulk || type == .interrupt,
            let flight = pool?.take(bytes: count, packets: 0)
        else { return nil }
        landing = flight
        return unsafe UnsafeMutableRawBufferPointer(start: flight.buffer, count: count)
    }

    // MARK: Calls that take long

    /// Makes a call on the device's own thread; what is submitted until it returns waits.
    ///
    /// - Parameters:
    ///   - slot: the request that asked for it, answered when the call returns.
    ///   - then: what follows on the executor when the call has succeeded.
    func call(
        _ device: OpenDevice, _ slot: UnsafeMutablePointer<URBSlot>?,
        _ body: @escaping @Sendable (OpenDevice) throws(LibUSBError) -> Void,
        then: @escaping @Sendable (LibUSBDevice) -> Void
    ) {
        guard !isCalling else { return }
        isCalling = true
        unsafe request = slot
        let port = port
        let back: @Sendable (LibUSBError?) -> Void = { failure in
            port?.post { [self] in returned(from: device, failure, then) }
        }
        device.isUsed.store(true, ordering: .releasing)
        device.later {
            do throws(LibUSBError) {
                try body(device)
                back(nil)
            } catch {
                back(error)
            }
        }
    }

    private func returned(from device: OpenDevice, _ failure: LibUSBError?, _ then: (LibUSBDevice) -> Void) {
        guard current === device else { return }
        isCalling = false
        if failure == nil { then(self) }
        finishRequest(failure.map { TransferStatus(request: $0) } ?? .success)
        if failure == .noDevice { isGone() }
        if isResetWanted { resetPort(device) } else { resume() }
    }

    /// Answers the request whose call has returned, or is not waited for any longer.
    private func finishRequest(_ status: TransferStatus) {
        guard let slot = unsafe request else { return }
        unsafe request = nil
        let urb = unsafe URB(slot)
        if status == .success { urb.accept() } else { urb.complete(status) }
    }

    /// Starts what waits, as far as it goes.
    func resume() {
        guard let device = current, !isCalling else { return }
        if let flight = waiting {
            waiting = nil
            guard let urb = flight.disembark() else { return }
            launch(flight, urb, device)
        }
        while !isCalling, waiting == nil, let length = parked.firstRequestedLength {
            // One that waits for room must not be taken out for nothing.
            guard hasRoom(length), let urb = parked.popFirst() else { return }
            start(urb, device)
        }
    }

    /// The hardware has been unplugged: whoever has it sees it pulled out.
    func isGone() {
        if let current { place.lost(current.host) }
        endWaiting(.shutdown)
        port?.unplug()
    }

    /// Ends everything that libusb has not been given.
    private func endWaiting(_ status: TransferStatus) {
        endFirst(status)
        parked.completeAll(status)
    }

    private func endFirst(_ status: TransferStatus) {
        guard let flight = waiting, let urb = flight.disembark() else { return }
        waiting = nil
        pool?.put(flight)
        urb.complete(status)
    }
}
