import Glibc
public import USBCore
public import USBDeviceKit

/// A host in the same process as its device: submits transfers, and records how each ends.
///
/// It is as strict as a session is trusting. What breaks a law of ``USBDevice`` or ``URB`` is listed in
/// ``violations``, which a test expects to be empty. Transfers that the device keeps have their bytes moved, as a
/// session moves them, so that a device which kept a pointer is found out.
@safe public final class DirectHost: URBHost {
    /// How a transfer ended.
    public struct Completion: Equatable, Sendable {
        /// The transfer's name.
        public var id: URB.ID
        /// The endpoint.
        public var endpoint: EndpointAddress
        /// How it ended.
        public var status: TransferStatus
        /// The bytes moved.
        public var actualLength: Int
        /// What the device sent; empty for OUT transfers.
        public var data: [UInt8]
        /// The packets of an isochronous transfer.
        public var packets: [IsochronousPacket] = []
        /// The frame in which an isochronous transfer started.
        public var startFrame: UInt32 = 0
    }

    /// The device under test.
    public let device: any USBDevice
    /// Runs what the device posts to itself.
    public let executor: DeviceExecutor
    /// What time it is for the device.
    public let clock = ManualClock()
    /// Every transfer that has ended, in the order in which they ended.
    public private(set) var completions: [Completion] = []
    /// The laws that were broken, in words.
    public private(set) var violations: [String] = []
    /// Called for each transfer that has ended, as a driver's completion handler is; it may submit more.
    public var onCompletion: ((Completion) -> Void)?
    /// Whether OUT transfers go to the memory that the device offers for them.
    public var usesLanding = false
    /// How many OUT transfers went there.
    public private(set) var landedCount = 0

    private var live: [URB.ID: UnsafeMutablePointer<URBSlot>] = unsafe [:]
    private var retired: [UnsafeMutablePointer<URBSlot>] = unsafe []
    private var lastID: URB.ID = 0
    private var room = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 10, alignment: 16)

    /// Attaches and connects `device`, which no other host has had.
    public init(_ device: any USBDevice) {
        self.device = device
        executor = DeviceExecutor(clock: clock)
        device.attach(to: executor)
        device.connect()
    }

    deinit {
        onCompletion = nil
        device.disconnect()
        while let slot = unsafe retired.popLast() {
            unsafe slot.pointee.freeAll()
            unsafe slot.deinitialize(count: 1)
            unsafe slot.deallocate()
        }
        unsafe room.deallocate()
    }

    /// The transfers that the device keeps, oldest first.
    public var waiting: [URB.ID] { unsafe live.keys.sorted() }

    // MARK: Submitting

    /// Asks for up to `count` bytes; the transfer may be kept.
    @discardableResult
    public func submitIn(_ endpoint: EndpointAddress, _ count: Int) -> URB.ID {
        let slot = unsafe makeSlot(endpoint, count)
        return unsafe submit(slot, [])
    }

    /// Sends `bytes`; the transfer may be kept.
    @discardableResult
    public func submitOut(_ endpoint: EndpointAddress, _ bytes: [UInt8]) -> URB.ID {
        let landing = usesLanding ? unsafe device.landing(for: endpoint, count: bytes.count) : nil
        let slot = unsafe makeSlot(endpoint, bytes.count)
        guard let landing = unsafe landing, landing.count >= bytes.count, let start = landing.baseAddress else {
            return unsafe submit(slot, bytes)
        }
        landedCount += 1
        unsafe landing.copyBytes(from: bytes)
        unsafe slot.pointee.payload = UnsafeRawPointer(start)
        let id = unsafe slot.pointee.id
        unsafe device.submit(URB(slot))
        return id
    }

    /// Submits an isochronous transfer of packets of one size, without gaps; it may be kept.
    ///
    /// - Parameters:
    ///   - bytes: what an OUT transfer sends; padded with zeros.
    ///   - sharing: whether all packets lie in the same bytes.
    @discardableResult
    public func submitIsochronous(
        _ endpoint: EndpointAddress, packets count: Int, of size: Int, _ bytes: [UInt8] = [], sharing: Bool = false
    ) -> URB.ID {
        let slot = unsafe makeSlot(endpoint, sharing ? size : count * size)
        let packets = unsafe slot.pointee.makePackets(count)
        for index in 0..<count {
            let packet = IsochronousPacket(
                offset: UInt32(sharing ? 0 : index * size), length: UInt32(size), status: .missed)
            unsafe packets.initializeElement(at: index, to: packet)
        }
        let missing = [UInt8](repeating: 0, count: max(0, count * size - bytes.count))
        return unsafe submit(slot, endpoint.direction == .out ? bytes + missing : [])
    }

    /// Sends a control transfer; it may be kept.
    ///
    /// - Parameters:
    ///   - bytes: the data stage of an OUT request.
    ///   - room: the length of the client's buffer, which can contradict wLength.
    ///   - direction: what the client says besides the request's own bit.
    @discardableResult
    public func submitControl(
        _ setup: SetupPacket, _ bytes: [UInt8] = [], room: Int? = nil, direction: Direction? = nil
    ) -> URB.ID {
        // Linux calls a transfer without a data stage OUT, whatever the request says.
        let length = room ?? (setup.direction == .in ? Int(setup.length) : bytes.count)
        let isIn = (direction ?? (length == 0 ? .out : setup.direction)) == .in
        let slot = unsafe makeSlot(isIn ? .in(0) : .out(0), length)
        unsafe slot.pointee.setup = setup
        let payload = bytes + [UInt8](repeating: 0, count: max(0, length - bytes.count))
        return unsafe submit(slot, isIn ? [] : payload)
    }

    /// Asks for a transfer back.
    public func cancel(_ id: URB.ID) { device.cancel(id) }

    // MARK: Outcomes

    /// How a transfer ended; nil while the device keeps it.
    public func outcome(_ id: URB.ID) -> Completion? { completions.last { $0.id == id } }

    /// Asks for up to `count` bytes; nil when the device keeps the transfer.
    public func read(_ endpoint: EndpointAddress, _ count: Int) -> Completion? { outcome(submitIn(endpoint, count)) }

    /// Sends `bytes`; nil when the device keeps the transfer.
    @discardableResult
    public func write(_ endpoint: EndpointAddress, _ bytes: [UInt8]) -> Completion? {
        outcome(submitOut(endpoint, bytes))
    }

    /// Sends a control transfer; nil when the device keeps it.
    @discardableResult
    public func control(_ setup: SetupPacket, _ bytes: [UInt8] = []) -> Completion? {
        outcome(submitControl(setup, bytes))
    }

    /// Forgets what has ended.
    public func forget() { completions = [] }

    // MARK: URBHost

    /// Room for an answer: see ``URBHost/reserve(_:)``.
    public func reserve(_ count: Int) -> UnsafeMutableRawPointer {
        if count < 1 { violations.append("\(count) bytes of room were asked for") }
        if unsafe room.count < count {
            unsafe room.deallocate()
            unsafe room = .allocate(byteCount: count, alignment: 16)
        }
        // Bytes that a device counts and does not write show.
        unsafe room.initializeMemory(as: UInt8.self, repeating: 0xee)
        return unsafe room.baseAddress ?? UnsafeMutableRawPointer.allocate(byteCount: count, alignment: 16)
    }

    /// Takes reserved memory back: see ``URBHost/unreserve(_:)``.
    public func unreserve(_ memory: UnsafeRawPointer) {
        // A sink that goes on reading what it gave back shows.
        unsafe room.initializeMemory(as: UInt8.self, repeating: 0xdd)
    }

    /// Takes a transfer back: see ``URBSink/completed(_:)``.
    public func completed(_ urb: consuming URB) {
        let slot = unsafe urb.release()
        let id = unsafe slot.pointee.id
        guard unsafe slot.pointee.isLive else {
            violations.append("transfer \(id) was completed twice")
            return
        }
        unsafe slot.pointee.isLive = false
        unsafe live[id] = nil
        unsafe retired.append(slot)
        let completion = unsafe completion(slot)
        unsafe slot.pointee.freeOwned()
        completions.append(completion)
        onCompletion?(completion)
    }

    private func completion(_ slot: UnsafeMutablePointer<URBSlot>) -> Completion {
        let (id, endpoint, actual) = unsafe (slot.pointee.id, slot.pointee.endpoint, slot.pointee.actualLength)
        let answer = unsafe slot.pointee.answer
        if unsafe !(0...slot.pointee.requestedLength).contains(actual) {
            violations.append("transfer \(id) moved \(actual) bytes, more than the host asked for")
        }
        var data: [UInt8] = []
        if endpoint.direction == .in, actual > 0 {
            if let answer = unsafe answer {
                data = unsafe [UInt8](UnsafeRawBufferPointer(start: answer, count: actual))
            } else {
                violations.append("transfer \(id) on \(endpoint) was answered with \(actual) bytes from nowhere")
            }
        }
        return Completion(
            id: id, endpoint: endpoint, status: unsafe slot.pointee.status, actualLength: actual, data: data,
            packets: unsafe Array(slot.pointee.packets), startFrame: unsafe slot.pointee.startFrame)
    }

    // MARK: Slots

    private func makeSlot(_ endpoint: EndpointAddress, _ length: Int) -> UnsafeMutablePointer<URBSlot> {
        let slot = UnsafeMutablePointer<URBSlot>.allocate(capacity: 1)
        unsafe slot.initialize(to: URBSlot(host: self))
        unsafe slot.pointee.rearm()
        lastID += 1
        unsafe slot.pointee.id = lastID
        unsafe slot.pointee.endpoint = endpoint
        unsafe slot.pointee.type = device.transferType(of: endpoint) ?? .bulk
        unsafe slot.pointee.requestedLength = length
        unsafe live[lastID] = slot
        return unsafe slot
    }

    private func submit(_ slot: UnsafeMutablePointer<URBSlot>, _ bytes: [UInt8]) -> URB.ID {
        let id = unsafe slot.pointee.id
        guard !bytes.isEmpty else {
            unsafe device.submit(URB(slot))
            return id
        }
        let borrowed = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 16)
        unsafe borrowed.copyBytes(from: bytes)
        unsafe slot.pointee.payload = UnsafeRawPointer(borrowed.baseAddress)
        unsafe device.submit(URB(slot))
        if unsafe slot.pointee.isLive, let copy = unsafe malloc(bytes.count) {
            unsafe UnsafeMutableRawBufferPointer(start: copy, count: bytes.count).copyBytes(from: bytes)
            unsafe slot.pointee.owned = copy
            unsafe slot.pointee.payload = UnsafeRawPointer(copy)
        }
        unsafe borrowed.initializeMemory(as: UInt8.self, repeating: 0xdd)
        unsafe borrowed.deallocate()
        return id
    }
}
