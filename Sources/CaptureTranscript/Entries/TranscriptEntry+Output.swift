import CaptureTraces
package import CommandSupport
import USBCore

extension TranscriptEntry {
    /// The titles over ``line(withDevice:limit:)``.
    package static func heading(withDevice: Bool) -> String {
        columns(packet: "packet", time: "seconds", device: withDevice ? "device" : nil, endpoint: "endpoint")
            + "what it says"
    }

    /// The entry as a line: packet number, seconds since the start, device, endpoint, what it says, data.
    ///
    /// - Parameter limit: with ``DataLimit/usual``, data that the words tell are left out.
    package func line(withDevice: Bool, limit: DataLimit) -> String {
        var line = Self.columns(
            packet: "\(packet)", time: CaptureTime.seconds(time), device: withDevice ? "\(device)" : nil,
            endpoint: endpoint.column)
        line += words
        if !data.isEmpty, !tellsData || limit != .usual { line += dump }
        return line
    }

    private static func columns(packet: String, time: String, device: String?, endpoint: String) -> String {
        func right(_ text: String, _ width: Int) -> String {
            String(repeating: " ", count: max(0, width - text.utf8.count)) + text
        }
        let start = right(packet, 7) + "  " + right(time, 12) + (device.map { "  " + right($0, 6) } ?? "")
        return start + "  " + endpoint + String(repeating: " ", count: max(0, 9 - endpoint.utf8.count)) + " "
    }

    /// The data in hexadecimal and ASCII, and how much there is beside.
    private var dump: String {
        let more = dataCount - data.count
        return "  \(hex(data, separator: " "))  |\(ascii(data))|" + (more > 0 ? " +\(more)" : "")
    }

    /// The entry as a JSON object; members without a value are left out, but for `status`.
    package var json: JSON {
        var members: [(String, JSON)] = [
            ("packet", .number(packet)), ("firstPacket", .number(packets.lowerBound)),
            ("lastPacket", .number(packets.upperBound)), ("seconds", Self.seconds(time)),
        ]
        if let duration { members.append(("duration", Self.seconds(duration))) }
        members += [
            ("device", .number(device)), ("endpoint", .string("0x" + hex(endpoint.rawValue))),
            ("type", .string(type.name)), ("status", status.map { .number(Int($0.rawValue)) } ?? .null),
            ("outcome", .string(status?.name ?? "unanswered")), ("requested", .number(requested)),
            ("length", .number(length)),
        ]
        if let setup { members.append(("setup", .string(Self.hexadecimal(setup)))) }
        if let request { members.append(("request", .string(request))) }
        if let scsi { members.append(("scsi", .string(scsi))) }
        members += details
        members.append(("text", .string(words)))
        if !data.isEmpty { members.append(("data", .string(hex(data)))) }
        members.append(("dataLength", .number(dataCount)))
        for (mark, name) in Self.markNames where marks.contains(mark) { members.append((name, .bool(true))) }
        return .object(members)
    }

    private static func seconds(_ nanoseconds: Int64) -> JSON {
        .decimal(Double(nanoseconds) / 1_000_000_000, digits: 9)
    }

    private static func hexadecimal(_ setup: SetupPacket) -> String { hex(setup.littleEndian.byteSwapped) }

    private static let markNames: [(TracedTransfer.Marks, String)] = [
        (.noSubmission, "unasked"), (.noCompletion, "unanswered"), (.isCut, "cut"), (.isInjected, "injected"),
    ]
}
