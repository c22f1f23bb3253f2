internal import USBCapture

/// Which of a capture's devices is meant.
public enum DeviceChoice: Hashable, Sendable, CustomStringConvertible {
    /// The device of this number, from 1 in the order in which they appear.
    case number(Int)
    /// The devices of these ids.
    case ids(vendor: UInt16, product: UInt16)
    /// The devices that had this address on this bus.
    case place(bus: UInt16, address: UInt16)

    /// Reads a choice: `3` is a device's number, `1209:db42` are ids in hexadecimal, `1-5` and `1.5` are bus and address.
    ///
    /// - Returns: nil when the text is none of these.
    public static func parse(_ text: String) -> Self? {
        if let number = decimal(text, as: Int.self) { return number > 0 ? .number(number) : nil }
        let ids = text.split(separator: ":", omittingEmptySubsequences: false)
        if ids.count == 2 {
            guard let vendor = hexadecimal(ids[0]), let product = hexadecimal(ids[1]) else { return nil }
            return .ids(vendor: vendor, product: product)
        }
        let place = text.split(omittingEmptySubsequences: false) { $0 == "-" || $0 == "." }
        guard place.count == 2, let bus = decimal(place[0], as: UInt16.self),
            let address = decimal(place[1], as: UInt16.self)
        else { return nil }
        return .place(bus: bus, address: address)
    }

    /// The choice as it is written.
    public var description: String {
        switch self {
        case .number(let number): "\(number)"
        case .ids(let vendor, let product): "\(hex4(vendor)):\(hex4(product))"
        case .place(let bus, let address): "\(bus)-\(address)"
        }
    }

    /// Whether a device is meant.
    public func matches(_ device: CapturedDevice) -> Bool {
        switch self {
        case .number(let number): device.number == number
        case .ids(let vendor, let product):
            device.vendorID == vendor && device.productID == product
        case .place(let bus, let address): device.bus == bus && device.addresses.contains(address)
        }
    }

    private static func decimal<Number: FixedWidthInteger>(
        _ text: some StringProtocol, as type: Number.Type
    ) -> Number? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return Number(text)
    }

    private static func hexadecimal(_ text: Substring) -> UInt16? {
        var text = text
        if text.hasPrefix("0x") || text.hasPrefix("0X") { text = text.dropFirst(2) }
        guard (1...4).contains(text.utf8.count), text.utf8.first != 0x2b, text.utf8.first != 0x2d else { return nil }
        return UInt16(text, radix: 16)
    }
}

/// Four hexadecimal digits.
func hex4(_ value: UInt16) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: max(0, 4 - digits.utf8.count)) + digits
}

extension CapturedDevice {
    /// `idVendor`, from the device descriptor or from what was said beside; nil where neither is known.
    public var vendorID: UInt16? { descriptors.vendorID ?? announcement?.vendorID }

    /// `idProduct`, from the device descriptor or from what was said beside; nil where neither is known.
    public var productID: UInt16? { descriptors.productID ?? announcement?.productID }

    /// The device in one line for lists: its number, place, ids, product name, and how much it was used.
    public var line: String {
        var line = "\(number): bus \(bus) address \(addresses.map(String.init).joined(separator: "→"))"
        if let vendorID, let productID {
            line += ", \(hex4(vendorID)):\(hex4(productID))"
        } else {
            line += ", ids unknown"
        }
        if descriptors.device.count >= 16, let name = descriptors.string(descriptors.device[15]) {
            line += " \(printable(name))"
        }
        if isHub { line += " (hub)" }
        return line + ", \(submissions) submissions, \(completions) completions"
    }
}

/// A device's text without what could command a terminal.
private func printable(_ text: String) -> String {
    String(
        String.UnicodeScalarView(
            text.unicodeScalars.map { scalar in
                switch scalar.properties.generalCategory {
                case .control, .format, .lineSeparator, .paragraphSeparator: "\u{fffd}"
                default: scalar
                }
            }))
}
