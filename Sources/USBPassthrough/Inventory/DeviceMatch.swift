public import USBCore

/// Conditions that all hold for a device, as they are written: `class=mass-storage,vendor=1d6b`.
public struct DeviceMatch: Hashable, Sendable, CustomStringConvertible {
    /// One condition.
    public enum Condition: Hashable, Sendable {
        /// The device's class, or that of an interface in any configuration.
        case hasClass(USBClass)
        /// `idVendor`.
        case vendor(UInt16)
        /// `idProduct`.
        case product(UInt16)
        /// The serial number, as ``DeviceSelector`` compares it.
        case serialNumber(String)
        /// The connection's speed.
        case speed(Speed)
        /// The kernel driver of an interface, or of the device as a whole; nil: some interface has none.
        case driver(String?)
    }

    /// The conditions, in the order given; at least one.
    public let conditions: [Condition]

    /// Reads conditions, `KEY=VALUE` with commas between them; a comma or a backslash in a value is written with a
    /// backslash before it.
    ///
    /// - Throws: ``InventoryError/malformed(_:)`` that lists what is allowed.
    public init(parsing text: String) throws(InventoryError) {
        var conditions: [Condition] = []
        for part in Self.split(text) { conditions.append(try Self.condition(part)) }
        self.conditions = conditions
    }

    /// Whether all of the conditions hold for a device.
    public func matches(_ device: HostDevice) -> Bool { conditions.allSatisfy { Self.holds($0, for: device) } }

    private static func holds(_ condition: Condition, for device: HostDevice) -> Bool {
        switch condition {
        case .hasClass(let code): device.has(class: code)
        case .vendor(let vendor): device.listed.vendorID == vendor
        case .product(let product): device.listed.productID == product
        case .serialNumber(let text): DeviceSelector.isSerial(text, of: device)
        case .speed(let speed): device.listed.speed == speed
        case .driver(nil): device.drivers.contains { $0.driver == nil }
        case .driver(let name): device.driver == name || device.drivers.contains { $0.driver == name }
        }
    }

    // MARK: Reading

    /// The classes that have a word; any other is written as its code.
    private static let classWords: [(word: String, code: USBClass)] = [
        ("audio", .audio), ("communications", .cdc), ("hid", .hid), ("physical", .physical), ("image", .image),
        ("printer", .printer), ("mass-storage", .massStorage), ("hub", .hub), ("cdc-data", .cdcData),
        ("smart-card", .smartCard), ("content-security", .contentSecurity), ("video", .video),
        ("healthcare", .personalHealthcare), ("audio-video", .audioVideo), ("billboard", .billboard),
        ("diagnostic", .diagnostic), ("wireless", .wireless), ("miscellaneous", .miscellaneous),
        ("application-specific", .applicationSpecific), ("vendor-specific", .vendorSpecific),
    ]

    private static func condition(_ text: String) throws(InventoryError) -> Condition {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2 else {
            throw .malformed("'\(PrintableText.of(text))' is no condition; write KEY=VALUE, such as class=mass-storage")
        }
        let (key, value) = (parts[0], parts[1])
        switch key {
        case "class":
            if let code = classWords.first(where: { $0.word == value.lowercased() })?.code { return .hasClass(code) }
            if let code: UInt8 = HexDigits.parse(value, upTo: 2) { return .hasClass(USBClass(rawValue: code)) }
            let words = classWords.map(\.word).joined(separator: ", ")
            throw refusal(key, value, "1 or 2 hexadecimal digits such as 08, or one of \(words)")
        case "vendor":
            if let vendor: UInt16 = HexDigits.parse(value, upTo: 4) { return .vendor(vendor) }
            throw refusal(key, value, "1 to 4 hexadecimal digits such as 1d6b")
        case "product":
            if let product: UInt16 = HexDigits.parse(value, upTo: 4) { return .product(product) }
            throw refusal(key, value, "1 to 4 hexadecimal digits such as 0104")
        case "serial":
            guard value.isEmpty else { return .serialNumber(value) }
            throw refusal(key, value, "the serial number as 'ghostplug devices' shows it")
        case "speed":
            if let speed = SpeedWord.parse(value) { return .speed(speed) }
            throw refusal(key, value, SpeedWord.all)
        case "driver":
            guard value.isEmpty else { return .driver(value == "none" ? nil : value) }
            throw refusal(key, value, "the name of a kernel driver such as usb-storage, or none")
        default:
            throw .malformed(
                "there is no condition '\(PrintableText.of(key))'; there are: class, vendor, product, serial, speed, "
                    + "driver")
        }
    }

    private static func refusal(_ key: String, _ value: String, _ allowed: String) -> InventoryError {
        .malformed("\(key)=\(PrintableText.of(value)) is not possible; \(key) takes \(allowed)")
    }

    /// By scalars rather than characters: what combines with a comma does not make it another sign.
    private static func split(_ text: String) -> [String] {
        var parts = [""]
        var isEscaped = false
        for scalar in text.unicodeScalars {
            if !isEscaped, scalar == "\\" {
                isEscaped = true
            } else if !isEscaped, scalar == "," {
                parts.append("")
            } else {
                parts[parts.count - 1].unicodeScalars.append(scalar)
                isEscaped = false
            }
        }
        return parts
    }

    // MARK: Writing

    /// The conditions as they would be written.
    public var description: String { conditions.map(Self.text).joined(separator: ",") }

    private static func text(_ condition: Condition) -> String {
        switch condition {
        case .hasClass(let code):
            "class=\(classWords.first { $0.code == code }?.word ?? String(code.rawValue, radix: 16))"
        case .vendor(let vendor): "vendor=\(HexDigits.of(vendor))"
        case .product(let product): "product=\(HexDigits.of(product))"
        case .serialNumber(let text): "serial=\(escaped(text))"
        case .speed(let speed): "speed=\(SpeedWord.of(speed))"
        case .driver(let name): "driver=\(escaped(name ?? "none"))"
        }
    }

    private static func escaped(_ value: String) -> String {
        var text = ""
        for scalar in value.unicodeScalars {
            if scalar == "\\" || scalar == "," { text.unicodeScalars.append("\\") }
            text.unicodeScalars.append(scalar)
        }
        return text
    }
}

/// Speeds as they are written on the command line.
package enum SpeedWord {
    private static let words: [(word: String, speed: Speed)] = [
        ("low", .low), ("full", .full), ("high", .high), ("super", .super), ("super-plus", .superPlus),
    ]

    /// Every word, for messages.
    static var all: String { words.map(\.word).joined(separator: ", ") }

    /// The word for a speed.
    package static func of(_ speed: Speed) -> String { words.first { $0.speed == speed }?.word ?? "unknown" }

    static func parse(_ text: String) -> Speed? { words.first { $0.word == text.lowercased() }?.speed }
}
