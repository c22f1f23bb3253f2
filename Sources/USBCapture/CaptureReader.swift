/// Reads a capture file: pcap, pcapng or usbmon's text, also compressed with gzip, told by content and not by name.
///
/// Packets of usbmon (link types 189 and 220), of USBPcap (249), and of networks that carry USB/IP give events; others
/// are counted in ``skippedPackets``, and damaged ones in ``malformedPackets``. Memory does not grow with
/// the file. Not for several threads at once.
@safe
public final class CaptureReader: EventSource {
    private enum Content {
        case pcap(PcapReader)
        case pcapNG(PcapNGReader)
        case text(USBMonTextSource)
    }

    /// What the file is, such as `pcapng` or `pcap, compressed with gzip`.
    public let format: String
    /// Its length in bytes; of a compressed file, of what it expands to.
    public let size: Int64
    /// How many packets, up to now, were of no understood link type.
    public private(set) var skippedPackets = 0
    /// How many packets of understood link types, up to now, were too short or contradicted themselves.
    public private(set) var malformedPackets = 0

    private let source: ByteSource
    private let content: Content
    private let notes = CaptureNotes()
    private var packet = unsafe ContainerPacket()
    private let usbpcap = USBPcapDecoder()
    private let network = NetworkDecoder()
    private let decoded = DecodedEvents()
    /// How many of the decoded events have been given.
    private var given = 0
    private var data = Data.packet(0..<0)
    private var strangeLinkTypes: Set<UInt16> = []
    private var hasReadable = false
    private var stage = Stage.reading

    private typealias Data = DecodedEvents.Data

    private enum Stage {
        case reading
        /// The file has ended; what the decoders had left is given, and then `ending`.
        case draining
        case ended
    }
    private var ending: CaptureError?

    /// Opens a capture file, or standard input for `-`; pipes and gzip go through a temporary file in `$TMPDIR` or
    /// `/tmp`, of at most 16 GiB.
    ///
    /// What is no capture is refused by its first bytes, before the rest is read.
    ///
    /// - Throws: ``CaptureError`` when it cannot be opened, or is not a capture.
    public convenience init(path: String) throws(CaptureError) {
        try self.init(ByteSource.open(path: path, onlyCaptures: true))
    }

    /// Takes a capture file that is in memory.
    ///
    /// - Throws: ``CaptureError`` when it is not a capture.
    public convenience init(bytes: [UInt8]) throws(CaptureError) {
        try self.init(ByteSource(bytes: bytes).expanded(onlyCaptures: true))
    }

    init(_ source: ByteSource) throws(CaptureError) {
        self.source = source
        size = source.size
        let beginning = try unsafe source.piece(at: 0, count: CaptureKind.beginning)
        let name: String
        switch unsafe CaptureKind.sniffed(beginning) {
        case .pcapNG:
            content = .pcapNG(PcapNGReader(source, notes: notes))
            name = "pcapng"
        case .pcap:
            let reader = try PcapReader(source)
            guard LinkType.reader(reader.linkType) != nil else {
                throw CaptureError(.unsupported, LinkType.unsupported([reader.linkType]), offset: 20)
            }
            content = .pcap(reader)
            name = "pcap"
        case .text:
            content = .text(USBMonTextSource(source))
            name = "usbmon text"
        case nil:
            if let ending = source.ending { throw ending }
            throw source.size > 0 ? CaptureKind.unknown : CaptureError(.cut, "The file is empty")
        }
        format = name + (source.compression.map { ", compressed with \($0)" } ?? "")
    }

    /// How far reading has come, in bytes, 0 to ``size``.
    public var position: Int64 {
        switch content {
        case .pcap(let reader): min(reader.offset, size)
        case .pcapNG(let reader): reader.offset
        case .text: textPosition
        }
    }
    private var textPosition: Int64 = 0

    /// The comments of sections, interfaces and packets that have been read up to now: at most 10,000, and 1 MiB.
    public var comments: [String] { notes.comments }

    /// How many packets the capturing program has missed, as the interfaces' statistics say up to now.
    public var dropped: Int64 { notes.dropped }

    /// What could not be read of USB/IP connections, such as bytes that were not captured, in one line for each; at
    /// most 101, and complete when the end has been reached.
    public var warnings: [String] { network.warnings }

    /// See ``EventSource/announcements``; at most 65,536.
    public var announcements: [DeviceAnnouncement] { notes.announcements }
}

// MARK: - Events

extension CaptureReader {
    /// The next event; nil at the end.
    ///
    /// - Throws: ``CaptureError`` where the file is cut or damaged, or at the end of one in which nothing can be read.
    ///   After that there are no more events.
    public func next() throws(CaptureError) -> CapturedEvent? {
        while true {
            if given < decoded.events.count {
                let next = decoded.events[given]
                given += 1
                data = next.data
                return next.event
            }
            if given > 0 {
                decoded.removeEvents()
                given = 0
            }
            switch stage {
            case .reading:
                do throws(CaptureError) {
                    if let event = try step() { return event }
                } catch {
                    drain(error)
                }
            case .draining:
                stage = .ended
                if let ending { throw ending }
            case .ended: return nil
            }
        }
    }

    /// Reads the next packet, or the next line; the event that it is, or nil when it has been decoded into the queue.
    @inline(__always)
    private func step() throws(CaptureError) -> CapturedEvent? {
        let isMore: Bool
        switch content {
        case .pcap(let reader): isMore = try unsafe reader.next(into: &packet)
        case .pcapNG(let reader): isMore = try unsafe reader.next(into: &packet)
        case .text(let reader):
            let isMore = try reader.decode(into: decoded)
            keepAnnouncements()
            if let last = decoded.events.last { textPosition = last.event.offset }
            if !isMore { drain(nil) }
            return nil
        }
        guard isMore else {
            drain(nil)
            return nil
        }
        guard let reader = unsafe LinkType.reader(packet.frame.linkType) else {
            skippedPackets += 1
            unsafe strangeLinkTypes.insert(packet.frame.linkType)
            return nil
        }
        guard reader == .usbmon else {
            let isGood =
                reader == .usbpcap
                ? unsafe usbpcap.decode(packet.frame, packet.bytes, into: decoded)
                : unsafe network.decode(packet.frame, packet.bytes, into: decoded)
            note(isGood)
            return nil
        }
        guard
            let (event, range) = unsafe USBMonPacket.event(
                packet.frame, packet.bytes, hasFineTime: packet.hasFineTime)
        else {
            note(false)
            return nil
        }
        hasReadable = true
        data = .packet(range)
        return event
    }

    /// Counts a packet that was decoded into the queue, or could not be.
    private func note(_ isGood: Bool) {
        if isGood {
            hasReadable = true
        } else {
            malformedPackets += 1
        }
        keepAnnouncements()
    }

    /// Ends reading, after what the decoders still have.
    private func drain(_ error: CaptureError?) {
        stage = .draining
        // The last packet is not lent any more.
        unsafe packet.bytes = UnsafeRawBufferPointer(start: nil, count: 0)
        usbpcap.finish(into: decoded)
        network.finish(into: decoded)
        keepAnnouncements()
        if let reason = source.ending, error == nil || error?.kind == .cut {
            ending = CaptureError(reason.kind, reason.reason, offset: reason.offset, packet: error?.packet)
        } else if let error {
            ending = error
        } else if !hasReadable, malformedPackets > 0 {
            ending = CaptureError(
                .damaged,
                "None of the \(malformedPackets) packets can be read: they are shorter than their headers, or damaged. "
                    + "If the capture's snap length was small, capture again without one: tcpdump -s 0, dumpcap -s 0")
        } else if !hasReadable, !strangeLinkTypes.isEmpty {
            ending = CaptureError(.unsupported, LinkType.unsupported(Array(strangeLinkTypes)))
        }
    }

    private func keepAnnouncements() {
        guard !decoded.announcements.isEmpty else { return }
        for announcement in decoded.takeAnnouncements() { notes.announce(announcement) }
    }
}

// MARK: - Data

extension CaptureReader {
    /// See ``EventSource/withData(_:)``.
    public func withData<R>(_ body: (RawSpan) -> R) -> R {
        switch data {
        case .owned(let bytes): return unsafe bytes.withUnsafeBytes { unsafe body(RawSpan(_unsafeBytes: $0)) }
        case .packet(let range):
            let range = unsafe range.clamped(to: 0..<packet.bytes.count)
            return unsafe body(RawSpan(_unsafeBytes: UnsafeRawBufferPointer(rebasing: packet.bytes[range])))
        }
    }

    /// See ``EventSource/read(at:into:)``.
    public func read(at offset: Int64, into memory: UnsafeMutableRawBufferPointer) throws(CaptureError) {
        try unsafe source.read(at: offset, into: memory)
    }
}
