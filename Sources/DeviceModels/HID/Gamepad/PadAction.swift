import CommandSupport
import USBHID

/// What a gamepad can be told to do: `pad`.
enum PadAction {
    private static let hats: [(String, GamepadHat)] = [
        ("up", .up), ("up-right", .upRight), ("right", .right), ("down-right", .downRight), ("down", .down),
        ("down-left", .downLeft), ("left", .left), ("up-left", .upLeft), ("center", .center),
    ]
    private struct Axis: Sendable {
        let name: String
        let meaning: String
        let path: any WritableKeyPath<GamepadState, Double> & Sendable
    }

    private static let sticks = [
        Axis(name: "lx", meaning: "the left stick: -1 is left, 1 is right", path: \.leftX),
        Axis(name: "ly", meaning: "the left stick: -1 is up, 1 is down", path: \.leftY),
        Axis(name: "rx", meaning: "the right stick: -1 is left, 1 is right", path: \.rightX),
        Axis(name: "ry", meaning: "the right stick: -1 is up, 1 is down", path: \.rightY),
    ]
    private static let triggers = [
        Axis(name: "lt", meaning: "the left trigger", path: \.leftTrigger),
        Axis(name: "rt", meaning: "the right trigger", path: \.rightTrigger),
    ]

    private static func summary(_ kind: GamepadKind) -> DeviceAction.Summary {
        let words = names(of: kind.buttons).joined(separator: ", ") + "; several with commas"
        return DeviceAction.Summary(
            "pad", "holds it otherwise, all at once; what is not named stays as it is",
            [
                ActionParameter("press", words, default: "none", "buttons to hold from now on"),
                ActionParameter("release", words, default: "none", "buttons to let go of"),
                ActionParameter("tap", words, default: "none", "buttons to press, and to let go of after hold"),
            ]
                + sticks.map { ActionParameter($0.name, "-1 to 1", default: "as it is", $0.meaning) }
                + triggers.map { ActionParameter($0.name, "0 to 1", default: "as it is", $0.meaning) }
                + [
                    ActionParameter(
                        "hat", hats.map(\.0).joined(separator: "|"), default: "as it is", "the directional pad"),
                    ActionParameter(
                        "hold", "0 to 3600", default: "0.1 for tap, else for good",
                        "seconds after which what was tapped or moved goes back; press and release stay"),
                    ActionParameter("reset", "yes|no", default: "no", "let go of everything first"),
                ])
    }

    static func action(of pad: Gamepad) -> DeviceAction {
        let summary = summary(pad.kind)
        return DeviceAction(summary) { (arguments: ActionArguments, reply: ActionReply) throws(ModelError) in
            let steps = try steps(arguments, pad.kind)
            pad.play(steps) { [unowned pad] result in
                reply.finish(result, [("held", .array(names(of: pad.state.buttons).map { .string($0) }))])
            } isWanted: {
                reply.isWanted
            }
        }
    }

    private static func names(of buttons: GamepadButtons) -> [String] {
        GamepadButtons.named.filter { buttons.contains($0.button) }.map(\.name)
    }

    private static func steps(_ arguments: ActionArguments, _ kind: GamepadKind) throws(ModelError) -> [Gamepad.Step] {
        let axes = (sticks + triggers).map(\.name)
        let uses = ["press", "release", "tap"] + axes + ["hat", "reset"]
        try arguments.require("hold", for: ["tap"] + axes + ["hat"])
        guard uses.contains(where: arguments.has) else {
            throw ModelError("pad needs something to do: \(uses.joined(separator: ", "))")
        }
        let press = try buttons("press", arguments, kind)
        let release = try buttons("release", arguments, kind)
        let tap = try buttons("tap", arguments, kind)
        guard press.isDisjoint(with: release) else {
            throw ModelError("release cannot let go of what press holds in the same action", key: "release")
        }
        let hat = try arguments.choice("hat", hats)
        let hold = try arguments.seconds("hold", upTo: 3600)
        let isReset = try arguments.bool("reset", default: false)
        var values: [(WritableKeyPath<GamepadState, Double>, Double)] = []
        for (axes, range) in [(sticks, -1.0...1), (triggers, 0.0...1)] {
            for axis in axes {
                if let value = try arguments.decimal(axis.name, in: range) { values.append((axis.path, value)) }
            }
        }
        var before = GamepadState()
        let first = Gamepad.Step(pause: hold ?? (tap.isEmpty ? .zero : .milliseconds(100))) { [values] state in
            if isReset { state = GamepadState() }
            before = state
            state.buttons.formUnion(press.union(tap))
            state.buttons.subtract(release)
            if let hat { state.hat = hat }
            for (path, value) in values { state[keyPath: path] = value }
        }
        guard !tap.isEmpty || hold != nil else { return [first] }
        let last = Gamepad.Step { [values] state in
            state.buttons.subtract(tap.subtracting(press))
            guard hold != nil else { return }
            if hat != nil { state.hat = before.hat }
            for (path, _) in values { state[keyPath: path] = before[keyPath: path] }
        }
        return [first, last]
    }

    private static func buttons(
        _ name: String, _ arguments: ActionArguments, _ kind: GamepadKind
    ) throws(ModelError) -> GamepadButtons {
        var buttons: GamepadButtons = []
        for word in try arguments.list(name) {
            guard let match = GamepadButtons.named.first(where: { $0.name == word }),
                kind.buttons.contains(match.button)
            else { throw arguments.error(name, .string(word)) }
            buttons.insert(match.button)
        }
        guard !arguments.has(name) || !buttons.isEmpty else { throw arguments.error(name, .string("")) }
        return buttons
    }
}
