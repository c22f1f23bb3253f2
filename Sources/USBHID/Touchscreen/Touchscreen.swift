public import HIDReports
import USBDeviceKit

/// A touchscreen of up to ten contacts, as Windows and Linux's hid-multitouch want one.
///
///     let at = TouchContact(TouchPoint(x: 0.5, y: 0.5))
///     screen.play(TouchGesture.tap([(0, at)])) { result in … }
///
/// As long as something touches, the frame is sent again every ``frameInterval``, as real screens do: Windows takes a
/// contact of which it hears nothing for one whose end it missed. Linux does so only of screens with the certification
/// blob of Windows 8, which this one is without; there it is of the default class (MT_CLS_DEFAULT). Used on the
/// device's executor only.
public final class Touchscreen: HIDFunction {
    /// What a touchscreen is.
    public struct Configuration: Hashable, Sendable {
        /// How many contacts it tells apart, 1 to 10.
        public var contacts = 10
        /// Its width in millimetres, 10 to 10000.
        public var width = 345
        /// Its height in millimetres, 10 to 10000.
        public var height = 194
        /// How often the host asks.
        public var every = Duration.milliseconds(4)

        /// Makes the default configuration: a laptop's.
        public init() {}
    }

    /// From one frame to the next: 100 a second.
    public static let frameInterval = Duration.milliseconds(10)

    /// See ``HIDFunction/interface``.
    public let interface: HIDInterface
    /// What it is.
    public let configuration: Configuration
    /// What touches now, by number.
    public private(set) var contacts: [Int: TouchContact] = [:]
    private let format: TouchReport
    /// The contacts of gestures that have not ended.
    private var reserved: Set<Int> = []
    private var link: HIDLink?
    private var alarm: Alarm?

    /// Makes a touchscreen; what is out of range becomes the nearest that is not.
    public init(_ configuration: Configuration = Configuration()) {
        var configuration = configuration
        configuration.contacts = min(max(configuration.contacts, 1), 10)
        configuration.width = min(max(configuration.width, 10), 10_000)
        configuration.height = min(max(configuration.height, 10), 10_000)
        self.configuration = configuration
        format = TouchReport(
            contacts: configuration.contacts, width: configuration.width, height: configuration.height)
        interface = HIDInterface(format.descriptor, every: configuration.every)
    }

    /// The lowest numbers of contacts that neither touch nor are part of a gesture that goes on; nil when there are not
    /// so many.
    public func freeContacts(_ count: Int) -> [Int]? {
        let free = (0..<configuration.contacts).filter { contacts[$0] == nil && !reserved.contains($0) }
        return free.count >= count ? Array(free.prefix(max(0, count))) : nil
    }

    /// Shows frames one after the other, once those before them have been seen.
    ///
    /// A contact that does not touch is neither moved nor lifted, and numbers beyond the most contacts are left out.
    ///
    /// - Parameters:
    ///   - completion: called on the device's executor when the host has seen it all, or will not; what the
    ///     frames have put down is then lifted.
    ///   - isWanted: whether anybody still waits for it; see ``InputScript/isWanted``.
    public func play(
        _ frames: [TouchFrame], completion: @escaping (Result<Void, InputScriptError>) -> Void = { _ in },
        isWanted: (() -> Bool)? = nil
    ) {
        play(TouchSequence(frames), completion: completion, isWanted: isWanted)
    }

    /// Shows frames that are made one by one, in the same way.
    public func play(
        _ frames: TouchSequence, completion: @escaping (Result<Void, InputScriptError>) -> Void = { _ in },
        isWanted: (() -> Bool)? = nil
    ) {
        guard let link else { return completion(.failure(.notConfigured)) }
        let begun = frames.begun
        let mine = begun.subtracting(reserved)
        reserved.formUnion(mine)
        var script = InputScript(
            count: frames.count, undo: { [unowned self] in show(begun.sorted().map { .up($0) }) },
            step: { index in
                let frame = frames.frame(index)
                return InputScript.Step(pause: frame.pause) { [unowned self] in show(frame.changes) }
            })
        script.isWanted = isWanted
        link.play(script) { [unowned self] result in
            reserved.subtract(mine)
            completion(result)
        }
    }

    /// Frames that move a contact that touches in a straight line, from where it is when they begin.
    ///
    /// - Parameters:
    ///   - id: the contact's number.
    ///   - x: where to, 0 to 1; nil for where it then is.
    ///   - y: where to, 0 to 1; nil for where it then is.
    ///   - time: how long it takes, up to an hour; at once when zero.
    public func moving(_ id: Int, x: Double?, y: Double?, over time: Duration) -> TouchSequence {
        let (count, pause) = TouchGesture.steps(over: time)
        var (start, end) = (TouchPoint(x: 0, y: 0), TouchPoint(x: 0, y: 0))
        return TouchSequence(count: count + 1, begun: []) { [unowned self] index in
            guard index > 0 else {
                start = contacts[id]?.point ?? start
                end = TouchPoint(x: x ?? start.x, y: y ?? start.y)
                return TouchFrame([], pause: pause)
            }
            return TouchGesture.frame([(id, start, end)], index, of: count, pause)
        }
    }

    /// Makes the changes and sends the frame.
    private func show(_ changes: [TouchChange]) {
        var lifted: [Int: TouchContact] = [:]
        for change in changes {
            switch change {
            case .down(let id, let contact):
                guard (0..<configuration.contacts).contains(id) else { continue }
                contacts[id] = contact
            case .move(let id, let point): contacts[id]?.point = point
            case .up(let id): lifted[id] = contacts.removeValue(forKey: id)
            }
        }
        guard !changes.isEmpty, !contacts.isEmpty || !lifted.isEmpty else { return }
        link?.send(bytes(lifted: lifted))
        keepTelling()
    }

    private func bytes(lifted: [Int: TouchContact] = [:]) -> [UInt8] {
        var slots = contacts.map { TouchReport.Slot(id: $0.key, isDown: true, contact: $0.value) }
        // That a contact is not among them does not tell every host that it was lifted.
        let lifted = lifted.merging(unheard) { known, _ in known }.filter { contacts[$0.key] == nil }
        slots += lifted.map { TouchReport.Slot(id: $0.key, isDown: false, contact: $0.value) }
        // Counts 100 µs, and rolls over.
        let time = UInt16(truncatingIfNeeded: (link?.now ?? 0) / 100_000)
        return format.bytes(slots.sorted { $0.id < $1.id }, time: time)
    }

    /// The contacts that the host takes for down and that are not: the frame that lifted them was not fetched.
    private var unheard: [Int: TouchContact] {
        guard let told = link?.told(TouchReport.inputID) else { return [:] }
        return format.touching(in: told).filter { contacts[$0.key] == nil }
    }

    private func keepTelling() {
        guard let link, let alarm else { return }
        if contacts.isEmpty {
            alarm.cancel()
        } else {
            alarm.set(at: link.now &+ Self.frameInterval.nanoseconds)
        }
    }

    private func tellAgain() {
        guard let link, !contacts.isEmpty else { return }
        // A host that has not asked since would find out nothing new.
        if link.isConfigured, link.unfetchedCount == 0 { link.send(bytes()) }
        keepTelling()
    }
}

// MARK: - HIDFunction

extension Touchscreen {
    /// See ``HIDFunction/attached(to:)``.
    public func attached(to link: HIDLink) { self.link = link }

    /// See ``HIDFunction/report(_:id:)``.
    public func report(_ kind: ReportKind, id: UInt8) -> [UInt8]? {
        switch (kind, id) {
        case (.input, TouchReport.inputID): bytes()
        case (.feature, TouchReport.maximumID):
            [TouchReport.maximumID, UInt8(truncatingIfNeeded: configuration.contacts)]
        default: nil
        }
    }

    /// See ``HIDFunction/correction(of:id:)``: a frame that lifts what the host has not heard the end of.
    public func correction(of told: [UInt8], id: UInt8) -> [UInt8]? {
        id == TouchReport.inputID && Set(format.touching(in: told).keys) != Set(contacts.keys) ? bytes() : nil
    }

    /// See ``HIDFunction/connected()``.
    public func connected() {
        let reference = WeakTouchscreen(self)
        alarm = link?.makeAlarm { reference.screen?.tellAgain() }
    }

    /// Lifts every contact: no host knows of them.
    public func disconnected() {
        contacts = [:]
        alarm?.cancel()
        alarm = nil
    }

    /// Lets an alarm find its touchscreen without keeping it.
    ///
    /// `@unchecked Sendable`: only used on the device's executor.
    private final class WeakTouchscreen: @unchecked Sendable {
        weak var screen: Touchscreen?
        init(_ screen: Touchscreen) { self.screen = screen }
    }
}
