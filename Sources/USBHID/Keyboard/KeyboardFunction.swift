public import HIDReports

/// A keyboard's keys and lamps, as one function: a boot keyboard with any number of keys at once.
///
/// A host that reads the report descriptor gets a bit for each key; one that has set the boot protocol gets eight bytes
/// with up to six keys (HID 1.11 appendix B.1).
public final class KeyboardFunction: HIDFunction {
    /// See ``HIDFunction/interface``.
    public let interface: HIDInterface
    /// The lamps that are on.
    public private(set) var leds: KeyboardLEDs = []
    /// Called when lamps have changed.
    public var onLEDs: (KeyboardLEDs) -> Void = { _ in }
    /// The way to the host; nil before the function is part of a device.
    public private(set) var link: HIDLink?
    private let hasRollover: Bool
    private var state = KeyState()
    /// Modifiers that typing holds, besides those that were pressed.
    private var typed: UInt8 = 0

    /// Makes a keyboard.
    ///
    /// - Parameters:
    ///   - hasRollover: whether reports of the report protocol have a bit for each key; else they are as in the boot
    ///     protocol, for firmware that does not ask for it.
    ///   - every: how often the host asks.
    ///   - hasOutEndpoint: whether lamps have an endpoint of their own, instead of SET_REPORT.
    ///   - country: `bCountryCode` (HID 1.11 §6.2.1).
    public init(
        hasRollover: Bool = true, every: Duration = .milliseconds(1), hasOutEndpoint: Bool = false, country: UInt8 = 0
    ) {
        self.hasRollover = hasRollover
        interface = HIDInterface(
            Self.reportDescriptor(hasRollover: hasRollover), boot: .keyboard, country: country, every: every,
            hasOutEndpoint: hasOutEndpoint, name: "Keyboard")
    }

    /// What a keyboard's reports hold.
    public static func reportDescriptor(hasRollover: Bool) -> ReportDescriptor {
        ReportDescriptor {
            ReportCollection(.application, .keyboard) {
                Input(.keyboard(KeyState.modifierUsages))
                if hasRollover {
                    Input(.keyboard(KeyState.usages))
                    Padding(.input, bits: 7 - (KeyState.usages.count + 7) % 8)
                } else {
                    Padding(.input, bits: 8)
                    Input(.keyboard(0...0xdd), logical: 0...0xdd, size: 8, count: 6, flags: .array)
                }
                Output(.leds(1...5))
                Padding(.output, bits: 3)
            }
        }
    }

    // MARK: Keys

    /// Whether no key is down.
    public var isAtRest: Bool { state.isEmpty && typed == 0 }

    /// Presses a key of the keyboard page (HID Usage Tables §10): 0x04 to 0xDD, or 0xE0 to 0xE7.
    ///
    /// Other usages, and keys that are down already, change nothing and send nothing.
    public func press(_ usage: UInt8) {
        if state.press(usage) { send() }
    }

    /// Lets go of a key; one that is up changes nothing.
    public func release(_ usage: UInt8) {
        if state.release(usage) { send() }
    }

    /// Holds modifiers for a text, besides those that were pressed: bit n is usage 0xE0 + n.
    public func holdForTyping(_ modifiers: UInt8) {
        guard typed != modifiers else { return }
        typed = modifiers
        send()
    }

    /// Lets go of everything.
    public func releaseAll() {
        hold(KeyState())
    }

    /// The keys that are down.
    var held: KeyState { state }

    /// Has other keys down, and none for a text.
    func hold(_ keys: KeyState) {
        guard state != keys || typed != 0 else { return }
        state = keys
        typed = 0
        send()
    }

    /// Presses a key for a text; one that is down already is let go of first, else the host would see nothing.
    func type(_ usage: UInt8) {
        release(usage)
        press(usage)
    }

    private func send() { link?.send(inputReport) }

    private var inputReport: [UInt8] {
        link?.usesBootProtocol == true || !hasRollover
            ? state.bootReport(with: typed) : state.bitmapReport(with: typed)
    }

    private func light(_ new: KeyboardLEDs) {
        guard leds != new else { return }
        leds = new
        onLEDs(new)
    }

    // MARK: HIDFunction

    /// See ``HIDFunction/attached(to:)``.
    public func attached(to link: HIDLink) { self.link = link }

    /// See ``HIDFunction/report(_:id:)``.
    public func report(_ kind: ReportKind, id: UInt8) -> [UInt8]? {
        switch kind {
        case .input: inputReport
        case .output: [leds.rawValue]
        case .feature: nil
        }
    }

    /// See ``HIDFunction/receive(_:id:_:)``.
    public func receive(_ kind: ReportKind, id: UInt8, _ bytes: [UInt8]) -> Bool {
        guard kind == .output, let bits = bytes.first else { return false }
        // The rest of the byte is padding.
        light(KeyboardLEDs(rawValue: bits & 0x1f))
        return true
    }

    /// See ``HIDFunction/configured(_:)``: a key that is down still is, and a new host does not know it.
    public func configured(_ isConfigured: Bool) {
        if isConfigured, !isAtRest { send() }
    }

    /// See ``HIDFunction/reset()``: lamps go out, while fingers stay where they are.
    public func reset() { light([]) }

    /// See ``HIDFunction/disconnected()``.
    public func disconnected() {
        state = KeyState()
        typed = 0
    }
}
