import USBCore

/// A number in hexadecimal, with all its digits.
func hex(_ value: some FixedWidthInteger & UnsignedInteger) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: value.bitWidth / 4 - digits.count) + digits
}

/// A speed by Linux's number, in words.
func speedName(_ number: UInt32) -> String {
    switch Speed(rawValue: number) {
    case .low: "low-speed"
    case .full: "full-speed"
    case .high: "high-speed"
    case .super: "super-speed"
    case .superPlus: "super-speed-plus"
    case nil: number == 4 ? "wireless" : "unknown-speed"
    }
}

/// A class code's name in parentheses, where it has one.
func className(_ code: UInt8) -> String { USBClass(rawValue: code).name.map { " (\($0))" } ?? "" }
