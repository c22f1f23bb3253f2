/// A place on a touchscreen, in parts of its width and height: 0, 0 is the top left, 1, 1 the bottom right.
public struct TouchPoint: Hashable, Sendable {
    /// Rightward, 0 to 1; what is beyond is cut off.
    public let x: Double
    /// Downward, 0 to 1; what is beyond is cut off.
    public let y: Double

    /// Makes a place.
    public init(x: Double, y: Double) {
        self.x = Self.fraction(x)
        self.y = Self.fraction(y)
    }

    private static func fraction(_ value: Double) -> Double { value.isFinite ? min(max(value, 0), 1) : 0 }

    /// The place that far on the way to another, 0 to 1.
    func toward(_ end: TouchPoint, _ part: Double) -> TouchPoint {
        TouchPoint(x: x + (end.x - x) * part, y: y + (end.y - y) * part)
    }
}

/// A finger on the glass.
public struct TouchContact: Hashable, Sendable {
    /// Where.
    public var point: TouchPoint
    /// How wide and high it is, in millimetres.
    public var size = 8.0
    /// How hard it presses, 0 to 1.
    public var pressure = 0.5

    /// Makes a contact of a finger's usual size.
    public init(_ point: TouchPoint) { self.point = point }
}

/// What changes from one frame to the next: contacts by number, from 0.
public enum TouchChange: Hashable, Sendable {
    /// A contact begins.
    case down(Int, TouchContact)
    /// A contact goes elsewhere.
    case move(Int, to: TouchPoint)
    /// A contact ends.
    case up(Int)
}

/// Changes that a host sees at once, and the rest after them.
public struct TouchFrame: Hashable, Sendable {
    /// What changes.
    public var changes: [TouchChange]
    /// How long until the next frame.
    public var pause: Duration

    /// Makes a frame.
    public init(_ changes: [TouchChange], pause: Duration = .zero) {
        self.changes = changes
        self.pause = pause
    }
}

/// Frames that are made one by one, so that a long gesture is not all in memory.
public struct TouchSequence {
    /// How many there are.
    public let count: Int
    /// The numbers of the contacts that they put down.
    public let begun: Set<Int>
    let frame: (Int) -> TouchFrame

    /// Makes a sequence.
    ///
    /// - Parameters:
    ///   - count: how many frames.
    ///   - begun: the numbers of all contacts that they put down.
    ///   - frame: makes the frame of an index; called once for each, in order, when its turn has come.
    public init(count: Int, begun: Set<Int>, frame: @escaping (Int) -> TouchFrame) {
        self.count = max(0, count)
        self.begun = begun
        self.frame = frame
    }

    /// Makes a sequence of frames that are at hand.
    public init(_ frames: [TouchFrame]) {
        var begun: Set<Int> = []
        for frame in frames {
            for case .down(let id, _) in frame.changes { begun.insert(id) }
        }
        self.init(count: frames.count, begun: begun) { frames[$0] }
    }
}
