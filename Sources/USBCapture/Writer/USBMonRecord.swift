package import USBCore

/// One record as Linux's usbmon writes it (`struct mon_bin_hdr`, link type 220): a header of 64 bytes, the descriptors of
/// isochronous packets, and the data.
///
/// Encoded little-endian, without an allocation, into memory that the caller has.
package struct USBMonRecord {
    /// The header's size in bytes.
    package static let headerSize = 64
    /// An isochronous packet descriptor's size in bytes.
    package static let packetSize = 16

    /// Names the transfer until it ends.
    package var urb: UInt64
    /// What is recorded.
    package var kind: CapturedEvent.Kind
    /// How the endpoint moves data.
    package var type: TransferType
    /// The endpoint; bit 7 of a control transfer is the direction of its data stage.
    package var endpoint: EndpointAddress
    /// The device's address, 0 to 127.
    package var device: UInt8
    /// The bus's number.
    package var bus: UInt16
    /// The setup stage, in submissions of control transfers.
    package var setup: SetupPacket?
    /// How the transfer ended; written as `EINPROGRESS` in submissions.
    package var status = TransferStatus.success
    /// Bytes asked for (submission) or moved (completion).
    package var length = 0
    /// Bytes of data that follow.
    package var dataCount = 0
    /// Isochronous packets whose descriptors follow.
    package var packetCount = 0
    /// Isochronous packets that failed.
    package var errorCount = 0
    /// The endpoint's interval, in frames or microframes; 0 for bulk and control.
    package var interval: Int32 = 0
    /// The frame in which an isochronous transfer starts.
    package var startFrame: Int32 = 0
    /// Linux's transfer flags.
    package var flags: UInt32 = 0

    /// Makes a record of a transfer without data.
    package init(
        _ kind: CapturedEvent.Kind, urb: UInt64, type: TransferType, endpoint: EndpointAddress, bus: UInt16,
        device: UInt8
    ) {
        self.urb = urb
        self.kind = kind
        self.type = type
        self.endpoint = endpoint
        self.device = device
        self.bus = bus
    }

    /// Makes a record of an event; what is not in an event is derived as Linux does.
    package init(_ event: CapturedEvent) {
        self.init(
            event.kind, urb: event.urb, type: event.type, endpoint: event.endpoint, bus: event.bus,
            device: UInt8(truncatingIfNeeded: event.device & 0x7f))
        setup = event.type == .control && event.kind == .submission ? event.setup : nil
        status = event.status
        length = event.length
        dataCount = event.dataCount
        if event.type == .isochronous {
            packetCount = event.packets.count
            if event.kind != .submission { errorCount = event.packets.count { $0.status != .success } }
        }
        interval = event.interval
        startFrame = event.startFrame
        flags = event.flags
    }

    /// Bytes of the record: header, packet descriptors and data.
    package var size: Int { Self.headerSize + packetCount * Self.packetSize + dataCount }

    /// What submissions have in the place of a status (`-EINPROGRESS`).
    package static let inProgress: Int32 = -115

    /// Why there are no data, or 0 when there are, or could not have been any.
    private var dataFlag: UInt8 {
        guard dataCount == 0 else { return 0 }
        let isIn = endpoint.direction == .in
        switch kind {
        case .refusal: return UInt8(ascii: "E")
        case .submission where isIn: return UInt8(ascii: "<")
        case .completion where !isIn: return UInt8(ascii: ">")
        // Bytes have moved, and nobody has them.
        case .submission, .completion: return length > 0 && type != .isochronous ? UInt8(ascii: "Z") : 0
        }
    }

    /// Writes the header.
    ///
    /// - Parameters:
    ///   - memory: room for 64 bytes.
    ///   - time: nanoseconds since 1970; usbmon's own time has microseconds of it.
    @unsafe package func encodeHeader(to memory: UnsafeMutableRawPointer, time: Int64) {
        let (seconds, nanoseconds) = time.quotientAndRemainder(dividingBy: 1_000_000_000)
        unsafe memory.store(urb, at: 0)
        unsafe memory.store(kind.usbmon, at: 8)
        unsafe memory.store(type.usbmon, at: 9)
        unsafe memory.store(endpoint.rawValue, at: 10)
        unsafe memory.store(device, at: 11)
        unsafe memory.store(bus, at: 12)
        unsafe memory.store(setup == nil ? UInt8(ascii: "-") : 0, at: 14)
        unsafe memory.store(dataFlag, at: 15)
        unsafe memory.store(seconds, at: 16)
        unsafe memory.store(Int32(truncatingIfNeeded: nanoseconds / 1000), at: 24)
        unsafe memory.store(kind == .submission ? Self.inProgress : status.rawValue, at: 28)
        unsafe memory.store(UInt32(clamping: length), at: 32)
        unsafe memory.store(UInt32(clamping: dataCount + packetCount * Self.packetSize), at: 36)
        if let setup {
            unsafe memory.store(setup.littleEndian, at: 40)
        } else if type == .isochronous {
            unsafe memory.store(Int32(clamping: errorCount), at: 40)
            unsafe memory.store(Int32(clamping: packetCount), at: 44)
        } else {
            unsafe memory.store(UInt64(0), at: 40)
        }
        unsafe memory.store(interval, at: 48)
        unsafe memory.store(startFrame, at: 52)
        unsafe memory.store(flags, at: 56)
        unsafe memory.store(UInt32(clamping: packetCount), at: 60)
    }

    /// Writes one packet's descriptor.
    ///
    /// - Parameter memory: room for 16 bytes.
    @unsafe package static func encode(
        _ status: TransferStatus, offset: UInt32, length: UInt32, to memory: UnsafeMutableRawPointer
    ) {
        unsafe memory.store(status.rawValue, at: 0)
        unsafe memory.store(offset, at: 4)
        unsafe memory.store(length, at: 8)
        unsafe memory.store(UInt32(0), at: 12)
    }
}

extension CapturedEvent.Kind {
    /// usbmon's letter.
    fileprivate var usbmon: UInt8 {
        switch self {
        case .submission: UInt8(ascii: "S")
        case .completion: UInt8(ascii: "C")
        case .refusal: UInt8(ascii: "E")
        }
    }
}

extension TransferType {
    /// usbmon's number, which is not the descriptors'.
    fileprivate var usbmon: UInt8 {
        switch self {
        case .isochronous: 0
        case .interrupt: 1
        case .control: 2
        case .bulk: 3
        }
    }
}

extension UnsafeMutableRawPointer {
    /// Stores a number little-endian, wherever it stands.
    @inline(__always) @unsafe func store<Number: FixedWidthInteger>(_ value: Number, at offset: Int) {
        unsafe storeBytes(of: value.littleEndian, toByteOffset: offset, as: Number.self)
    }
}
