/// What a capture file says beside its packets: limited, whatever the file has.
final class CaptureNotes {
    private(set) var comments: [String] = []
    private(set) var announcements: [DeviceAnnouncement] = []
    private var commentBytes = 0
    private var statisticsDropped: Int64 = 0
    private var packetsDropped: Int64 = 0

    /// Keeps a comment, and what it announces if it is one of ours.
    ///
    /// - Parameters:
    ///   - bytes: UTF-8, at most 65,535 bytes.
    ///   - interface: the interface that it is about, through all sections; nil when it is about none.
    ///   - base: the number of the section's first interface.
    func comment(_ bytes: UnsafeRawBufferPointer, interface: Int?, base: Int) {
        let text = unsafe String(decoding: bytes, as: UTF8.self)
        if comments.count < ContainerLimits.comments, bytes.count <= ContainerLimits.commentBytes - commentBytes {
            comments.append(text)
            commentBytes += bytes.count
        }
        for line in text.split(whereSeparator: \.isNewline) {
            if let announcement = AnnouncementLine.parse(line, interface: interface, base: base) {
                announce(announcement)
            }
        }
    }

    /// Keeps what is said of a device.
    func announce(_ announcement: DeviceAnnouncement) {
        if announcements.count < ContainerLimits.announcements { announcements.append(announcement) }
    }

    /// How many packets the capturing program has missed: as the statistics say, or as the packets do where the file
    /// was cut before its statistics.
    var dropped: Int64 { max(statisticsDropped, packetsDropped) }

    /// Counts packets that an interface's statistics call dropped, in place of what earlier ones said.
    func count(dropped: UInt64, insteadOf earlier: UInt64) {
        let change = Int64(clamping: dropped) - Int64(clamping: earlier)
        let sum = statisticsDropped.addingReportingOverflow(change)
        statisticsDropped = sum.overflow ? .max : max(0, sum.partialValue)
    }

    /// Counts packets that were dropped before a packet.
    func count(droppedBeforePacket count: UInt64) {
        let sum = packetsDropped.addingReportingOverflow(Int64(clamping: count))
        packetsDropped = sum.overflow ? .max : sum.partialValue
    }
}
