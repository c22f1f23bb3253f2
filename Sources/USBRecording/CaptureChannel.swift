public import USBCapture
public import USBCore

/// A device, as a capture describes it.
public struct RecordedDevice: Hashable, Sendable {
    /// The device's name, for people.
    public var name: String
    /// The connection's speed, where it is known.
    public var speed: Speed?
    /// The bus id by which hosts attach it.
    public var busID: String?
    /// `idVendor`, where it is known.
    public var vendorID: UInt16?
    /// `idProduct`, where it is known.
    public var productID: UInt16?
    /// The specification of its model, where it has one.
    public var model: String?
    /// What keeps it apart from others of its model: with it and the specification it can be made again.
    public var seed: UInt64?

    /// Makes a description that says nothing but a name.
    public init(name: String) { self.name = name }

    func comment(_ place: CaptureChannel.Place) -> String {
        var announcement = DeviceAnnouncement(
            channel: place.index, bus: place.bus, device: UInt16(place.device), speed: speed)
        announcement.busID = busID
        announcement.vendorID = vendorID
        announcement.productID = productID
        announcement.model = model
        return DeviceComment.line(announcement, seed: seed)
    }
}

/// Where one device's records go.
public final class CaptureChannel: Sendable {
    /// Where in the file a device is.
    struct Place: Sendable {
        /// The interface's number.
        let index: Int
        /// The bus's number.
        let bus: UInt16
        /// The device's address.
        let device: UInt8 = 2

        init(_ index: Int) {
            self.index = index
            bus = UInt16(truncatingIfNeeded: index &+ 1)
        }
    }

    let place: Place
    private let writer: CaptureWriter
    /// Keeps transfers of different devices apart, for readers that go by their names alone.
    private let names: UInt64

    init(_ index: Int, _ writer: CaptureWriter) {
        place = Place(index)
        names = UInt64(truncatingIfNeeded: index &+ 1) << 32
        self.writer = writer
    }

    /// The bus's number in the capture.
    public var bus: UInt16 { place.bus }

    /// Whether records are still taken: not after the writer was closed, or has failed.
    public var isOpen: Bool { writer.buffer.isOpen }

    /// Has the file say something of this device at its end.
    public func note(_ text: String) { writer.buffer.note(text, channel: place.index) }

    /// The record of a transfer of this device, which is still to be filled in.
    func begin(
        _ kind: CapturedEvent.Kind, _ name: UInt32, _ type: TransferType, _ endpoint: EndpointAddress
    ) -> USBMonRecord {
        USBMonRecord(
            kind, urb: names | UInt64(name), type: type, endpoint: endpoint, bus: place.bus, device: place.device)
    }

    /// Records.
    ///
    /// - Parameter fill: writes the packets' descriptors and the data.
    /// - Returns: whether there was room.
    @discardableResult
    func record(_ record: USBMonRecord, cut: Int = 0, _ fill: (UnsafeMutableRawPointer) -> Void) -> Bool {
        let size = record.size
        guard
            let room = writer.buffer.takeRoom(for: size, channel: place.index, isEnd: record.kind != .submission)
        else { return false }
        unsafe PcapNGEncoder.encodePacket(
            to: room.memory, UInt32(truncatingIfNeeded: place.index), room.time, count: size, original: size + cut,
            options: room.options)
        let start = unsafe room.memory + PcapNGEncoder.packetHeaderSize
        unsafe record.encodeHeader(to: start, time: room.time)
        unsafe fill(start + USBMonRecord.headerSize)
        room.block.finish()
        return true
    }

    /// Records an event of this device, with the time at which this is called and this channel's bus and address.
    ///
    /// - Parameter data: `dataCount` bytes; what is missing is zero.
    /// - Returns: whether there was room; the end of a transfer whose beginning was dropped is to be left out.
    @discardableResult
    public func record(_ event: CapturedEvent, data: RawSpan) -> Bool {
        var record = USBMonRecord(event)
        record.bus = place.bus
        record.device = place.device
        record.urb = names | event.urb & 0xffff_ffff
        let cut = event.isCut ? max(0, event.length - event.dataCount) : 0
        let dataCount = record.dataCount
        return unsafe self.record(record, cut: cut) { memory in
            var place = unsafe memory
            for packet in event.packets.prefix(record.packetCount) {
                unsafe USBMonRecord.encode(packet.status, offset: packet.offset, length: packet.length, to: place)
                unsafe place += USBMonRecord.packetSize
            }
            let count = min(dataCount, data.byteCount)
            unsafe data.withUnsafeBytes { bytes in
                if count > 0, let start = bytes.baseAddress {
                    unsafe place.copyMemory(from: start, byteCount: count)
                }
            }
            if count < dataCount {
                unsafe (place + count).initializeMemory(as: UInt8.self, repeating: 0, count: dataCount - count)
            }
        }
    }
}
