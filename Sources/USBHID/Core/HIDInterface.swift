public import HIDReports

/// What a HID function is on the bus: one interface with its report descriptor (HID 1.11 §4 and §6.2.1).
public struct HIDInterface: Sendable {
    /// What a firmware that parses no report descriptors takes the function for; the raw value is
    /// `bInterfaceProtocol` (HID 1.11 §4.3).
    public enum Boot: UInt8, Sendable {
        /// Nothing: the function has no boot protocol, and `bInterfaceSubClass` is 0.
        case none = 0
        /// A keyboard: eight bytes of input, one of LEDs (HID 1.11 appendix B.1).
        case keyboard = 1
        /// A mouse: buttons, X and Y (HID 1.11 appendix B.2).
        case mouse = 2
    }

    /// What the reports mean.
    public var reportDescriptor: ReportDescriptor
    /// What the function is to a boot firmware.
    public var boot: Boot
    /// `bCountryCode` (HID 1.11 §6.2.1); 0 for none.
    public var country: UInt8
    /// How often the host asks for input, and is asked for output; rounded down to what the speed can say.
    public var every: Duration
    /// `wMaxPacketSize` of the IN endpoint; nil for the largest input report, as far as the speed allows.
    public var inSize: UInt16?
    /// `wMaxPacketSize` of the OUT endpoint; nil for the largest output report, as far as the speed allows.
    public var outSize: UInt16?
    /// Whether output reports have an interrupt OUT endpoint; without one they come by SET_REPORT.
    public var hasOutEndpoint: Bool
    /// The interface's name, which becomes a string of the device.
    public var name: String?

    /// Makes an interface.
    ///
    /// - Parameters:
    ///   - reportDescriptor: what the reports mean, 1 to 65535 bytes; Linux takes up to 4096.
    ///   - boot: what the function is to a boot firmware.
    ///   - country: `bCountryCode`.
    ///   - every: how often the host asks.
    ///   - inSize: the bytes of an input packet; nil for as many as the largest report has.
    ///   - outSize: the bytes of an output packet; nil for as many as the largest report has.
    ///   - hasOutEndpoint: whether there is an interrupt OUT endpoint.
    ///   - name: the interface's name.
    public init(
        _ reportDescriptor: ReportDescriptor, boot: Boot = .none, country: UInt8 = 0,
        every: Duration = .milliseconds(1), inSize: UInt16? = nil, outSize: UInt16? = nil,
        hasOutEndpoint: Bool = false, name: String? = nil
    ) {
        self.reportDescriptor = reportDescriptor
        self.boot = boot
        self.country = country
        self.every = every
        self.inSize = inSize
        self.outSize = outSize
        self.hasOutEndpoint = hasOutEndpoint
        self.name = name
    }
}

/// The form of a boot interface's reports, as SET_PROTOCOL says it (HID 1.11 §7.2.6).
public enum HIDProtocol: UInt8, Sendable {
    /// The fixed form of HID 1.11 appendix B.
    case boot = 0
    /// The form of the report descriptor; what a reset brings back.
    case report = 1
}
