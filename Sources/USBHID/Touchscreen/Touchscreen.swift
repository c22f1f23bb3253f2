public import HIDReports
import USBDeviceKit

/// A touchscreen of up to ten contacts, as Windows and Linux's hid-multitouch want one.
///
///     let at = TouchContact(TouchPoint(x: 0.5, y: 0.5))
///     screen.play(TouchGesture.tap([(0, at)])) { result in … }
///
/// As long as something touches, the frame is sent again every ``frameInterval``: hosts take a contact of which nothing
/// is heard for 100 ms for one whose end they missed. Used on the device's executor only.
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
    /// - Parameter completion: called on the device's executor when the host has seen it all, or will not; what the
    ///   frames have put down is then lifted.
    public func play(
        _ frames: [TouchFrame], completion: @escaping (Result<Void, InputScriptError>) -> Void = { _ in }
    ) {
        guard let link else { return completion(.failure(.notConfigured)) }
        var begun: Set<Int> = []
        for frame in frames {
            for case .down(let id, _) in frame.changes { begun.insert(id) }
        }
        let mine = begun.subtracting(reserved)
        reserved.formUnion(mine)
        let script = InputScript(
            count: frames.count, undo: { [unowned self] in show(begun.sorted().map { .up($0) }) },
            step: { index in
                InputScript.Step(pause: frames[index].pause) { [unowned self] in show(frames[index].changes) }
            })
        link.play(script) { [unowned self] result in
            reserved.subtract(mine)
            completion(result)
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
        slots += lifted.map { TouchReport.Slot(id: $0.key, isDown: false, contact: $0.value) }
        // Counts 100 µs, and rolls over.
        let time = UInt16(truncatingIfNeeded: (link?.now ?? 0) / 100_000)
        return format.bytes(slots.sorted { $0.id < $1.id }, time: time)
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
