import SocketIO
import Synchronization
public import USBCore
public import USBDeviceKit

/// A real device as a ``USBDevice``: what a host submits goes to the hardware through libusb.
///
/// Transfers go straight from the thread that submits to the system, and come back over libusb's own thread; requests
/// that are calls of libusb's, which take long, run on a thread of their own. While one runs, the system lets nobody
/// near the device: what is submitted waits for it (`parked`), and so does what is to be taken back (`recalls`).
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
    /// Transfers that wait for a call that takes long, in order.
    var parked = URBQueue()
    /// Transfers that wait for room in the system, by endpoint.
    var starved: [EndpointAddress: StarvedPipe] = [:]
    /// Whether starved transfers will be tried again in a moment.
    var isRetrying = false
    /// Whether a call that takes long runs now.
    var isCalling = false
    /// The request that asked for it, unless the host has taken it back.
    var request: UnsafeMutablePointer<URBSlot>?
    /// Transfers that are to be taken back once the call has returned.
    var recalls: [URB.ID] = []
    /// Memory that a transfer from the host is being received into.
    private var landing: Flight?
    /// Whether the host has selected a configuration: before, what looks like a reset is its first look.
    var isConfigured = false
    private(set) var isLeaving = false
    /// Whether the host has reset the bus while a call was running.
    var isResetWanted = false
    /// Whether a reset of the host's resets the hardware.
    let resets: Bool
    /// The most bytes at libusb at once, beyond what the system sets apart: half of what is kept for a host that does
    /// not read.
    static let bytesLimit = 32 << 20

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
        device.isConnected.store(true, ordering: .releasing)
        current = device
        endpoints = EndpointTable(device.host.listed.configurations, selected: device.host.configurationValue)
        pool = FlightPool(libusb, device.connection, device.mailbox)
        isConfigured = false
        isLeaving = false
        isCalling = false
        isResetWanted = false
        isRetrying = false
        // Names of the last host's transfers may be used again.
        recalls = []
        let drain: @Sendable () -> Void = { [weak self] in self?.drain(device) }
        let port = port
        device.setArrivals { port?.post(drain) }
    }

    /// See ``USBDevice/disconnect()``.
    public func disconnect() {
        guard current != nil else { return }
        isLeaving = true
        isResetWanted = false
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
        guard !isCalling, parked.isEmpty else {
            parked.append(urb)
            return
        }
        start(urb, device)
    }

    /// See ``USBDevice/cancel(_:)``.
    public func cancel(_ id: URB.ID) {
        if let urb = parked.remove(id) {
            refuse(urb, .cancelled)
        } else if cancelStarved(id) {
            retry()
        } else if let request = unsafe request, unsafe request.pointee.id == id {
            // The call goes on: it cannot be taken back.
            finishRequest(.cancelled)
        } else {
            takeBack(id)
        }
    }

    func takeBack(_ id: URB.ID) {
        guard let flight = flights[id], flight.recall != .asked else { return }
        guard !isCalling else {
            // The system would let this wait for the call.
            recalls.append(id)
            return
        }
        flight.recall = .asked
        do throws(LibUSBError) {
            try unsafe libusb.cancel(flight.transfer)
        } catch {
            // Not found: it has ended already and is on its way. What it became is decided when it arrives.
            if error != .notFound { flight.recall = .refused }
        }
    }

    /// Ends a transfer that libusb has not been given.
    func refuse(_ urb: consuming URB, _ status: TransferStatus) {
        if let flight = landed(urb) { pool?.put(flight) }
        urb.complete(status)
    }

    /// Ends everything that libusb has not been given.
    func endWaiting(_ status: TransferStatus) {
        endStarved(status)
        var waiting = URBQueue()
        swap(&waiting, &parked)
        while let urb = waiting.popFirst() { refuse(urb, status) }
    }

    /// The hardware has been unplugged: whoever has it sees it pulled out.
    func isGone() {
        if let current { place.lost(current.host) }
        endWaiting(.shutdown)
        port?.unplug()
    }

    // MARK: Landing

    /// See ``USBDevice/landing(for:count:)``.
    public func landing(for endpoint: EndpointAddress, count: Int) -> UnsafeMutableRawBufferPointer? {
        guard landing == nil, !isCalling, parked.isEmpty, starved[endpoint] == nil, endpoint.direction == .out,
            hasRoom(count), let type = endpoints.type(of: endpoint), type == .bulk || type == .interrupt,
            let flight = pool?.take(bytes: count, packets: 0)
        else { return nil }
        landing = flight
        return unsafe UnsafeMutableRawBufferPointer(start: flight.buffer, count: count)
    }

    /// The flight into whose buffer a transfer's bytes have been received; it is the transfer's from now on.
    func landed(_ urb: borrowing URB) -> Flight? {
        guard let flight = landing, unsafe urb.payload.baseAddress == UnsafeRawPointer(flight.buffer) else {
            return nil
        }
        landing = nil
        return flight
    }
}
