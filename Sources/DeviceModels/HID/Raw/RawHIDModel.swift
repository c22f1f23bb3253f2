import CommandSupport
import HIDReports
import Logging
import USBHID

/// A HID device of any report descriptor: `hid`.
public enum RawHIDModel: HIDModel {
    /// `hid`.
    public static let name = "hid"
    /// Reports in and out as bytes.
    public static let summary = "a HID device of any report descriptor, with reports in and out as bytes"
    /// See ``HIDModel/product``.
    public static let product = "HID Device"
    /// See ``HIDModel/productID``.
    public static let productID: UInt16 = 0x6869

    /// See ``HIDModel/ownKeys``.
    public static let ownKeys = [
        ModelKey(
            "report-descriptor", "PATH", default: "none; it must be given",
            "a file with the descriptor: its bytes, or hexadecimal text with # comments, or as hid-recorder writes it"),
        ModelKey("boot", "none|keyboard|mouse", default: "none", "what the device is to a boot firmware"),
        ModelKey(
            "out-endpoint", "yes|no", default: "no",
            "whether output reports have an interrupt endpoint, instead of SET_REPORT requests"),
        ModelKey("country", "0 to 255", default: "0", "bCountryCode of the HID descriptor"),
        ModelKey(
            "allow-invalid", "yes|no", default: "no",
            "take a descriptor that breaks the specification, and reports of any length"),
    ]

    /// See ``DeviceModel/examples``.
    public static let examples: [(specification: String, meaning: String)] = [
        (
            "hid:report-descriptor=pad.hex",
            "whatever pad.hex describes; 'ghostplug ctl do 1-1 send report=00ff' sends a report"
        ),
        ("hid:report-descriptor=key.bin,out-endpoint,interval=5", "with an OUT endpoint, as security keys have"),
    ]

    /// See ``HIDModel/makePart(_:_:)``.
    public static func makePart(_ options: ModelOptions, _ context: ModelContext) throws(ModelError) -> HIDPart {
        guard let path = try options.path("report-descriptor") else {
            throw ModelError(
                "report-descriptor=PATH is missing: the file that describes the reports", key: "report-descriptor")
        }
        let allowsInvalid = try options.bool("allow-invalid", default: false)
        let descriptor = ReportDescriptor(bytes: try DescriptorFile.read(path))
        try check(descriptor, path, allowsInvalid, context)
        let function = RawFunction(
            HIDInterface(
                descriptor,
                boot: try options.choice(
                    "boot", [("none", .none), ("keyboard", .keyboard), ("mouse", .mouse)], default: .none),
                country: UInt8(try options.integer("country", in: 0...255, default: 0)),
                every: try HIDKeys.every(options),
                hasOutEndpoint: try options.bool("out-endpoint", default: false)))
        let events = context.events
        function.onReport = { kind, id, bytes in
            events.send(
                "report",
                [("kind", .string("\(kind)")), ("id", .number(Int(id))), ("data", .string(HexText.text(bytes)))])
        }
        return HIDPart(
            functions: [function], backing: "\(path): \(words(function.layout))",
            actions: RawHIDActions.make(function, checksLength: !allowsInvalid))
    }

    /// Refuses what breaks the specification, and tells of the rest.
    private static func check(
        _ descriptor: ReportDescriptor, _ path: String, _ allowsInvalid: Bool, _ context: ModelContext
    ) throws(ModelError) {
        let issues = descriptor.issues
        let errors = issues.filter { $0.severity == .error }
        if !allowsInvalid, let first = errors.first {
            let more = errors.count > 1 ? ", and \(errors.count - 1) more" : ""
            throw ModelError("\(path): \(first)\(more); allow-invalid takes it all the same", key: "report-descriptor")
        }
        // A hostile file has as many as it has bytes.
        for issue in issues.prefix(20) { context.logger.warning("\(path): \(issue)") }
    }

    private static func words(_ layout: ReportLayout?) -> String {
        guard let layout else { return "a report descriptor that cannot be read" }
        let counts = ReportKind.allCases.map { kind in
            let count = layout.reports.count { $0.kind == kind }
            return "\(count) \(kind)"
        }
        return counts.joined(separator: ", ") + " reports"
    }
}
