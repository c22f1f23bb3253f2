/// What a capture file is, as its first bytes tell.
enum CaptureKind {
    case pcap
    case pcapNG
    case text

    /// How many of a file's bytes are looked at.
    static let beginning = 4096
    /// How many bytes of a stream are looked at before the rest is fetched: compressed, they hold a whole beginning.
    static let lookahead = 2 * beginning

    /// What a file is that begins so; nil for none that is understood.
    static func sniffed(_ beginning: UnsafeRawBufferPointer) -> CaptureKind? {
        if unsafe PcapNGReader.isPcapNG(beginning) { return .pcapNG }
        if unsafe PcapReader.isPcap(beginning) { return .pcap }
        return unsafe USBMonText.isText(beginning) ? .text : nil
    }

    /// Refuses what can be told to be no capture, whatever comes after it.
    ///
    /// - Parameter bytes: the first bytes, as they are or compressed.
    /// - Throws: ``CaptureError`` when a whole beginning is there and is that of no capture.
    static func refuseOthers(_ bytes: UnsafeRawBufferPointer) throws(CaptureError) {
        let compression = unsafe Compression.sniffed(bytes)
        if let refusal = compression?.refusal { throw refusal }
        guard compression != nil else { return try unsafe refuseOthers(expanded: bytes) }
        let expanded = unsafe Inflation.beginning(of: bytes, count: Self.beginning)
        let failure = unsafe expanded.withUnsafeBytes { bytes -> CaptureError? in
            do throws(CaptureError) {
                try unsafe refuseOthers(expanded: bytes)
                return nil
            } catch {
                return error
            }
        }
        if let failure { throw failure }
    }

    private static func refuseOthers(expanded bytes: UnsafeRawBufferPointer) throws(CaptureError) {
        guard bytes.count >= Self.beginning else { return }
        let beginning = unsafe UnsafeRawBufferPointer(rebasing: bytes[..<Self.beginning])
        if unsafe sniffed(beginning) == nil { throw unknown }
    }

    /// What is said of a file that is no capture.
    static var unknown: CaptureError {
        CaptureError(
            .unsupported,
            "The file is not a capture that is understood: it is neither pcap, pcapng nor usbmon text, also compressed "
                + "with gzip. Save it from Wireshark as pcapng")
    }
}
