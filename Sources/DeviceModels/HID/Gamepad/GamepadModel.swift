import CommandSupport
import USBCore
import USBHID

/// A gamepad: `gamepad`.
public enum GamepadModel: HIDModel {
    /// `gamepad`.
    public static let name = "gamepad"
    /// Sticks, triggers, hat and buttons.
    public static let summary = "a gamepad with rumble: two sticks, two triggers, a hat and buttons"
    /// See ``HIDModel/product``.
    public static let product = "Virtual Gamepad"
    /// See ``HIDModel/productID``.
    public static let productID: UInt16 = 0x6770

    /// See ``HIDModel/ownKeys``.
    public static let ownKeys = [
        ModelKey(
            "kind", "generic|xbox", default: "generic",
            "16 buttons and two rumble motors, or what an Xbox Wireless Controller is over Bluetooth (HID), with motors "
                + "in the triggers"),
        ModelKey(
            "out-endpoint", "yes|no", default: "yes",
            "whether rumble comes by an interrupt OUT endpoint, or else by control requests"),
    ]

    /// See ``DeviceModel/examples``.
    public static let examples: [(specification: String, meaning: String)] = [
        ("gamepad", "sticks, triggers, hat and 16 buttons"),
        ("gamepad:kind=xbox", "the reports of an Xbox Wireless Controller"),
    ]

    /// Windows and SDL remember a layout by the ids of the device: another one has another.
    private static let xboxProductID: UInt16 = 0x7862

    /// See ``DeviceModel/make(_:_:)``.
    public static func make(_ options: ModelOptions, _ context: ModelContext) throws(ModelError) -> ModelDevice {
        let isXbox = try kind(options) == .xbox
        let configuration = try HIDKeys.configuration(
            options, context, product: product, productID: isXbox ? xboxProductID : productID)
        return try makePart(options, context).device(configuration)
    }

    /// See ``HIDModel/makePart(_:_:)``.
    public static func makePart(_ options: ModelOptions, _ context: ModelContext) throws(ModelError) -> HIDPart {
        let kind = try kind(options)
        let pad = Gamepad(
            kind, every: try HIDKeys.every(options), hasOutEndpoint: try options.bool("out-endpoint", default: true))
        let events = context.events
        pad.onRumble = { events.send("rumble", members($0)) }
        return HIDPart(
            functions: [pad],
            backing: "gamepad, \(kind == .xbox ? "Xbox layout" : "16 buttons, hat, sticks and triggers"), rumble",
            actions: [PadAction.action(of: pad)])
    }

    private static func kind(_ options: ModelOptions) throws(ModelError) -> GamepadKind {
        try options.choice("kind", GamepadKind.allCases.map { ($0.rawValue, $0) }, default: .generic)
    }

    /// What a `rumble` event tells: strengths of 0 to 1, and times in seconds.
    private static func members(_ rumble: GamepadRumble) -> [(String, JSON)] {
        var members: [(String, JSON)] = [
            ("strong", .decimal(rumble.strong, digits: 3)), ("weak", .decimal(rumble.weak, digits: 3)),
        ]
        if let left = rumble.leftTrigger { members.append(("lt", .decimal(left, digits: 3))) }
        if let right = rumble.rightTrigger { members.append(("rt", .decimal(right, digits: 3))) }
        if let time = rumble.time {
            members.append(("seconds", .decimal(time / .seconds(1), digits: 2)))
            members.append(("repeats", .number(rumble.repeats)))
        }
        return members
    }
}
