/// The buttons of a gamepad, in the order in which Linux numbers them from BTN_SOUTH.
public struct GamepadButtons: OptionSet, Hashable, Sendable {
    /// Bit 0 is ``a``.
    public let rawValue: UInt32
    /// Makes a set from its bits.
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// The lower button under the right thumb.
    public static let a = Self(rawValue: 1)
    /// The right button under the right thumb.
    public static let b = Self(rawValue: 1 << 1)
    /// A third of a lower row.
    public static let c = Self(rawValue: 1 << 2)
    /// The left button under the right thumb.
    public static let x = Self(rawValue: 1 << 3)
    /// The upper button under the right thumb.
    public static let y = Self(rawValue: 1 << 4)
    /// A third of an upper row.
    public static let z = Self(rawValue: 1 << 5)
    /// The left shoulder.
    public static let lb = Self(rawValue: 1 << 6)
    /// The right shoulder.
    public static let rb = Self(rawValue: 1 << 7)
    /// The left trigger as a button.
    public static let l2 = Self(rawValue: 1 << 8)
    /// The right trigger as a button.
    public static let r2 = Self(rawValue: 1 << 9)
    /// Select, back, or view.
    public static let select = Self(rawValue: 1 << 10)
    /// Start, or menu.
    public static let start = Self(rawValue: 1 << 11)
    /// The maker's button.
    public static let home = Self(rawValue: 1 << 12)
    /// The left stick, pressed.
    public static let ls = Self(rawValue: 1 << 13)
    /// The right stick, pressed.
    public static let rs = Self(rawValue: 1 << 14)
    /// A sixteenth button without a name of its own.
    public static let extra = Self(rawValue: 1 << 15)
    /// Share, or record.
    public static let share = Self(rawValue: 1 << 16)

    /// Each button and its name, in order.
    public static let named: [(name: String, button: Self)] = [
        ("a", .a), ("b", .b), ("c", .c), ("x", .x), ("y", .y), ("z", .z), ("lb", .lb), ("rb", .rb), ("l2", .l2),
        ("r2", .r2), ("select", .select), ("start", .start), ("home", .home), ("ls", .ls), ("rs", .rs),
        ("extra", .extra), ("share", .share),
    ]
}

/// Where a directional pad is pressed.
public enum GamepadHat: UInt8, Hashable, Sendable, CaseIterable {
    /// Up; the others follow clockwise.
    case up
    /// Up and right.
    case upRight
    /// Right.
    case right
    /// Down and right.
    case downRight
    /// Down.
    case down
    /// Down and left.
    case downLeft
    /// Left.
    case left
    /// Up and left.
    case upLeft
    /// Nowhere.
    case center
}

/// How a gamepad is held: everything at rest to begin with.
public struct GamepadState: Hashable, Sendable {
    /// The buttons that are held.
    public var buttons: GamepadButtons = []
    /// The directional pad.
    public var hat = GamepadHat.center
    /// The left stick, -1 (left) to 1 (right); what is beyond is cut off, of all axes.
    public var leftX = 0.0
    /// The left stick, -1 (up) to 1 (down).
    public var leftY = 0.0
    /// The right stick, -1 (left) to 1 (right).
    public var rightX = 0.0
    /// The right stick, -1 (up) to 1 (down).
    public var rightY = 0.0
    /// The left trigger, 0 to 1.
    public var leftTrigger = 0.0
    /// The right trigger, 0 to 1.
    public var rightTrigger = 0.0

    /// Makes a gamepad at rest.
    public init() {}
}

/// How hard a gamepad's motors are to turn, as its host says.
public struct GamepadRumble: Hashable, Sendable {
    /// The heavy motor, on the left, 0 to 1.
    public var strong = 0.0
    /// The light motor, on the right, 0 to 1.
    public var weak = 0.0
    /// The motor of the left trigger, 0 to 1; nil where the report has nothing on it.
    public var leftTrigger: Double?
    /// The motor of the right trigger, 0 to 1; nil where the report has nothing on it.
    public var rightTrigger: Double?
    /// How long; nil until told otherwise.
    public var time: Duration?
    /// How many times more.
    public var repeats = 0

    /// Makes motors that stand still.
    public init() {}
}
