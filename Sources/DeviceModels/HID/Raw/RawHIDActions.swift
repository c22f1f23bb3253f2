import CommandSupport
import HIDReports
import USBHID

/// What can be done to a HID device of any report descriptor.
enum RawHIDActions {
    private static let parameters = [
        ActionParameter("report", "hexadecimal, such as 01ff00", default: nil, "the report's bytes"),
        ActionParameter(
            "id", "1 to 255", default: "the report's first byte where there are ids",
            "the report's id, which is then not among the bytes"),
    ]

    static let send = DeviceAction.Summary("send", "sends an input report", parameters)
    static let setFeature = DeviceAction.Summary(
        "set-feature", "sets the feature report that the host reads from now on", parameters)

    /// - Parameter checksLength: refuse reports that the descriptor does not have, or whose length is another.
    static func make(_ function: RawFunction, checksLength: Bool) -> [DeviceAction] {
        [
            DeviceAction(send) { arguments, reply throws(ModelError) in
                let bytes = try report(.input, function, arguments, checksLength)
                guard let link = function.link else {
                    return reply.fail(ModelError(unavailable: InputScriptError.notConfigured.advice))
                }
                link.play(InputScript([.init { function.send(bytes) }]), reply, [("bytes", .number(bytes.count))])
            },
            DeviceAction(setFeature) { arguments, reply throws(ModelError) in
                let bytes = try report(.feature, function, arguments, checksLength)
                function.set(.feature, bytes)
                reply.succeed([("bytes", .number(bytes.count))])
            },
        ]
    }

    private static func report(
        _ kind: ReportKind, _ function: RawFunction, _ arguments: ActionArguments, _ checksLength: Bool
    ) throws(ModelError) -> [UInt8] {
        let text = try arguments.string("report") ?? ""
        guard var bytes = HexText.bytes(text), bytes.count <= 65535 else {
            throw arguments.error("report", .string(String(text.prefix(60))))
        }
        let id = try arguments.integer("id", in: 1...255)
        guard let layout = function.layout else {
            if let id { bytes.insert(UInt8(id), at: 0) }
            return bytes
        }
        if let id {
            guard layout.usesReportIDs else { throw ModelError("this device's reports have no ids", key: "id") }
            bytes.insert(UInt8(id), at: 0)
        }
        guard checksLength else { return bytes }
        guard let report = layout.report(kind, of: bytes) else {
            let known = layout.reports.filter { $0.kind == kind }.map { "\($0.id)" }
            throw ModelError(
                known.isEmpty
                    ? "this device has no \(kind) reports"
                    : "this device has no such \(kind) report; its ids are \(known.joined(separator: ", "))",
                key: "report")
        }
        guard bytes.count == report.byteCount else {
            throw ModelError(
                "this \(kind) report has \(report.byteCount) bytes"
                    + (layout.usesReportIDs ? " with its id" : "") + ", not \(bytes.count)",
                key: "report")
        }
        return bytes
    }
}
