import CommandSupport
import USBHID

/// A keyboard: `keyboard`.
public enum KeyboardModel: HIDModel {
    /// `keyboard`.
    public static let name = "keyboard"
    /// A keyboard with its lamps.
    public static let summary =
        "a keyboard that types what it is told: any layout, all keys, media and power keys, lamps"
    /// See ``HIDModel/product``.
    public static let product = "Virtual Keyboard"
    /// See ``HIDModel/productID``.
    public static let productID: UInt16 = 0x6b62

    /// See ``HIDModel/ownKeys``.
    public static let ownKeys = [
        ModelKey(
            "layout", "us|de|fr|uk|es|jp, or any of XKB such as de(nodeadkeys)", default: "us",
            "the layout that the host has set, which says what keys a text needs"),
        ModelKey(
            "nkro", "yes|no", default: "yes",
            "whether any number of keys can be down at once; no for firmware that takes boot reports without asking"),
        ModelKey(
            "media", "yes|no", default: "yes", "whether there are media and power keys, on an interface of their own"),
        ModelKey(
            "out-endpoint", "yes|no", default: "no", "whether lamps have an endpoint, instead of SET_REPORT requests"),
        ModelKey("country", "0 to 35", default: "0", "bCountryCode of the HID descriptor"),
    ]

    /// See ``DeviceModel/examples``.
    public static let examples: [(specification: String, meaning: String)] = [
        ("keyboard", "a keyboard; 'ghostplug ctl type 1-1 hello' types on it"),
        ("keyboard:layout=de", "for a host that is set to a German keyboard"),
        ("keyboard:speed=low,nkro=no,media=no", "as simple as the oldest: six keys at once, asked every 10 ms"),
        ("keyboard:speed=high,interval=0.125", "asked 8000 times a second"),
    ]

    /// See ``HIDModel/makePart(_:_:)``.
    public static func makePart(_ options: ModelOptions, _ context: ModelContext) throws(ModelError) -> HIDPart {
        let every = try HIDKeys.every(options)
        let hasRollover = try options.bool("nkro", default: true)
        let hasMedia = try options.bool("media", default: true)
        let layouts = LayoutShelf(options.string("layout") ?? "us")
        try layouts.check()
        let keyboard = Keyboard(
            KeyboardFunction(
                hasRollover: hasRollover, every: every,
                hasOutEndpoint: try options.bool("out-endpoint", default: false),
                country: UInt8(try options.integer("country", in: 0...35, default: 0))),
            media: hasMedia ? MediaFunction(every: every) : nil)
        let events = context.events
        keyboard.main.onLEDs = { leds in events.send("leds", LEDWords.members(leds)) }
        return HIDPart(
            functions: keyboard.functions,
            backing: "keyboard, layout \(layouts.usual), \(hasRollover ? "any number of" : "six") keys at once"
                + (hasMedia ? ", media keys" : ""),
            actions: KeyboardActions.make(keyboard, layouts))
    }
}

/// Lamps in answers and events.
enum LEDWords {
    /// The names of those that are on, and of each whether it is.
    static func members(_ leds: KeyboardLEDs) -> [(String, JSON)] {
        [("on", .array(leds.names.map { .string($0) }))]
            + KeyboardLEDs.all.map { ($0.name, .bool(leds.contains($0.lamp))) }
    }
}
