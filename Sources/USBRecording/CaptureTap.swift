import USBCapture
public import USBCore
public import USBDeviceKit

/// Records what a host sees of a device: the outermost decorator around it.
///
/// Every transfer is recorded when the host submits it and when it ends, as Linux's usbmon does: what the host sends with
/// the beginning, what it gets with the end. When there is no room for the beginning, the end is left out as well.
public final class CaptureTap: USBDevice, URBSink {
    private let device: any USBDevice
    private let channel: CaptureChannel
    /// How long a frame is, or a microframe from high speed on, in nanoseconds: what intervals count.
    private let frame: UInt64

    /// Records `device`.
    public init(_ device: any USBDevice, _ channel: CaptureChannel) {
        self.device = device
        self.channel = channel
        switch device.identity.speed {
        case .low, .full: frame = 1_000_000
        case .high, .super, .superPlus: frame = 125_000
        }
    }

    // MARK: What passes through

    /// See ``USBDevice/identity``.
    public var identity: DeviceIdentity { device.identity }

    /// See ``USBDevice/attach(to:)``.
    public func attach(to port: any DevicePort) { device.attach(to: port) }

    /// See ``USBDevice/connect()``.
    public func connect() { device.connect() }

    /// See ``USBDevice/disconnect()``.
    public func disconnect() { device.disconnect() }

    /// See ``USBDevice/reset(_:)``.
    public func reset(_ cause: ResetCause) { device.reset(cause) }

    /// See ``USBDevice/transferType(of:)``.
    public func transferType(of endpoint: EndpointAddress) -> TransferType? { device.transferType(of: endpoint) }

    /// See ``USBDevice/schedule(of:)``.
    public func schedule(of endpoint: EndpointAddress) -> PeriodicSchedule? { device.schedule(of: endpoint) }

    /// See ``USBDevice/landing(for:count:)``.
    public func landing(for endpoint: EndpointAddress, count: Int) -> UnsafeMutableRawBufferPointer? {
        unsafe device.landing(for: endpoint, count: count)
    }

    /// See ``USBDevice/cancel(_:)``.
    public func cancel(_ id: URB.ID) { device.cancel(id) }

    // MARK: What is recorded

    /// See ``USBDevice/submit(_:)``.
    public func submit(_ urb: consuming URB) {
        if !isExporters(urb), recordSubmission(urb) { urb.intercept(self) }
        device.submit(urb)
    }

    /// Whether it is the machine that exports the device which selects a configuration: see ``USBDevice/configure(_:)``.
    ///
    /// No host has submitted it, so it has no name.
    private func isExporters(_ urb: borrowing URB) -> Bool {
        urb.id == 0 && urb.type == .control && urb.setup.requestType == 0
            && urb.setup.request == StandardRequest.setConfiguration.rawValue
    }

    /// See ``URBSink/completed(_:)``.
    public func completed(_ urb: consuming URB) {
        recordCompletion(urb)
        urb.giveBack()
    }

    /// Linux's flag of transfers to the host (`URB_DIR_IN`), which its core always sets.
    private static let directionIn: UInt32 = 0x0200

    private func begin(_ kind: CapturedEvent.Kind, _ urb: borrowing URB) -> USBMonRecord {
        let endpoint = urb.endpoint
        var record = channel.begin(kind, urb.id, urb.type, endpoint)
        record.flags = urb.flags.rawValue | (endpoint.direction == .in ? Self.directionIn : 0)
        switch urb.type {
        case .control, .bulk: break
        case .isochronous, .interrupt:
            if let period = device.schedule(of: endpoint)?.period { record.interval = Int32(clamping: period / frame) }
        }
        if urb.type == .isochronous {
            record.startFrame = Int32(bitPattern: urb.startFrame)
            record.packetCount = urb.packetCount
        }
        return record
    }

    /// - Returns: whether there was room.
    private func recordSubmission(_ urb: borrowing URB) -> Bool {
        var record = begin(.submission, urb)
        if urb.type == .control { record.setup = urb.setup }
        record.length = urb.requestedLength
        let payload = unsafe urb.endpoint.direction == .out ? urb.payload : UnsafeRawBufferPointer(start: nil, count: 0)
        record.dataCount = payload.count
        guard record.packetCount == 0 else {
            return unsafe recordPackets(record, urb) {
                $0.length
            } data: {
                unsafe $0.copyMemory(payload)
            }
        }
        return unsafe channel.record(record) { unsafe $0.copyMemory(payload) }
    }

    private func recordCompletion(_ urb: borrowing URB) {
        var record = begin(.completion, urb)
        record.status = urb.status
        let answer = unsafe urb.answer
        let isIn = urb.endpoint.direction == .in
        record.length = isIn ? answer.count : max(0, min(urb.actualLength, urb.requestedLength))
        record.dataCount = answer.count
        guard record.packetCount > 0 else {
            unsafe channel.record(record) { unsafe $0.copyMemory(answer) }
            return
        }
        let layout = PacketLayout(urb, answered: answer.count)
        record.errorCount = layout.failed
        record.length = layout.moved
        record.dataCount = isIn ? layout.extent : 0
        let extent = record.dataCount
        _ = unsafe recordPackets(record, urb) {
            layout.isConsistent ? $0.actualLength : 0
        } data: { memory in
            guard extent > 0 else { return }
            unsafe memory.initializeMemory(as: UInt8.self, repeating: 0, count: extent)
            // The answer has the packets one behind the other, the host's buffer each in its place.
            var done = 0
            for index in 0..<urb.packetCount {
                guard let packet = urb.packet(index), packet.actualLength > 0 else { continue }
                let count = min(Int(packet.actualLength), extent - Int(packet.offset), answer.count - done)
                guard count > 0, let start = answer.baseAddress else { continue }
                unsafe (memory + Int(packet.offset)).copyMemory(from: start + done, byteCount: count)
                done += count
            }
        }
    }

    /// Records an isochronous transfer.
    ///
    /// - Parameters:
    ///   - length: what a packet's descriptor has for its length.
    ///   - data: writes the data behind the descriptors.
    private func recordPackets(
        _ record: USBMonRecord, _ urb: borrowing URB, length: (IsochronousPacket) -> UInt32,
        data: (UnsafeMutableRawPointer) -> Void
    ) -> Bool {
        unsafe channel.record(record) { memory in
            var place = unsafe memory
            for index in 0..<record.packetCount {
                let packet = urb.packet(index) ?? IsochronousPacket(offset: 0, length: 0)
                unsafe USBMonRecord.encode(packet.status, offset: packet.offset, length: length(packet), to: place)
                unsafe place += USBMonRecord.packetSize
            }
            unsafe data(place)
        }
    }
}

/// Where the packets of an isochronous transfer that has ended are in the host's buffer.
private struct PacketLayout {
    /// Bytes that all packets have moved.
    private(set) var moved = 0
    /// Where the last byte that has moved ends in the host's buffer.
    private(set) var extent = 0
    /// Packets that failed.
    private(set) var failed = 0
    /// Whether packets and answer agree; when they do not, the host is told that nothing has moved.
    let isConsistent: Bool

    init(_ urb: borrowing URB, answered: Int) {
        for index in 0..<urb.packetCount {
            guard let packet = urb.packet(index) else { continue }
            if packet.status != .success { failed += 1 }
            moved += Int(packet.actualLength)
            if packet.actualLength > 0 { extent = max(extent, Int(packet.offset) + Int(packet.actualLength)) }
        }
        isConsistent = urb.endpoint.direction == .out || (moved == answered && extent <= urb.requestedLength)
        if !isConsistent {
            moved = 0
            extent = 0
        }
    }
}

extension UnsafeMutableRawPointer {
    /// Copies bytes here; the memory has room for them.
    @unsafe fileprivate func copyMemory(_ bytes: UnsafeRawBufferPointer) {
        if bytes.count > 0, let start = bytes.baseAddress { unsafe copyMemory(from: start, byteCount: bytes.count) }
    }
}
