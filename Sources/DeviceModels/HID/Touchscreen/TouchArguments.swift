import CommandSupport
import USBHID

/// The arguments of `touch`, as places and contacts.
struct TouchArguments {
    let arguments: ActionArguments
    let screen: Touchscreen

    init(_ arguments: ActionArguments, _ screen: Touchscreen) {
        self.arguments = arguments
        self.screen = screen
    }

    func seconds(_ name: String) throws(ModelError) -> Duration? { try arguments.seconds(name, upTo: 3600) }

    func count() throws(ModelError) -> Int { try arguments.integer("count", in: 1...100) ?? 1 }

    /// The finger's number, where one is given.
    func number() throws(ModelError) -> Int? {
        try arguments.integer("contact", in: 0...(screen.configuration.contacts - 1))
    }

    /// One axis of a place; nil where it is not given.
    func coordinate(_ name: String) throws(ModelError) -> Double? { try arguments.decimal(name, in: 0...1) }

    /// A place; what is not given is taken from `fallback`, and without one must be.
    func place(_ x: String, _ y: String, default fallback: TouchPoint? = nil) throws(ModelError) -> TouchPoint {
        if fallback == nil {
            for name in [x, y] where !arguments.has(name) {
                throw ModelError("touch needs \(name): 0 to 1", key: name)
            }
        }
        return TouchPoint(
            x: try arguments.decimal(x, in: 0...1) ?? fallback?.x ?? 0,
            y: try arguments.decimal(y, in: 0...1) ?? fallback?.y ?? 0)
    }

    /// The fingers to put down: those of `contacts`, or the one at `x` and `y`.
    func contacts() throws(ModelError) -> [TouchContact] {
        guard arguments.has("contacts") else { return [try contact(try place("x", "y"))] }
        for name in ["x", "y", "contact"] where arguments.has(name) {
            throw ModelError("\(name) and contacts exclude each other", key: name)
        }
        var contacts: [TouchContact] = []
        for text in try arguments.list("contacts") {
            let parts = text.split(separator: "/", omittingEmptySubsequences: false).map { Double($0) }
            guard parts.count == 2, let x = parts[0], let y = parts[1], (0...1).contains(x), (0...1).contains(y) else {
                throw arguments.error("contacts", .string(text))
            }
            contacts.append(try contact(TouchPoint(x: x, y: y)))
        }
        guard !contacts.isEmpty else { throw arguments.error("contacts", .string("")) }
        return contacts
    }

    private func contact(_ point: TouchPoint) throws(ModelError) -> TouchContact {
        var contact = TouchContact(point)
        contact.size = try arguments.decimal("size", in: 0.1...100) ?? contact.size
        contact.pressure = try arguments.decimal("pressure", in: 0...1) ?? contact.pressure
        return contact
    }

    /// Gives contacts the numbers that are free.
    func numbered(_ contacts: [TouchContact]) throws(ModelError) -> [(id: Int, contact: TouchContact)] {
        guard let free = screen.freeContacts(contacts.count) else {
            throw ModelError(
                "there are not \(contacts.count) contacts free: the device has \(screen.configuration.contacts), of "
                    + "which \(screen.contacts.count) touch; gesture=up lifts them",
                key: "contacts")
        }
        return zip(free, contacts).map { (id: $0, contact: $1) }
    }

    /// The contacts meant by `contact`: those that touch when it is not given.
    ///
    /// - Parameter only: whether it must be a single one.
    func touching(only: Bool) throws(ModelError) -> [Int] {
        let touching = screen.contacts.keys.sorted()
        let list = touching.isEmpty ? "nothing" : touching.map { "\($0)" }.joined(separator: ", ")
        if let id = try number() {
            guard touching.contains(id) else {
                throw ModelError("contact=\(id) does not touch; what touches: \(list)", key: "contact")
            }
            return [id]
        }
        guard !touching.isEmpty, !only || touching.count == 1 else {
            throw ModelError("touch needs contact: what touches: \(list)", key: "contact")
        }
        return touching
    }

    /// Where a swipe ends: the first contact at `to-x`, `to-y`, the others as far from it as they began.
    func ends(of contacts: [TouchContact]) throws(ModelError) -> [TouchPoint] {
        guard arguments.has("to-x") || arguments.has("to-y") else {
            throw ModelError("touch needs to-x or to-y: where the swipe goes, 0 to 1", key: "to-x")
        }
        let first = contacts[0].point
        let end = try place("to-x", "to-y", default: first)
        var ends: [TouchPoint] = []
        for contact in contacts {
            let (x, y) = (contact.point.x + end.x - first.x, contact.point.y + end.y - first.y)
            let range = -1e-9...1 + 1e-9
            guard range.contains(x), range.contains(y) else {
                throw ModelError(
                    "to-x=\(end.x), to-y=\(end.y) would take a contact off the surface, to \(x)/\(y)", key: "to-x")
            }
            ends.append(TouchPoint(x: x, y: y))
        }
        return ends
    }

    /// Two fingers toward each other, or apart, or about their middle.
    func pinch(over time: Duration) throws(ModelError) -> TouchSequence {
        let center = try place("x", "y", default: TouchPoint(x: 0.5, y: 0.5))
        let distance = try arguments.decimal("distance", in: 0...2) ?? 0.3
        let last = try arguments.decimal("to-distance", in: 0...2) ?? 0.1
        let angle = try arguments.decimal("angle", in: -360...360) ?? 0
        let lastAngle = try arguments.decimal("to-angle", in: -360...360) ?? angle
        let aspect = Double(screen.configuration.width) / Double(screen.configuration.height)
        let first = try contact(center)
        let ids = try numbered([first, first]).map(\.id)

        // A rotation is no straight line: each step is a place of its own on the way.
        let steps = max(1, min(360_000, Int(time / Touchscreen.frameInterval)))
        func line(_ step: Int) -> (length: Double, turn: Double) {
            let part = Double(step) / Double(steps)
            return (distance + (last - distance) * part, angle + (lastAngle - angle) * part)
        }
        func ends(_ step: Int) -> (TouchPoint, TouchPoint)? {
            let (length, turn) = line(step)
            return TouchGesture.ends(around: center, distance: length, angle: turn, aspect: aspect)
        }
        for step in 0...steps {
            guard ends(step) != nil else {
                let (length, turn) = line(step)
                throw ModelError(
                    "distance=\(length) at \(turn) degrees is off the surface, around \(center.x)/\(center.y)",
                    key: step == 0 ? "distance" : "to-distance")
            }
        }
        return TouchSequence(count: steps + 2, begun: Set(ids)) { step in
            guard step <= steps, let ends = ends(step) else { return TouchFrame(ids.map { .up($0) }) }
            var contacts = [first, first]
            contacts[0].point = ends.0
            contacts[1].point = ends.1
            let changes: [TouchChange] =
                step == 0
                ? [.down(ids[0], contacts[0]), .down(ids[1], contacts[1])]
                : [.move(ids[0], to: ends.0), .move(ids[1], to: ends.1)]
            return TouchFrame(changes, pause: step == steps ? .zero : time / steps)
        }
    }
}
