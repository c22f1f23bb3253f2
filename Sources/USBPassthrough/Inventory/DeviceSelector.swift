import USBCore

/// Which device a user means: `1d6b:0104`, `1d6b:0104:SERIAL`, `3-1.2`, or `*` for all that something else chooses from.
///
/// Ids are found wherever the device is plugged in, a place is found whatever is plugged in there.
public struct DeviceSelector: Hashable, Sendable, CustomStringConvertible {
    /// What it goes by.
    public enum Form: Hashable, Sendable {
        /// `VID:PID`, or `VID:PID:SERIAL`.
        case ids(vendor: UInt16, product: UInt16, serialNumber: String?)
        /// `BUS-PORT.PORT`: the bus's number, and the ports from the root hub on, 1 to 7 of them.
        case place(bus: UInt8, ports: [UInt8])
        /// `*`.
        case every
    }

    /// What it goes by.
    public let form: Form

    /// Makes a selector.
    public init(_ form: Form) { self.form = form }

    /// Reads a selector: 1 to 4 hexadecimal digits an id, with or without `0x`; a serial number goes on to the end, with
    /// whatever is in it.
    ///
    /// - Throws: ``InventoryError/malformed(_:)``.
    public init(parsing text: String) throws(InventoryError) {
        guard let form = Self.form(text) else {
            let shown = PrintableText.of(text)
            let isRootHub = text.hasPrefix("usb") && UInt8(text.dropFirst(3)) != nil
            throw .malformed(
                isRootHub
                    ? "\(shown) is a bus's root hub, which cannot be exported"
                    : "'\(shown)' is no device; write VID:PID such as 1d6b:0104, VID:PID:SERIAL, or its place "
                        + "BUS-PORT.PORT such as 3-1.2 ('ghostplug devices' shows them)")
        }
        self.form = form
    }

    private static func form(_ text: String) -> Form? {
        if text == "*" { return .every }
        let fields = text.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
        guard fields.count > 1 else { return place(text) }
        guard let vendor: UInt16 = HexDigits.parse(fields[0], upTo: 4),
            let product: UInt16 = HexDigits.parse(fields[1], upTo: 4)
        else { return nil }
        guard fields.count == 3 else { return .ids(vendor: vendor, product: product, serialNumber: nil) }
        return fields[2].isEmpty ? nil : .ids(vendor: vendor, product: product, serialNumber: String(fields[2]))
    }

    /// A device hangs behind five hubs at most (USB 2.0 §4.1.1); libusb has room for seven ports.
    static let portLimit = 7

    private static func place(_ text: String) -> Form? {
        let halves = text.split(separator: "-", omittingEmptySubsequences: false)
        guard halves.count == 2, let bus = number(halves[0]) else { return nil }
        let ports = halves[1].split(separator: ".", omittingEmptySubsequences: false).map(number)
        guard ports.count <= portLimit, ports.allSatisfy({ $0 != nil }) else { return nil }
        return .place(bus: bus, ports: ports.compactMap(\.self))
    }

    /// 1 to 255 in digits alone: `UInt8` would take a sign as well.
    private static func number(_ text: Substring) -> UInt8? {
        guard text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }), let number = UInt8(text)
        else { return nil }
        return number == 0 ? nil : number
    }

    /// Whether it stands for a device; `*` stands for all but hubs and those that were attached over USB/IP.
    public func matches(_ device: HostDevice) -> Bool {
        switch form {
        case .ids(let vendor, let product, let serialNumber):
            device.listed.vendorID == vendor && device.listed.productID == product
                && (serialNumber.map { Self.isSerial($0, of: device) } ?? true)
        case .place(let bus, let ports): device.listed.bus == bus && device.listed.ports == ports
        case .every: !device.isHub && !device.isVirtual
        }
    }

    /// Serial numbers are also taken as they are shown, and without the blanks that some devices put around them.
    static func isSerial(_ text: String, of device: HostDevice) -> Bool {
        guard let serialNumber = device.serialNumber else { return false }
        return text == serialNumber || text == serialNumber.trimmed || text == PrintableText.of(serialNumber)
    }

    /// The selector as it would be written.
    public var description: String {
        switch form {
        case .ids(let vendor, let product, let serialNumber):
            "\(HexDigits.of(vendor)):\(HexDigits.of(product))" + (serialNumber.map { ":\($0)" } ?? "")
        case .place(let bus, let ports): "\(bus)-" + ports.map(String.init).joined(separator: ".")
        case .every: "*"
        }
    }
}
