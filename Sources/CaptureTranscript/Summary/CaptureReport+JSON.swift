import CaptureTraces
package import CommandSupport
import USBCapture
import USBCore

extension CaptureReport {
    /// The report as a JSON object.
    package var json: JSON {
        var members: [(String, JSON)] = [
            ("file", .string(facts.name)), ("format", .string(facts.format)),
            ("size", .number(Int(clamping: facts.size))), ("events", .number(summary.events)),
            // Of seconds since 1970 a double has no more digits.
            ("start", .decimal(Double(summary.firstTime) / 1_000_000_000, digits: 6)),
            ("seconds", Self.seconds(CaptureTime.difference(summary.lastTime, summary.firstTime))),
            ("dropped", .number(Int(clamping: facts.dropped))), ("skipped", .number(facts.skipped)),
            ("malformed", .number(facts.malformed)),
            ("comments", .array(facts.comments.map { .string($0) })),
        ]
        if let date = CaptureTime.date(summary.firstTime) { members.append(("date", .string(date))) }
        members.append(("notes", .array(summary.notes.map { .string($0) })))
        members.append(("warnings", .array(facts.warnings.map { .string($0) })))
        members.append(("trouble", summary.trouble.map(Self.trouble) ?? .null))
        members.append(("devices", .array(devices.map(Self.device))))
        return .object(members)
    }

    private static func seconds(_ nanoseconds: Int64) -> JSON {
        .decimal(Double(nanoseconds) / 1_000_000_000, digits: 9)
    }

    private static func trouble(_ error: CaptureError) -> JSON {
        var members: [(String, JSON)] = [("kind", .string("\(error.kind)")), ("reason", .string(error.reason))]
        if let offset = error.offset { members.append(("offset", .number(Int(clamping: offset)))) }
        if let packet = error.packet { members.append(("packet", .number(packet))) }
        return .object(members)
    }

    private static func device(_ device: CapturedDevice) -> JSON {
        let knowledge = DescriptorKnowledge(device)
        var members: [(String, JSON)] = [
            ("device", .number(device.number)), ("channel", .number(device.channel)), ("bus", .number(Int(device.bus))),
            ("addresses", .array(device.addresses.map { .number(Int($0)) })),
        ]
        if let connection = USBIPChannel.connection(ofChannel: device.channel) {
            members.append(("connection", .number(connection)))
        }
        if let ids = knowledge.ids {
            members.append(("idVendor", .string(hex(ids.vendor))))
            members.append(("idProduct", .string(hex(ids.product))))
        }
        let names = knowledge.names
        for (name, text) in [
            ("manufacturer", names.manufacturer), ("product", names.product), ("serial", names.serialNumber),
            ("busid", device.announcement?.busID), ("model", device.announcement?.model),
        ] {
            if let text { members.append((name, .string(text))) }
        }
        members += [
            ("class", .string(FunctionNames.words(device.descriptors.device, knowledge.settings))),
            ("speed", .string(device.speed.name)), ("speedKnown", .bool(device.isSpeedKnown)),
            ("transfers", .number(device.transferCount)), ("bytesOut", .number(Int(clamping: device.bytesOut))),
            ("bytesIn", .number(Int(clamping: device.bytesIn))), ("unanswered", .number(device.unanswered)),
            ("unasked", .number(device.unasked)), ("cut", .number(device.cut)), ("descriptors", knowledge.json),
            ("endpoints", .array(device.endpoints.map(endpoint))),
        ]
        return .object(members)
    }

    private static func endpoint(_ use: CapturedDevice.EndpointUse) -> JSON {
        .object([
            ("endpoint", .string("0x" + hex(use.endpoint.rawValue))), ("type", .string(use.type.name)),
            ("transfers", .number(use.transfers)), ("bytes", .number(Int(clamping: use.bytes))),
        ])
    }
}
