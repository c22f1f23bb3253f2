import Logging
import Synchronization
import USBCapture
import USBCore
import USBRecording

/// What a proxy records: an interface for each device, also when it is imported again.
final class ProxyRecording: Sendable {
    private let writer: CaptureWriter
    let logger: Logger
    /// Of devices that no connection has at the moment.
    private let idle = Mutex<[RecordedDevice: [CaptureChannel]]>([:])

    init(_ writer: CaptureWriter, logger: Logger) {
        self.writer = writer
        self.logger = logger
    }

    /// Where a device's records go.
    func take(_ device: RecordedDevice) -> CaptureChannel {
        idle.withLock { $0[device]?.popLast() } ?? writer.register(device)
    }

    /// Gives back what ``take(_:)`` gave: the connection has ended.
    func giveBack(_ channel: CaptureChannel, of device: RecordedDevice) {
        idle.withLock { $0[device, default: []].append(channel) }
    }
}

/// Records one connection, from a copy of what its ends say.
///
/// A connection that breaks the protocol is passed on all the same; its recording ends there, with a note.
///
/// `@unchecked Sendable`: what changes is only touched under the lock.
final class ConnectionRecording: @unchecked Sendable {
    private let recording: ProxyRecording
    private let peer: String
    private let lock = Mutex(())
    private let decoder = USBIPStreamDecoder()
    private var device: RecordedDevice?
    private var channel: CaptureChannel?
    /// Transfers whose beginning was recorded, and whose end is still to come.
    private var pending: [UInt64: PendingTransfer] = [:]
    private var hasEnded = false

    init(_ recording: ProxyRecording, peer: String) {
        self.recording = recording
        self.peer = peer
    }

    /// Takes what one end has sent.
    ///
    /// To be taken before it is sent on: a request before its answer can come, and an answer before what follows it.
    func take(_ bytes: UnsafeRawBufferPointer, fromClient: Bool) {
        lock.withLock { _ in
            guard !hasEnded else { return }
            unsafe decoder.read(bytes, fromClient: fromClient) { announcement in
                imported(announcement)
            } emit: { event, data in
                record(event, data)
            }
            guard let trouble = decoder.trouble else { return }
            hasEnded = true
            let note = "the connection of \(peer) is recorded no further: \(trouble)"
            channel?.note(note)
            recording.logger.warning("\(note)")
        }
    }

    private func imported(_ announcement: DeviceAnnouncement) {
        releaseChannel()
        var device = RecordedDevice(name: announcement.busID.map { "device \($0)" } ?? "device")
        device.speed = announcement.speed
        device.busID = announcement.busID
        device.vendorID = announcement.vendorID
        device.productID = announcement.productID
        use(device)
    }

    @discardableResult
    private func use(_ device: RecordedDevice) -> CaptureChannel {
        let channel = recording.take(device)
        self.device = device
        self.channel = channel
        return channel
    }

    private func record(_ event: CapturedEvent, _ data: RawSpan) {
        // Transfers without an import are strange, but no reason to lose them.
        let channel = channel ?? use(RecordedDevice(name: "device"))
        guard event.kind != .submission else {
            var event = event
            // What a host's core says of packets that have not ended.
            for index in event.packets.indices { event.packets[index].status = .missed }
            if channel.record(event, data: data) { pending[event.urb] = PendingTransfer(event) }
            return
        }
        // Where the beginning was dropped, so is the end.
        guard let transfer = pending.removeValue(forKey: event.urb) else { return }
        if let (spread, memory) = transfer.spread(event, data) {
            channel.record(spread, data: unsafe memory.span.bytes)
        } else {
            channel.record(event, data: data)
        }
    }

    /// Nothing more is heard of the device: what it has not answered ends, as at a host that has lost it.
    private func releaseChannel() {
        if let channel, let device {
            let nothing: [UInt8] = []
            for (name, transfer) in pending.sorted(by: { $0.key < $1.key }) {
                channel.record(transfer.end(name, .shutdown), data: unsafe nothing.span.bytes)
            }
            recording.giveBack(channel, of: device)
        }
        pending = [:]
        channel = nil
        device = nil
    }

    /// The connection has ended.
    func end() {
        lock.withLock { _ in
            hasEnded = true
            releaseChannel()
        }
    }
}
