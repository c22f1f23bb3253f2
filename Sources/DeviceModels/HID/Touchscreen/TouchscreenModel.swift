import USBCore
import USBHID

/// A touchscreen: `touchscreen`.
public enum TouchscreenModel: HIDModel {
    /// `touchscreen`.
    public static let name = "touchscreen"
    /// A multi-touch screen.
    public static let summary = "a touchscreen of up to ten contacts: taps, swipes, pinches"
    /// See ``HIDModel/product``.
    public static let product = "Virtual Touchscreen"
    /// See ``HIDModel/productID``.
    public static let productID: UInt16 = 0x7473

    /// See ``HIDModel/ownKeys``.
    public static let ownKeys = [
        ModelKey("contacts", "1 to 10", default: "10", "how many fingers it tells apart"),
        ModelKey("width-mm", "10 to 10000", default: "345", "its width in millimetres"),
        ModelKey("height-mm", "10 to 10000", default: "194", "its height in millimetres"),
    ]

    /// See ``DeviceModel/examples``.
    public static let examples: [(specification: String, meaning: String)] = [
        ("touchscreen", "a laptop's, for ten fingers"),
        ("touchscreen:contacts=5,width-mm=65,height-mm=140", "a telephone's"),
    ]

    /// See ``HIDModel/makePart(_:_:)``.
    public static func makePart(_ options: ModelOptions, _ context: ModelContext) throws(ModelError) -> HIDPart {
        var configuration = Touchscreen.Configuration()
        configuration.contacts = try options.integer("contacts", in: 1...10, default: configuration.contacts)
        configuration.width = try options.integer("width-mm", in: 10...10_000, default: configuration.width)
        configuration.height = try options.integer("height-mm", in: 10...10_000, default: configuration.height)
        configuration.every = try HIDKeys.every(options)
        let screen = Touchscreen(configuration)
        return HIDPart(
            functions: [screen],
            backing: "touchscreen, \(configuration.contacts) contacts, \(configuration.width) x "
                + "\(configuration.height) mm",
            actions: [TouchAction.action(of: screen)])
    }
}
