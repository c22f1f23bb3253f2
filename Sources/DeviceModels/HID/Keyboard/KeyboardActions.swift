import CommandSupport
import KeyboardLayouts
import USBHID

/// What can be done to a keyboard.
enum KeyboardActions {
    /// The most characters of one `type`.
    static let textLimit = 100_000
    /// The most chords of one `key`.
    static let chordLimit = 1000

    static let type = DeviceAction.Summary(
        "type", "types a text, as fingers would; held keys stay down, but for those that the text needs",
        [
            ActionParameter("text", "up to 100000 characters", default: nil, "what to type"),
            ActionParameter(
                "layout", "a name as of layout=", default: "the keyboard's", "the layout that the host has set"),
            ActionParameter("rate", "1 to 1000", default: "50", "keys in a second, as far as the host asks that often"),
        ])

    static let key = DeviceAction.Summary(
        "key", "presses keys together, such as ctrl+alt+delete",
        [
            ActionParameter(
                "keys", "names with + in between; several such with spaces in between", default: nil,
                "which keys, one chord after the other"),
            ActionParameter("action", "tap|press|release", default: "tap", "down and up, down only, or up only"),
            ActionParameter("hold", "0 to 600", default: "0.02", "with tap: seconds for which each chord is down"),
        ])

    static let leds = DeviceAction.Summary("leds", "tells which lamps are on")

    static func make(_ keyboard: Keyboard, _ layouts: LayoutShelf) -> [DeviceAction] {
        [
            DeviceAction(type) { arguments, reply throws(ModelError) in
                try typeText(keyboard, layouts, arguments, reply)
            },
            DeviceAction(key) { arguments, reply throws(ModelError) in try pressKeys(keyboard, arguments, reply) },
            DeviceAction(leds) { _, reply in reply.succeed(LEDWords.members(keyboard.main.leds)) },
        ]
    }

    private static func typeText(
        _ keyboard: Keyboard, _ layouts: LayoutShelf, _ arguments: ActionArguments, _ reply: ActionReply
    ) throws(ModelError) {
        let text = try arguments.string("text") ?? ""
        let count = text.count
        guard count <= textLimit else {
            throw ModelError("the text has \(count) characters; type takes up to \(textLimit) at once", key: "text")
        }
        let rate = try arguments.decimal("rate", in: 1...1000) ?? 50
        let strokes = try layouts.strokes(for: text, layout: try arguments.string("layout"))
        let script = keyboard.typing(strokes.map { ($0.usage, $0.modifiers) }, rate: rate)
        play(script, keyboard, reply, [("characters", .number(count)), ("keys", .number(strokes.count))])
    }

    private static func pressKeys(
        _ keyboard: Keyboard, _ arguments: ActionArguments, _ reply: ActionReply
    ) throws(ModelError) {
        let chords = try chords(try arguments.list("keys"), keyboard)
        enum Kind { case tap, press, release }
        let kind =
            try arguments.choice("action", [("tap", Kind.tap), ("press", .press), ("release", .release)]) ?? .tap
        let hold = try arguments.decimal("hold", in: 0...600)
        if hold != nil, kind != .tap { throw ModelError("hold is for action=tap", key: "hold") }
        let script =
            switch kind {
            case .tap: keyboard.tapping(chords, hold: .nanoseconds(Int64((hold ?? 0.02) * 1e9)))
            case .press: keyboard.pressing(chords)
            case .release: keyboard.releasing(chords)
            }
        play(script, keyboard, reply, [("keys", .number(chords.reduce(0) { $0 + $1.keys.count }))])
    }

    private static func chords(_ texts: [String], _ keyboard: Keyboard) throws(ModelError) -> [KeyChord] {
        let words = texts.flatMap { $0.split(whereSeparator: \.isWhitespace) }
        guard (1...chordLimit).contains(words.count) else {
            throw ModelError("keys takes 1 to \(chordLimit) chords, such as ctrl+alt+delete", key: "keys")
        }
        var chords: [KeyChord] = []
        for word in words {
            let chord: KeyChord
            do throws(KeyNameError) {
                chord = try KeyChord(parsing: String(word))
            } catch {
                throw ModelError(error.description, key: "keys")
            }
            if let missing = chord.keys.first(where: { !keyboard.has($0) }) {
                throw ModelError(
                    "this keyboard has no \(KeyNames.name(of: missing) ?? "such") key: it was made with media=no",
                    key: "keys")
            }
            chords.append(chord)
        }
        return chords
    }

    private static func play(
        _ script: InputScript, _ keyboard: Keyboard, _ reply: ActionReply, _ members: [(String, JSON)]
    ) {
        guard let link = keyboard.main.link else {
            return reply.fail(ModelError(unavailable: InputScriptError.notConfigured.advice))
        }
        link.play(script, with: keyboard.media?.link.map { [$0] } ?? [], reply, members)
    }
}
