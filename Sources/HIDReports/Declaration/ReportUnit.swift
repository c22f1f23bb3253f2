/// What the physical range of a field is measured in (HID 1.11 §6.2.2.7).
public struct ReportUnit: RawRepresentable, Hashable, Sendable {
    /// Eight four-bit numbers, lowest first: the system, then the exponents of length, mass, time, temperature,
    /// current and luminous intensity.
    public let rawValue: UInt32
    /// Makes a unit from its nibbles.
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// No unit.
    public static let none = Self(rawValue: 0)
    /// Length in centimetres.
    public static let centimeter = Self(rawValue: 0x11)
    /// Rotation in radians.
    public static let radian = Self(rawValue: 0x12)
    /// Length in inches.
    public static let inch = Self(rawValue: 0x13)
    /// Rotation in degrees.
    public static let degree = Self(rawValue: 0x14)
    /// Mass in grams.
    public static let gram = Self(rawValue: 0x101)
    /// Time in seconds.
    public static let second = Self(rawValue: 0x1001)
}

extension ReportUnit: CustomStringConvertible {
    /// The unit in words, such as `SI Linear: cm s^-1`.
    public var description: String {
        guard rawValue != 0 else { return "None" }
        let system = Int(rawValue & 0xf)
        guard (1...4).contains(system) else { return "0x" + String(rawValue, radix: 16, uppercase: true) }
        let bases = [
            ["cm", "rad", "in", "deg"][system - 1], system < 3 ? "g" : "slug", "s", system < 3 ? "K" : "F", "A", "cd",
        ]
        let factors = bases.enumerated().compactMap { index, base -> String? in
            let nibble = Int(rawValue >> UInt32(4 * (index + 1)) & 0xf)
            let exponent = nibble < 8 ? nibble : nibble - 16
            return exponent == 0 ? nil : exponent == 1 ? base : "\(base)^\(exponent)"
        }
        let systems = ["SI Linear", "SI Rotation", "English Linear", "English Rotation"]
        return ([systems[system - 1] + ":"] + factors).joined(separator: " ")
    }
}
