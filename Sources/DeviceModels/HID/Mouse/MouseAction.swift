import CommandSupport
import USBHID

/// What a mouse can be told to do: `mouse`.
enum MouseAction {
    private static let allButtons = PointerButtons(rawValue: 0x1f)
    private static let travel = Mouse.travelLimit

    static let summary = DeviceAction.Summary(
        "mouse", "moves it and its wheels, and uses its buttons: press, then moving, then click, then release",
        [
            ActionParameter("dx", "\(-travel) to \(travel)", default: "0", "counts to the right"),
            ActionParameter("dy", "\(-travel) to \(travel)", default: "0", "counts downward"),
            ActionParameter(
                "wheel", "-10000 to 10000", default: "0",
                "detents away from the user; parts of one where the host has turned high resolution on"),
            ActionParameter("tilt", "-10000 to 10000", default: "0", "detents to the right, as wheel"),
            ActionParameter("press", allButtons.words, default: "none", "buttons to hold from now on"),
            ActionParameter("drag", allButtons.words, default: "none", "buttons to hold while it moves"),
            ActionParameter("click", allButtons.words, default: "none", "buttons to press and let go of"),
            ActionParameter("count", "1 to 100", default: "1", "how often to click: 2 for a double click"),
            ActionParameter("release", allButtons.words, default: "none", "buttons to let go of"),
            ActionParameter(
                "duration", "0 to 3600", default: "as fast as the host asks", "seconds that the movement takes"),
        ])

    static func action(of mouse: Mouse) -> DeviceAction {
        DeviceAction(summary) { (arguments: ActionArguments, reply: ActionReply) throws(ModelError) in
            let actions = try actions(arguments, mouse)
            mouse.play(actions) { [unowned mouse] result in
                reply.finish(result, [("held", .array(mouse.buttons.names.map { .string($0) }))])
            } isWanted: {
                reply.isWanted
            }
        }
    }

    private static func actions(_ arguments: ActionArguments, _ mouse: Mouse) throws(ModelError) -> [Mouse.Action] {
        let uses = ["dx", "dy", "wheel", "tilt", "press", "drag", "click", "release"]
        try arguments.require("count", for: ["click"])
        try arguments.require("drag", for: ["dx", "dy"])
        try arguments.require("duration", for: ["dx", "dy", "wheel", "tilt"])
        guard uses.contains(where: arguments.has) else {
            throw ModelError("mouse needs something to do: \(uses.joined(separator: ", "))")
        }
        let dx = try arguments.integer("dx", in: -travel...travel) ?? 0
        let dy = try arguments.integer("dy", in: -travel...travel) ?? 0
        let wheel = try turn("wheel", arguments, mouse, mouse.wheelCounts)
        let tilt = try turn("tilt", arguments, mouse, mouse.tiltCounts)
        let press = try arguments.buttons("press", among: allButtons)
        let drag = try arguments.buttons("drag", among: allButtons)
        let click = try arguments.buttons("click", among: allButtons)
        let release = try arguments.buttons("release", among: allButtons)
        let count = try arguments.integer("count", in: 1...100) ?? 1
        let time = try arguments.seconds("duration", upTo: 3600) ?? .zero

        var actions: [Mouse.Action] = []
        if !press.union(drag).isEmpty { actions.append(.press(press.union(drag))) }
        if dx != 0 || dy != 0 { actions.append(.move(dx: dx, dy: dy, over: time)) }
        if !drag.isEmpty { actions.append(.release(drag)) }
        if wheel != 0 || tilt != 0 { actions.append(.scroll(wheel: wheel, tilt: tilt, over: time)) }
        if !click.isEmpty { actions.append(.click(click, count: count)) }
        if !release.isEmpty { actions.append(.release(release)) }
        return actions
    }

    /// Detents of a wheel; parts of one only where the host would see them.
    private static func turn(
        _ name: String, _ arguments: ActionArguments, _ mouse: Mouse, _ counts: Int
    ) throws(ModelError) -> Double {
        let detents = try arguments.decimal(name, in: -Mouse.turnLimit...Mouse.turnLimit) ?? 0
        if counts == 0, detents != 0 {
            throw ModelError(
                "\(name) cannot be now: the host has chosen the boot protocol, which has no wheel", key: name)
        }
        if counts == 1, detents != detents.rounded() {
            throw ModelError(
                mouse.hasHighResolution
                    ? "\(name)=\(detents) cannot be now: the host has not turned high resolution on, so that \(name) "
                        + "takes whole detents"
                    : "\(name)=\(detents) cannot be: this mouse was made with high-resolution=no, so that \(name) takes "
                        + "whole detents", key: name)
        }
        return detents
    }
}
