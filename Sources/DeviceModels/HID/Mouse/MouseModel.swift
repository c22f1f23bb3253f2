import USBCore
import USBHID

/// A mouse: `mouse`.
public enum MouseModel: HIDModel {
    /// `mouse`.
    public static let name = "mouse"
    /// Buttons, wheel and tilt.
    public static let summary =
        "a mouse: five buttons, a wheel that tilts, high-resolution scrolling; for boot menus too"
    /// See ``HIDModel/product``.
    public static let product = "Virtual Mouse"
    /// See ``HIDModel/productID``.
    public static let productID: UInt16 = 0x6d6f

    /// See ``HIDModel/ownKeys``.
    public static let ownKeys = [
        ModelKey(
            "high-resolution", "yes|no", default: "yes",
            "whether hosts can have parts of a wheel's detent, 120 to each, as Linux and Windows ask for them")
    ]

    /// See ``DeviceModel/examples``.
    public static let examples: [(specification: String, meaning: String)] = [
        ("mouse", "five buttons, wheel and tilt"),
        ("mouse:high-resolution=no,interval=8", "a plain one, asked 125 times a second"),
    ]

    /// See ``HIDModel/makePart(_:_:)``.
    public static func makePart(_ options: ModelOptions, _ context: ModelContext) throws(ModelError) -> HIDPart {
        let highResolution = try options.bool("high-resolution", default: true)
        let mouse = Mouse(highResolution: highResolution, every: try HIDKeys.every(options))
        return HIDPart(
            functions: [mouse], backing: "mouse, 5 buttons, wheel and tilt\(highResolution ? " in 1/120 detents" : "")",
            actions: [MouseAction.action(of: mouse)])
    }
}
