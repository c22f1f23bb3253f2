/// The buttons of a mouse or tablet, numbered as HID numbers them: 1 is the primary one (HID Usage Tables §12).
public struct PointerButtons: OptionSet, Hashable, Sendable {
    /// Bit 0 is button 1.
    public let rawValue: UInt8
    /// Makes a set from its bits; only the lowest five are buttons.
    public init(rawValue: UInt8) { self.rawValue = rawValue & 0x1f }

    /// Button 1.
    public static let left = Self(rawValue: 1)
    /// Button 2.
    public static let right = Self(rawValue: 2)
    /// Button 3, which a wheel is when pressed.
    public static let middle = Self(rawValue: 4)
    /// Button 4, on the side: a page back.
    public static let back = Self(rawValue: 8)
    /// Button 5, on the side: a page forward.
    public static let forward = Self(rawValue: 0x10)

    /// Each button and its name, in order.
    public static let named: [(name: String, button: Self)] = [
        ("left", .left), ("right", .right), ("middle", .middle), ("back", .back), ("forward", .forward),
    ]
}

/// How quickly hands and sensors are, so that hosts see what they see of real devices.
enum PointerTiming {
    /// From one report of a movement to the next: 125 a second, as most mice and screens have it.
    static let interval = Duration.milliseconds(8)
    /// How long a click holds its button; what is shorter, desktops take for a bouncing contact.
    static let click = Duration.milliseconds(40)
    /// Between the clicks of a double click.
    static let betweenClicks = Duration.milliseconds(80)
    /// The longest that one movement may take.
    static let longest = Duration.seconds(3600)

    /// Into how many reports a movement is divided that takes so long: 1 to 450000.
    static func steps(over time: Duration) -> Int {
        let milliseconds = min(max(time, .zero), longest) / .milliseconds(1)
        return max(1, Int(milliseconds / 8))
    }
}
