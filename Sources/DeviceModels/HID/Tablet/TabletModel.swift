import CommandSupport
import USBCore
import USBHID

/// An absolute pointer: `tablet`.
public enum TabletModel: HIDModel {
    /// `tablet`.
    public static let name = "tablet"
    /// An absolute pointer.
    public static let summary = "a pointer that goes where it is told, as virtual machines have it: buttons and a wheel"
    /// See ``HIDModel/product``.
    public static let product = "Virtual Tablet"
    /// See ``HIDModel/productID``.
    public static let productID: UInt16 = 0x7461

    /// See ``HIDModel/ownKeys``.
    public static let ownKeys = [ModelKey("buttons", "3 to 5", default: "3", "how many buttons it has")]

    /// See ``DeviceModel/examples``.
    public static let examples: [(specification: String, meaning: String)] = [
        ("tablet", "three buttons and a wheel"),
        ("tablet:buttons=5", "with buttons for back and forward"),
    ]

    /// See ``HIDModel/makePart(_:_:)``.
    public static func makePart(_ options: ModelOptions, _ context: ModelContext) throws(ModelError) -> HIDPart {
        let buttons = try options.integer("buttons", in: 3...5, default: 3)
        let tablet = Tablet(buttons: buttons, every: try HIDKeys.every(options))
        return HIDPart(
            functions: [tablet], backing: "absolute pointer, \(buttons) buttons and wheel",
            actions: [TabletAction.action(of: tablet)])
    }
}
