import Glibc

/// Gestures as the frames that a touchscreen makes of them.
public enum TouchGesture {
    /// How long a tap touches.
    public static let tapTime = Duration.milliseconds(60)
    /// Between the taps of a double tap.
    public static let betweenTaps = Duration.milliseconds(100)

    /// Touches and lets go, with all contacts at once.
    ///
    /// - Parameters:
    ///   - contacts: by number.
    ///   - hold: how long.
    ///   - count: how often, 1 to 100.
    public static func tap(
        _ contacts: [(id: Int, contact: TouchContact)], hold: Duration = tapTime, count: Int = 1
    ) -> [TouchFrame] {
        let down = TouchFrame(contacts.map { .down($0.id, $0.contact) }, pause: hold)
        let up = contacts.map { TouchChange.up($0.id) }
        let count = min(max(count, 1), 100)
        return (1...count).flatMap { [down, TouchFrame(up, pause: $0 == count ? .zero : betweenTaps)] }
    }

    /// Touches, moves in straight lines, and lets go.
    ///
    /// - Parameters:
    ///   - lines: from where to where, by the contact's number.
    ///   - time: how long it takes, up to an hour; at once when zero.
    public static func swipe(
        _ lines: [(id: Int, from: TouchContact, to: TouchPoint)], over time: Duration
    ) -> TouchSequence {
        let (count, pause) = steps(over: time)
        let ways = lines.map { (id: $0.id, from: $0.from.point, to: $0.to) }
        return TouchSequence(count: count + 2, begun: Set(lines.map(\.id))) { index in
            switch index {
            case 0: TouchFrame(lines.map { .down($0.id, $0.from) }, pause: pause)
            case 1...count: frame(ways, index, of: count, pause)
            default: TouchFrame(lines.map { .up($0.id) })
            }
        }
    }

    /// Into how many frames a movement is divided, and the rest after each but the last.
    static func steps(over time: Duration) -> (count: Int, pause: Duration) {
        let time = min(max(time, .zero), PointerTiming.longest)
        let count = max(1, Int(time / Touchscreen.frameInterval))
        return (count, time / count)
    }

    static func frame(
        _ lines: [(id: Int, from: TouchPoint, to: TouchPoint)], _ index: Int, of count: Int, _ pause: Duration
    ) -> TouchFrame {
        let part = Double(index) / Double(count)
        return TouchFrame(
            lines.map { .move($0.id, to: index == count ? $0.to : $0.from.toward($0.to, part)) },
            pause: index == count ? .zero : pause)
    }

    /// The two ends of a line, where fingers that pinch are.
    ///
    /// - Parameters:
    ///   - center: the middle of the line.
    ///   - distance: its length, in parts of the surface's width.
    ///   - angle: its direction in degrees, clockwise from rightward.
    ///   - aspect: the surface's width, divided by its height.
    /// - Returns: nil when an end is not on the surface.
    public static func ends(
        around center: TouchPoint, distance: Double, angle: Double, aspect: Double
    ) -> (TouchPoint, TouchPoint)? {
        let radians = angle * .pi / 180
        let (x, y) = (cos(radians) * distance / 2, sin(radians) * distance / 2 * aspect)
        let ends = [(center.x - x, center.y - y), (center.x + x, center.y + y)]
        // Right at the edge, the sine of a round angle is a little beyond it.
        let range = -1e-9...1 + 1e-9
        guard ends.allSatisfy({ range.contains($0.0) && range.contains($0.1) }) else { return nil }
        return (TouchPoint(x: ends[0].0, y: ends[0].1), TouchPoint(x: ends[1].0, y: ends[1].1))
    }
}
