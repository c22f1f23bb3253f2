import USBCore
import USBGadgetZero

/// A test device's keys, read and checked against one another.
struct ZeroSettings {
    enum Kind {
        case zero(ZeroGadget.Configuration)
        case echo(EchoGadget.Configuration)
    }

    private enum Function: String, CaseIterable {
        case sourceSink = "source-sink"
        case loopback
        case echo
    }

    let kind: Kind
    /// What the device is, for people.
    let backing: String

    init(_ options: ModelOptions, _ context: ModelContext) throws(ModelError) {
        let speed = try options.choice(
            "speed", [("full", Speed.full), ("high", .high), ("super", .super)], default: .high)
        let function = try options.choice(
            "function", Function.allCases.map { ($0.rawValue, $0) }, default: .sourceSink)
        let pattern = try options.choice(
            "pattern", TestPattern.allCases.map { ($0.rawValue, $0) }, default: .zeros)
        let shapes = ZeroShapes(options, speed)
        let serial = try options.serialNumber("serial", for: context)
        guard function == .echo else {
            try Self.refuse(["url"], of: options, "url= is for function=echo")
            var zero = ZeroGadget.Configuration()
            zero.speed = speed
            zero.beginsWithLoopback = function == .loopback
            zero.pattern = pattern
            zero.vendorID = try options.hex16("vid", default: zero.vendorID)
            zero.productID = try options.hex16("pid", default: zero.productID)
            zero.serialNumber = serial
            zero.bulk = try shapes.bulk()
            zero.isochronous = try shapes.isochronous()
            zero.interrupt = try shapes.interrupt()
            zero.reportMilliseconds = try shapes.reportMilliseconds(zero.interrupt)
            kind = .zero(zero)
            backing =
                "gadget zero, \(function.rawValue) first, pattern \(pattern.rawValue)"
                + (zero.reportMilliseconds.map { ", a report every \($0) ms" } ?? "")
            return
        }
        try Self.refuse(
            ["pattern", "iso-packet", "iso-transactions", "iso-interval", "iso-burst", "iso-mult", "report-every"],
            of: options, "function=echo has neither isochronous endpoints nor anything to send by itself")
        var echo = EchoGadget.Configuration()
        echo.speed = speed
        echo.vendorID = try options.hex16("vid", default: echo.vendorID)
        echo.productID = try options.hex16("pid", default: echo.productID)
        echo.serialNumber = serial
        echo.bulk = try shapes.bulk()
        echo.interrupt = try shapes.interrupt()
        echo.landingPage = try Self.url(options)
        kind = .echo(echo)
        backing = echo.landingPage.map { "vendor echo, landing page \($0.text)" } ?? "vendor echo"
    }

    /// Refuses keys that mean nothing to the function chosen.
    private static func refuse(_ keys: [String], of options: ModelOptions, _ reason: String) throws(ModelError) {
        for key in keys {
            guard let value = options.string(key) else { continue }
            throw ModelError("\(key)=\(value) is not possible; \(reason)", key: key)
        }
    }

    private static func url(_ options: ModelOptions) throws(ModelError) -> WebUSBURL? {
        guard let text = options.string("url") else { return nil }
        let isPrintable = text.utf8.allSatisfy { (0x21...0x7e).contains($0) }
        guard isPrintable, let url = WebUSBURL(text), url.scheme != .other else { throw options.refusal("url", text) }
        return url
    }
}
