extension Usage: CustomStringConvertible {
    /// Page and usage by name, such as `Generic Desktop / X`, by number where they have none.
    public var description: String { "\(UsagePage.name(of: page)) / \(title)" }
}

extension Usage {
    /// The name in the usage tables, such as `Hat Switch`; nil for one without, or that is not known here.
    public var name: String? {
        switch page {
        case UsagePage.button: id == 0 ? "No Button" : "Button \(id)"
        case UsagePage.ordinal: "Instance \(id)"
        case UsagePage.keyboard: KeyNames.name(of: id)
        default: UsageNames.byPage[page]?[id]
        }
    }

    /// The name, or the id in hexadecimal.
    var title: String { name ?? hexadecimal(id) }
}

extension UsagePage {
    /// The page's name in the usage tables, such as `Generic Desktop`; by number for one without.
    public static func name(of page: UInt16) -> String {
        if let name = names[page] { return name }
        return page >= 0xff00 ? "Vendor \(hexadecimal(page))" : hexadecimal(page)
    }

    private static let names: [UInt16: String] = [
        genericDesktop: "Generic Desktop", simulation: "Simulation", virtualReality: "VR", sport: "Sport", game: "Game",
        genericDevice: "Generic Device", keyboard: "Keyboard", led: "LED", button: "Button", ordinal: "Ordinal",
        telephony: "Telephony", consumer: "Consumer", digitizer: "Digitizer", haptics: "Haptics",
        physicalInput: "Physical Input Device", unicode: "Unicode", sensor: "Sensor", 0x40: "Medical Instrument",
        0x41: "Braille Display", 0x59: "Lighting and Illumination", monitor: "Monitor", 0x81: "Monitor Enumerated",
        0x82: "VESA Virtual Controls", power: "Power", battery: "Battery System", 0x8c: "Barcode Scanner",
        0x8d: "Scale", 0x8e: "Magnetic Stripe Reader", 0x90: "Camera Control", 0x91: "Arcade", fido: "FIDO Alliance",
    ]
}

/// A number as `0x` and two hexadecimal digits, four where two are too few.
func hexadecimal(_ number: UInt16) -> String {
    number <= 0xff
        ? "0x" + hex(UInt8(truncatingIfNeeded: number))
        : "0x" + hex(UInt8(truncatingIfNeeded: number >> 8)) + hex(UInt8(truncatingIfNeeded: number))
}
