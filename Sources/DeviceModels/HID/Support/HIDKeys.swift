public import USBCore
import USBHID

/// The keys that all HID models take, and what they mean.
public enum HIDKeys {
    /// The keys, in the order of their documentation.
    public static let shared = [
        ModelKey("speed", "low|full|high", default: "full", "1.5, 12 or 480 Mb/s"),
        ModelKey(
            "interval", "0.125 to 255", default: "1, at low speed 10",
            "milliseconds from one question of the host to the next; at least 1 at full, 10 at low speed"),
        ModelKey(
            "remote-wakeup", "yes|no", default: "no",
            "whether the device says that it can wake its host; Linux suspends an idle one that can, and USB/IP carries "
                + "no wake-up, so that it would not be heard again"),
        ModelKey("vid", "16 bits in hexadecimal", default: "1209", "idVendor"),
        ModelKey("pid", "16 bits in hexadecimal", default: "the model's", "idProduct"),
        ModelKey("vendor", "up to 64 ASCII characters", default: "Ghostplug", "the vendor's name"),
        ModelKey("product", "up to 64 ASCII characters", default: "the model's", "the product's name"),
        ModelKey(
            "serial", "1 to 32 of 0-9 A-Z a-z . _ -",
            default: "12 hexadecimal digits made of the keys and the position", "the serial number"),
    ]

    /// The speed.
    ///
    /// - Throws: ``ModelError``.
    public static func speed(_ options: ModelOptions) throws(ModelError) -> Speed {
        try options.choice("speed", [("low", Speed.low), ("full", .full), ("high", .high)], default: .full)
    }

    /// How often the host is to ask, in whole microseconds.
    ///
    /// - Throws: ``ModelError`` also for what the speed cannot say (USB 2.0 §9.6.6).
    public static func every(_ options: ModelOptions) throws(ModelError) -> Duration {
        let speed = try speed(options)
        let least =
            switch speed {
            case .low: 10.0
            case .full: 1.0
            case .high, .super, .superPlus: 0.125
            }
        guard let text = options.string("interval") else { return .milliseconds(Int64(max(least, 1))) }
        guard let number = Double(text), (least...255).contains(number) else { throw options.refusal("interval", text) }
        return .microseconds(Int64((number * 1000).rounded()))
    }

    /// How the device presents itself.
    ///
    /// - Throws: ``ModelError``.
    static func configuration(
        _ options: ModelOptions, _ context: ModelContext, product: String, productID: UInt16
    ) throws(ModelError) -> HIDGadget.Configuration {
        var configuration = HIDGadget.Configuration()
        configuration.speed = try speed(options)
        configuration.vendorID = try options.hex16("vid", default: configuration.vendorID)
        configuration.productID = try options.hex16("pid", default: productID)
        configuration.manufacturer = try options.ascii("vendor", upTo: 64, default: "Ghostplug")
        configuration.product = try options.ascii("product", upTo: 64, default: product)
        configuration.serialNumber = try options.serialNumber("serial", for: context)
        configuration.remoteWakeup = try options.bool("remote-wakeup", default: false)
        return configuration
    }
}
