import CommandSupport
import USBHID

/// What a tablet can be told to do: `tablet`.
enum TabletAction {
    private static func summary(_ buttons: PointerButtons) -> DeviceAction.Summary {
        let place = "0 to 1, with unit=raw 0 to \(Tablet.extent)"
        return DeviceAction.Summary(
            "tablet", "puts the pointer somewhere, and uses buttons and wheel: moving, then press, click, release",
            [
                ActionParameter("x", place, default: "where it is", "where to, from the left"),
                ActionParameter("y", place, default: "where it is", "where to, from the top"),
                ActionParameter("unit", "fraction|raw", default: "fraction", "what places are in"),
                ActionParameter("press", buttons.words, default: "none", "buttons to hold from now on"),
                ActionParameter(
                    "drag", buttons.words, default: "none", "buttons to hold on the way from x, y to to-x, to-y"),
                ActionParameter("to-x", place, default: "where it is", "where to drag, from the left"),
                ActionParameter("to-y", place, default: "where it is", "where to drag, from the top"),
                ActionParameter("wheel", "-10000 to 10000", default: "0", "detents away from the user"),
                ActionParameter("click", buttons.words, default: "none", "buttons to press and let go of"),
                ActionParameter("count", "1 to 100", default: "1", "how often to click: 2 for a double click"),
                ActionParameter("release", buttons.words, default: "none", "buttons to let go of"),
                ActionParameter("duration", "0 to 3600", default: "0", "seconds that moving or dragging takes"),
            ])
    }

    static func action(of tablet: Tablet) -> DeviceAction {
        let buttons = PointerButtons(rawValue: UInt8(truncatingIfNeeded: 1 << tablet.buttonCount - 1))
        let summary = summary(buttons)
        return DeviceAction(summary) { (arguments: ActionArguments, reply: ActionReply) throws(ModelError) in
            let actions = try actions(arguments, buttons)
            tablet.play(actions) { [unowned tablet] result in
                reply.finish(result, [("held", .array(tablet.buttons.names.map { .string($0) }))])
            } isWanted: {
                reply.isWanted
            }
        }
    }

    private static func actions(
        _ arguments: ActionArguments, _ buttons: PointerButtons
    ) throws(ModelError) -> [Tablet.Action] {
        let uses = ["x", "y", "press", "drag", "wheel", "click", "release"]
        try arguments.require("count", for: ["click"])
        try arguments.require("drag", for: ["to-x", "to-y"])
        try arguments.require("to-x", for: ["drag"])
        try arguments.require("to-y", for: ["drag"])
        try arguments.require("duration", for: ["x", "y", "drag"])
        try arguments.require("unit", for: ["x", "y", "drag"])
        guard uses.contains(where: arguments.has) else {
            throw ModelError("tablet needs something to do: \(uses.joined(separator: ", "))")
        }
        let isRaw = try arguments.choice("unit", [("fraction", false), ("raw", true)]) ?? false
        let start = (x: try place("x", arguments, isRaw), y: try place("y", arguments, isRaw))
        let end = (x: try place("to-x", arguments, isRaw), y: try place("to-y", arguments, isRaw))
        let press = try arguments.buttons("press", among: buttons)
        let drag = try arguments.buttons("drag", among: buttons)
        let click = try arguments.buttons("click", among: buttons)
        let release = try arguments.buttons("release", among: buttons)
        let wheel = try arguments.integer("wheel", in: -10_000...10_000) ?? 0
        let count = try arguments.integer("count", in: 1...100) ?? 1
        let time = try arguments.seconds("duration", upTo: 3600) ?? .zero

        var actions: [Tablet.Action] = []
        if arguments.has("x") || arguments.has("y") {
            actions.append(.move(x: start.x, y: start.y, over: drag.isEmpty ? time : .zero))
        }
        if !press.union(drag).isEmpty { actions.append(.press(press.union(drag))) }
        if !drag.isEmpty { actions += [.move(x: end.x, y: end.y, over: time), .release(drag)] }
        if wheel != 0 { actions.append(.scroll(wheel: wheel)) }
        if !click.isEmpty { actions.append(.click(click, count: count)) }
        if !release.isEmpty { actions.append(.release(release)) }
        return actions
    }

    private static func place(
        _ name: String, _ arguments: ActionArguments, _ isRaw: Bool
    ) throws(ModelError) -> Int? {
        if isRaw { return try arguments.integer(name, in: 0...Tablet.extent) }
        return try arguments.decimal(name, in: 0...1).map { Int(($0 * Double(Tablet.extent)).rounded()) }
    }
}
