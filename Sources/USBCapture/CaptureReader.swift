/// Reads a capture file: pcap, pcapng or usbmon's text, also compressed with gzip, told by content and not by name.
///
/// Packets of usbmon (link types 189 and 220), of USBPcap (249), and of networks that carry USB/IP give events; others
/// are counted in ``skippedPackets``. Memory does not grow with the file. Not for several threads at once.
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
    /// How many packets, up to now, were of no understood link type, or too short for what they should be.
    public private(set) var skippedPackets = 0

    private let source: ByteSource
    private let content: Content
    private let notes = CaptureNotes()
    private var packet = unsafe ContainerPacket()
    private let usbpcap = USBPcapDecoder()
    private let network = NetworkDecoder()
    private let decoded = DecodedEvents()
    /// How many of the decoded events have been given, and how many of their announcements have been kept.
    private var given = 0
    private var kept = 0
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
    /// - Throws: ``CaptureError`` when it cannot be opened, or is not a capture.
    public convenience init(path: String) throws(CaptureError) {
        try self.init(ByteSource.open(path: path))
    }

    /// Takes a capture file that is in memory.
    ///
    /// - Throws: ``CaptureError`` when it is not a capture.
    public convenience init(bytes: [UInt8]) throws(CaptureError) {
        try self.init(ByteSource(bytes: bytes).expanded())
    }

    init(_ source: ByteSource) throws(CaptureError) {
        self.source = source
        size = source.size
        let beginning = try unsafe source.piece(at: 0, count: 4096)
        let name: String
        if unsafe PcapNGReader.isPcapNG(beginning) {
            content = .pcapNG(PcapNGReader(source, notes: notes))
            name = "pcapng"
        } else if unsafe PcapReader.isPcap(beginning) {
            let reader = try PcapReader(source)
            guard LinkType.reader(reader.linkType) != nil else {
                throw CaptureError(.unsupported, LinkType.unsupported([reader.linkType]), offset: 20)
            }
            content = .pcap(reader)
            name = "pcap"
        } else if unsafe USBMonText.isText(beginning) {
            content = .text(USBMonTextSource(source))
            name = "usbmon text"
        } else {
            throw unsafe Self.unknown(beginning, ending: source.ending)
        }
        format = name + (source.compression.map { ", compressed with \($0)" } ?? "")
    }

    private static func unknown(_ beginning: UnsafeRawBufferPointer, ending: CaptureError?) -> CaptureError {
        if let ending { return ending }
        guard beginning.count > 0 else { return CaptureError(.cut, "The file is empty", offset: 0) }
        return CaptureError(
            .unsupported,
            "The file is not a capture that is understood: it is neither pcap, pcapng nor usbmon text, also compressed "
                + "with gzip. Save it from Wireshark as pcapng",
            offset: 0)
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

    /// The interfaces that a pcapng file has described up to now; at most the first 1024.
    public var interfaces: [CaptureInterface] { notes.interfaces }

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
        hasReadable = true
        guard reader == .usbmon else {
            // What was decoded before an error is given before it.
            defer { keepAnnouncements() }
            switch reader {
            case .usbpcap: try unsafe usbpcap.decode(packet.frame, packet.bytes, into: decoded)
            default: try unsafe network.decode(packet.frame, packet.bytes, into: decoded)
            }
            return nil
        }
        guard
            let (event, range) = unsafe USBMonPacket.event(
                packet.frame, packet.bytes, hasFineTime: packet.hasFineTime)
        else {
            skippedPackets += 1
            return nil
        }
        data = .packet(range)
        return event
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
        } else if !hasReadable, !strangeLinkTypes.isEmpty {
            ending = CaptureError(.unsupported, LinkType.unsupported(Array(strangeLinkTypes)))
        }
    }

    private func keepAnnouncements() {
        while kept < decoded.announcements.count {
            notes.announce(decoded.announcements[kept])
            kept += 1
        }
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
