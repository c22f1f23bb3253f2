package import CaptureTraces
import CommandSupport
import USBCapture
import USBCore

/// What a capture file is, beside what is in it.
package struct CaptureFacts: Sendable {
    /// Its name.
    package var name: String
    /// Its format in words.
    package var format: String
    /// Its size in bytes.
    package var size: Int64
    /// Its comments.
    package var comments: [String]
    /// Packets that the capturing program lost.
    package var dropped: Int64
    /// Packets that carry nothing of USB.
    package var skipped: Int
    /// Packets that are too short for what they should be.
    package var malformed: Int
    /// What of connections could not be read, in words.
    package var warnings: [String]

    /// Makes a value.
    package init(
        name: String, format: String, size: Int64, comments: [String], dropped: Int64, skipped: Int = 0,
        malformed: Int = 0, warnings: [String] = []
    ) {
        self.name = name
        self.format = format
        self.size = size
        self.comments = comments
        self.dropped = dropped
        self.skipped = skipped
        self.malformed = malformed
        self.warnings = warnings
    }
}

/// What is in a capture: its devices, how much is known of them, and what is missing.
package struct CaptureReport {
    /// More comments than a page's worth are counted.
    private static let commentLimit = 20

    let summary: CaptureSummary
    let facts: CaptureFacts
    let devices: [CapturedDevice]

    /// Makes a report.
    ///
    /// - Parameter devices: those to tell of; nil for all.
    package init(_ summary: CaptureSummary, _ facts: CaptureFacts, devices: [CapturedDevice]? = nil) {
        self.summary = summary
        self.facts = facts
        self.devices = devices ?? summary.devices
    }

    /// The report in lines, joined by newlines.
    package var text: String {
        var lines = head
        lines += [""] + table
        for device in devices { lines += [""] + Self.details(device) }
        return lines.joined(separator: "\n")
    }

    private var head: [String] {
        var lines = [
            "\(PrintableText.of(facts.name)): \(PrintableText.of(facts.format)), \(counted(facts.size, "byte"))"
        ]
        let span = CaptureTime.seconds(CaptureTime.difference(summary.lastTime, summary.firstTime))
        let date = CaptureTime.date(summary.firstTime).map { " from \($0)" } ?? ""
        lines.append("\(counted(summary.events, "event")) in \(span) s\(date)")
        // Each part of a file that was put together from several has the same one.
        var comments: [String] = []
        var seen: Set<String> = []
        for comment in facts.comments where seen.insert(comment).inserted { comments.append(comment) }
        for comment in comments.prefix(Self.commentLimit) {
            for line in comment.split(whereSeparator: \.isNewline).prefix(Self.commentLimit) {
                lines.append("comment: \(PrintableText.of(String(line)))")
            }
        }
        if comments.count > Self.commentLimit {
            lines.append("and \(counted(comments.count - Self.commentLimit, "comment")) more")
        }
        lines += (summary.notes + facts.warnings).map { "note: \(PrintableText.of($0))" }
        if facts.skipped > 0 { lines.append("\(counted(facts.skipped, "packet")) of other kinds were passed over") }
        if facts.malformed > 0 {
            let verb = facts.malformed == 1 ? "is too short for what it" : "are too short for what they"
            lines.append("\(counted(facts.malformed, "packet")) \(verb) should be (cut by a snap length?)")
        }
        if facts.dropped > 0 {
            lines.append("\(counted(facts.dropped, "packet")) were lost while it was recorded")
        }
        if let trouble = summary.trouble {
            lines.append("not read to its end: \(PrintableText.of(trouble.description)); all before that is here")
        }
        return lines
    }

    private var table: [String] {
        guard !devices.isEmpty else { return ["no USB device is in it"] }
        let hasChannels = Set(devices.map(\.channel)).count > 1
        var columns = Columns(
            [
                "device", "channel", "bus-address", "ids", "speed", "transfers", "bytes out", "bytes in", "unanswered",
                "unasked", "cut", "class",
            ], numbers: [0, 1, 5, 6, 7, 8, 9, 10])
        for device in devices {
            let knowledge = DescriptorKnowledge(device)
            let ids = knowledge.ids.map { "\(hex($0.vendor)):\(hex($0.product))" } ?? "?"
            func gap(_ count: Int) -> String { count == 0 ? "" : "\(count)" }
            columns.add([
                "\(device.number)", hasChannels ? Self.channel(device) : "", Self.place(device), ids,
                device.speed.name + (device.isSpeedKnown ? "" : "?"), "\(device.transferCount)", "\(device.bytesOut)",
                "\(device.bytesIn)", gap(device.unanswered), gap(device.unasked), gap(device.cut),
                FunctionNames.words(device.descriptors.device, knowledge.settings),
            ])
        }
        return columns.lines + (devices.contains { !$0.isSpeedKnown } ? ["?: the speed is inferred"] : [])
    }

    /// The interface of the file, or the connection that carried USB/IP.
    private static func channel(_ device: CapturedDevice) -> String {
        USBIPChannel.connection(ofChannel: device.channel).map { "tcp \($0)" } ?? "\(device.channel)"
    }

    /// The bus with the addresses that the device had.
    private static func place(_ device: CapturedDevice) -> String {
        var addresses = device.addresses.map { "\($0)" }
        if addresses.count > 4 { addresses = Array(addresses.prefix(2)) + ["…"] + [addresses[addresses.count - 1]] }
        return "\(device.bus)-" + addresses.joined(separator: "→")
    }

    private static func details(_ device: CapturedDevice) -> [String] {
        let knowledge = DescriptorKnowledge(device)
        let names = knowledge.names
        var title = "device \(device.number)"
        let texts = [
            names.manufacturer.map(quoted), names.product.map(quoted),
            names.serialNumber.map { "serial \(quoted($0))" },
        ].compactMap(\.self)
        if !texts.isEmpty { title += ": " + texts.joined(separator: ", ") }
        var lines = [title, "  descriptors: \(knowledge.words)"]
        if let announcement = device.announcement {
            if let busID = announcement.busID { lines.append("  bus id: \(PrintableText.of(busID))") }
            if let model = announcement.model { lines.append("  model: \(PrintableText.of(model))") }
        }
        var columns = Columns(["", "", "", "", ""], numbers: [2, 3])
        for use in device.endpoints {
            let function = function(use.endpoint, knowledge)
            columns.add([
                "  " + use.endpoint.column, use.type.name, counted(use.transfers, "transfer"),
                counted(use.bytes, "byte"), function,
            ])
        }
        return lines + columns.lines
    }

    /// What an endpoint belongs to, in words.
    private static func function(_ endpoint: EndpointAddress, _ knowledge: DescriptorKnowledge) -> String {
        guard endpoint.number != 0 else { return "" }
        guard let setting = knowledge.settings.first(where: { $0.endpoints.contains(endpoint) }) else { return "" }
        return "interface \(setting.number), "
            + FunctionNames.name(setting.code, setting.subclass, setting.protocol)
    }
}

extension CapturedDevice {
    /// Transfers of which the capture has anything.
    var transferCount: Int { submissions &+ unasked }
}
