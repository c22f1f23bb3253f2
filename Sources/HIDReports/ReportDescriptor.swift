/// A HID report descriptor: the items that say what a device's reports hold (HID 1.11 §6.2.2).
///
///     let mouse = ReportDescriptor {
///         ReportCollection(.application, .mouse) {
///             ReportCollection(.physical, .pointer) {
///                 Input(.buttons(1...3))
///                 Padding(.input, bits: 5)
///                 Input(.x, .y, .wheel, logical: -127...127, size: 8, flags: [.variable, .relative])
///             }
///         }
///     }
///     let report = try mouse.layout().report(.input, id: 0)
///     let bytes = try report?.encode([(.button(1), 1), (.x, -5)])
///
/// Any bytes make a value; whether they are a descriptor is what ``layout()`` and ``issues`` tell.
public struct ReportDescriptor: Hashable, Sendable {
    /// The items as they stand in the descriptor.
    public let bytes: [UInt8]

    /// Takes the bytes of a descriptor as they are.
    public init(bytes: [UInt8]) { self.bytes = bytes }

    /// Makes a descriptor from its parts.
    ///
    /// A global item is written only where its value changes, each item in the fewest bytes that every host reads
    /// alike: extremes are signed, so that a maximum of 255 takes two.
    public init(@ReportDescriptorBuilder _ content: () -> [ReportItem]) {
        var encoder = ItemEncoder()
        for item in content() { encoder.append(item) }
        bytes = encoder.bytes
    }

    /// What the reports hold.
    ///
    /// - Throws: ``ReportDescriptorError`` with the first place that leaves no way to read the descriptor, or for which
    ///   Linux refuses it.
    public func layout() throws(ReportDescriptorError) -> ReportLayout {
        var parser = ReportDescriptorParser(bytes)
        parser.run()
        if let issue = parser.fatal { throw ReportDescriptorError(issue: issue) }
        return parser.layout()
    }

    /// Everything in which the descriptor departs from the specification, in the order of its bytes.
    ///
    /// Behind a place that leaves no way to read on, nothing more is found.
    public var issues: [ReportDescriptorIssue] {
        var parser = ReportDescriptorParser(bytes)
        parser.run()
        return parser.issues.enumerated().sorted { ($0.element.offset, $0.offset) < ($1.element.offset, $1.offset) }
            .map(\.element)
    }
}
