import CommandSupport
import USBHID

/// What a touchscreen can be told to do: `touch`.
enum TouchAction {
    private enum Gesture: String, CaseIterable {
        case tap, down, move, up, swipe, pinch
    }

    private static func summary(_ contacts: Int) -> DeviceAction.Summary {
        DeviceAction.Summary(
            "touch", "touches: places are parts of the surface, 0 to 1 from the left and from the top",
            [
                ActionParameter(
                    "gesture", Gesture.allCases.map(\.rawValue).joined(separator: "|"), default: "tap",
                    "tap, swipe and pinch let go again; down, move and up are parts of a gesture of one's own"),
                ActionParameter("x", "0 to 1", default: "none", "where; of a pinch the middle"),
                ActionParameter("y", "0 to 1", default: "none", "where; of a pinch the middle"),
                ActionParameter("to-x", "0 to 1", default: "x", "where a swipe goes"),
                ActionParameter("to-y", "0 to 1", default: "y", "where a swipe goes"),
                ActionParameter(
                    "contacts", "X/Y,X/Y,… each 0 to 1", default: "none",
                    "several fingers to tap, swipe or put down, instead of x and y; in a swipe the first goes to to-x, "
                        + "to-y, and the others beside it"),
                ActionParameter(
                    "contact", "0 to \(contacts - 1)",
                    default: "down: the first that is free; move, up: those that touch",
                    "the finger's number"),
                ActionParameter("hold", "0 to 3600", default: "0.06", "seconds that a tap touches: 1 for a long press"),
                ActionParameter("count", "1 to 100", default: "1", "how often to tap"),
                ActionParameter("duration", "0 to 3600", default: "0.3, of a move 0", "seconds that a movement takes"),
                ActionParameter(
                    "distance", "0 to 2", default: "0.3", "parts of the width between the fingers of a pinch at first"),
                ActionParameter(
                    "to-distance", "0 to 2", default: "0.1", "parts of the width between them at last; more zooms in"),
                ActionParameter(
                    "angle", "-360 to 360", default: "0", "degrees of a pinch's line, clockwise from level"),
                ActionParameter("to-angle", "-360 to 360", default: "angle", "degrees at last: another one rotates"),
                ActionParameter("size", "0.1 to 100", default: "8", "millimetres of a finger"),
                ActionParameter("pressure", "0 to 1", default: "0.5", "how hard it presses"),
            ])
    }

    static func action(of screen: Touchscreen) -> DeviceAction {
        let summary = summary(screen.configuration.contacts)
        return DeviceAction(summary) { (arguments: ActionArguments, reply: ActionReply) throws(ModelError) in
            let gesture =
                try arguments.choice("gesture", Gesture.allCases.map { ($0.rawValue, $0) }) ?? .tap
            try refuseOthers(arguments, gesture)
            let frames = try frames(TouchArguments(arguments, screen), gesture)
            screen.play(frames) { [unowned screen] result in
                reply.finish(result, [("touching", .array(screen.contacts.keys.sorted().map { .number($0) }))])
            } isWanted: {
                reply.isWanted
            }
        }
    }

    /// Refuses what a gesture has no use for, rather than to leave it out of account.
    private static func refuseOthers(_ arguments: ActionArguments, _ gesture: Gesture) throws(ModelError) {
        let used: [String] =
            switch gesture {
            case .tap: ["x", "y", "contacts", "hold", "count", "size", "pressure"]
            case .down: ["x", "y", "contacts", "contact", "size", "pressure"]
            case .move: ["x", "y", "contact", "duration"]
            case .up: ["contact"]
            case .swipe: ["x", "y", "contacts", "to-x", "to-y", "duration", "size", "pressure"]
            case .pinch:
                ["x", "y", "distance", "to-distance", "angle", "to-angle", "duration", "size", "pressure"]
            }
        let all = [
            "x", "y", "to-x", "to-y", "contacts", "contact", "hold", "count", "duration", "distance", "to-distance",
            "angle", "to-angle", "size", "pressure",
        ]
        for name in all where arguments.has(name) && !used.contains(name) {
            throw ModelError(
                "\(name) is not for gesture=\(gesture.rawValue), which has \(used.joined(separator: ", "))", key: name)
        }
    }

    private static func frames(_ touch: TouchArguments, _ gesture: Gesture) throws(ModelError) -> TouchSequence {
        switch gesture {
        case .tap:
            return TouchSequence(
                TouchGesture.tap(
                    try touch.numbered(try touch.contacts()), hold: try touch.seconds("hold") ?? TouchGesture.tapTime,
                    count: try touch.count()))
        case .down:
            let contacts = try touch.contacts()
            if let id = try touch.number() {
                guard contacts.count == 1, !touch.screen.contacts.keys.contains(id) else {
                    throw ModelError("contact=\(id) touches already, or is to be at several places", key: "contact")
                }
                return TouchSequence([TouchFrame([.down(id, contacts[0])])])
            }
            return TouchSequence([TouchFrame(try touch.numbered(contacts).map { .down($0.id, $0.contact) })])
        case .move:
            let id = try touch.touching(only: true)[0]
            return touch.screen.moving(
                id, x: try touch.coordinate("x"), y: try touch.coordinate("y"),
                over: try touch.seconds("duration") ?? .zero)
        case .up:
            return TouchSequence([TouchFrame(try touch.touching(only: false).map { .up($0) })])
        case .swipe:
            let contacts = try touch.contacts()
            let ends = try touch.ends(of: contacts)
            let lines = try touch.numbered(contacts).enumerated().map { ($1.id, $1.contact, ends[$0]) }
            return TouchGesture.swipe(lines, over: try touch.seconds("duration") ?? .milliseconds(300))
        case .pinch:
            return try touch.pinch(over: try touch.seconds("duration") ?? .milliseconds(300))
        }
    }
}
