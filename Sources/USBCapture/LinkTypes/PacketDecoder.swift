/// One packet of a capture file, as its container describes it.
package struct CapturedFrame {
    /// The packet's number in the file, from 1.
    package var number: Int
    /// Where the packet (its record or block) begins in the file.
    package var offset: Int64
    /// Where the packet's bytes begin in the file.
    package var bytesOffset: Int64
    /// Nanoseconds since 1970.
    package var time: Int64
    /// The interface, from 0 through all sections of the file.
    package var interface: Int
    /// The link type, one of tcpdump.org's LINKTYPE numbers.
    package var linkType: UInt16
    /// Whether the file's numbers are big-endian.
    package var isBigEndian: Bool
    /// The packet's length when it was captured; more than its bytes when it was cut.
    package var originalLength: Int

    /// Makes a frame.
    package init(
        number: Int, offset: Int64, bytesOffset: Int64, time: Int64, interface: Int, linkType: UInt16,
        isBigEndian: Bool, originalLength: Int
    ) {
        self.number = number
        self.offset = offset
        self.bytesOffset = bytesOffset
        self.time = time
        self.interface = interface
        self.linkType = linkType
        self.isBigEndian = isBigEndian
        self.originalLength = originalLength
    }
}

/// Reads the packets of one or more link types.
package protocol PacketDecoder: AnyObject {
    /// Takes a packet, and says what it means: nothing, an event, or several; false when it is too short for what it
    /// should be, or contradicts itself.
    ///
    /// - Parameter bytes: the packet; valid during the call, and until the next packet is read for data emitted
    ///   by range.
    func decode(_ frame: CapturedFrame, _ bytes: UnsafeRawBufferPointer, into output: DecodedEvents) -> Bool

    /// The file has ended, and with it what was waiting for more.
    func finish(into output: DecodedEvents)
}

/// What decoders have made of packets, waiting to be taken in order.
package final class DecodedEvents {
    /// Where an event's data are.
    package enum Data {
        /// In the packet decoded last.
        case packet(Range<Int>)
        /// In memory of their own.
        case owned([UInt8])
    }

    /// The events, with their data.
    package private(set) var events: [(event: CapturedEvent, data: Data)] = []
    /// What has been said of devices, and not been taken yet.
    package private(set) var announcements: [DeviceAnnouncement] = []

    /// Makes an empty queue.
    package init() {}

    /// Adds an event whose data, if any, are in the packet being decoded.
    package func emit(_ event: CapturedEvent, inPacket range: Range<Int> = 0..<0) {
        events.append((event, .packet(range)))
    }

    /// Adds an event with data from elsewhere.
    package func emit(_ event: CapturedEvent, owning bytes: [UInt8]) { events.append((event, .owned(bytes))) }

    /// Adds what was said of a device.
    package func announce(_ announcement: DeviceAnnouncement) { announcements.append(announcement) }

    /// Gives what has been said of devices, and forgets it.
    package func takeAnnouncements() -> [DeviceAnnouncement] {
        defer { announcements.removeAll(keepingCapacity: true) }
        return announcements
    }

    /// Forgets the events, which have been taken.
    package func removeEvents() { events.removeAll(keepingCapacity: true) }
}
