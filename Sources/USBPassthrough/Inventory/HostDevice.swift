public import USBCore

/// A USB device of this machine, as libusb lists it and sysfs describes it.
///
/// Nothing of it needs a permission. The strings are the device's own, and can hold anything; ``name`` is fit to be shown.
public struct HostDevice: Hashable, Sendable {
    /// An interface of the active configuration.
    public struct Interface: Hashable, Sendable {
        /// `bInterfaceNumber`.
        public var number: UInt8
        /// What sysfs calls it: `3-1.2:1.0`.
        public var systemName: String
        /// The kernel driver that has it, `usbfs` for a program in user space; nil for none.
        public var driver: String?

        /// Makes an interface.
        public init(number: UInt8, systemName: String, driver: String?) {
            self.number = number
            self.systemName = systemName
            self.driver = driver
        }
    }

    /// What libusb says of it.
    public var listed: ListedDevice
    /// `iManufacturer` in words; nil where the device or sysfs has none.
    public var manufacturer: String?
    /// `iProduct` in words; nil where the device or sysfs has none.
    public var product: String?
    /// `iSerialNumber` in words; nil where the device or sysfs has none.
    public var serialNumber: String?
    /// The active configuration's value; 0 for none.
    public var configurationValue: UInt8
    /// The driver of the device as a whole: `usb`, or one that stands in for it such as `usbip-host`.
    public var driver: String?
    /// The interfaces of the active configuration with their drivers, in the order of their numbers.
    public var drivers: [Interface]
    /// Whether it hangs on `vhci_hcd`: it was attached over USB/IP.
    public var isVirtual: Bool

    /// Makes a device.
    public init(
        listed: ListedDevice, manufacturer: String? = nil, product: String? = nil, serialNumber: String? = nil,
        configurationValue: UInt8 = 0, driver: String? = nil, drivers: [Interface] = [], isVirtual: Bool = false
    ) {
        self.listed = listed
        self.manufacturer = manufacturer
        self.product = product
        self.serialNumber = serialNumber
        self.configurationValue = configurationValue
        self.driver = driver
        self.drivers = drivers
        self.isVirtual = isVirtual
    }

    /// The node through which programs reach it: `/dev/bus/usb/003/004`.
    public var node: String { "/dev/bus/usb/\(Self.padded(listed.bus))/\(Self.padded(listed.address))" }

    private static func padded(_ number: UInt8) -> String {
        let digits = String(number)
        return String(repeating: "0", count: 3 - digits.count) + digits
    }

    /// Whether it is a bus's own hub.
    public var isRootHub: Bool { listed.ports.isEmpty }

    /// Whether it is a hub, by the device's class or an interface's, as Linux's hub driver decides it.
    public var isHub: Bool { isRootHub || has(class: .hub) }

    /// Whether the device or an interface of any configuration is of a class.
    public func has(class code: USBClass) -> Bool {
        listed.deviceClass.first == code.rawValue
            || listed.configurations.contains { configuration in
                configuration.settings.contains { $0.classTriple.first == code.rawValue }
            }
    }

    /// The place: `3-1.2`, or `usb3` for a root hub.
    public var path: String { listed.path }

    /// `idVendor` and `idProduct` in eight hexadecimal digits: `1d6b:0104`.
    public var ids: String { "\(HexDigits.of(listed.vendorID)):\(HexDigits.of(listed.productID))" }

    /// Maker and product in one printable line, or the ids where the device says neither.
    ///
    /// A maker that the product begins with already is not said twice.
    public var name: String {
        let (maker, product) = (manufacturer ?? "", product ?? "")
        let words = product.hasPrefix(maker) ? product : "\(maker) \(product)"
        let name = PrintableText.of(String(words.trimmed))
        return name.isEmpty ? ids : name
    }
}

/// Numbers as ids are written.
enum HexDigits {
    /// Four digits, lower case.
    static func of(_ value: UInt16) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 4 - digits.count) + digits
    }

    /// Reads one digit to as many as are allowed, with or without `0x`; nil for anything else.
    static func parse<Number: FixedWidthInteger>(_ text: some StringProtocol, upTo limit: Int) -> Number? {
        let isPrefixed = text.hasPrefix("0x") || text.hasPrefix("0X")
        let digits = text.utf8.dropFirst(isPrefixed ? 2 : 0)
        guard (1...limit).contains(digits.count) else { return nil }
        var number: Number = 0
        for digit in digits {
            guard let value = Character(Unicode.Scalar(digit)).hexDigitValue else { return nil }
            number = number << 4 | Number(value)
        }
        return number
    }
}

extension String {
    /// The text without blanks around it.
    var trimmed: Substring {
        guard let first = firstIndex(where: { $0 != " " }), let last = lastIndex(where: { $0 != " " }) else {
            return ""
        }
        return self[first...last]
    }
}
