public import HIDReports

/// An absolute pointer, as virtual machines have one: a mouse whose X and Y are places on a surface.
///
///     tablet.play([.move(x: 16_384, y: 16_384), .click(.left)]) { result in … }
///
/// Used on the device's executor only.
public final class Tablet: HIDFunction {
    /// Something that is done with the pointer.
    public enum Action: Hashable, Sendable {
        /// Holds buttons down.
        case press(PointerButtons)
        /// Lets go of buttons.
        case release(PointerButtons)
        /// Presses and lets go, so many times; 1 to 100.
        case click(PointerButtons, count: Int = 1)
        /// Goes to a place, 0 to ``extent`` on each axis, nil for where it then is: at once, or in a straight line that
        /// takes so long.
        case move(x: Int?, y: Int?, over: Duration = .zero)
        /// Turns the wheel away from the user, in detents, -10000 to 10000.
        case scroll(wheel: Int)
    }

    /// The last place on each axis; the first is 0, at the top left.
    public static let extent = 32_767

    /// See ``HIDFunction/interface``.
    public let interface: HIDInterface
    /// How many buttons there are, 3 to 5.
    public let buttonCount: Int
    /// The buttons that are held.
    public private(set) var buttons: PointerButtons = []
    /// Where the pointer is.
    public private(set) var place: (x: Int, y: Int) = (0, 0)
    private var link: HIDLink?

    /// Makes a tablet.
    ///
    /// - Parameters:
    ///   - buttons: how many, 3 to 5.
    ///   - every: how often the host asks.
    public init(buttons: Int = 3, every: Duration = .milliseconds(1)) {
        let count = min(max(buttons, 3), 5)
        buttonCount = count
        interface = HIDInterface(Self.descriptor(buttons: count), every: every)
    }

    private static func descriptor(buttons: Int) -> ReportDescriptor {
        ReportDescriptor {
            ReportCollection(.application, .mouse) {
                ReportCollection(.physical, .pointer) {
                    Input(.buttons(1...UInt16(buttons)))
                    Padding(.input, bits: 8 - buttons)
                    Input(.x, .y, logical: 0...Int32(extent), physical: 0...Int32(extent), size: 16)
                    Input(.wheel, logical: -127...127, size: 8, flags: [.variable, .relative])
                }
            }
        }
    }

    /// Does things one after the other, once what was to be done before is done.
    ///
    /// - Parameters:
    ///   - completion: called on the device's executor when the host has seen it all, or will not; buttons that
    ///     were not held before are then let go of.
    ///   - isWanted: whether anybody still waits for it; see ``InputScript/isWanted``.
    public func play(
        _ actions: [Action], completion: @escaping (Result<Void, InputScriptError>) -> Void = { _ in },
        isWanted: (() -> Bool)? = nil
    ) {
        guard let link else { return completion(.failure(.notConfigured)) }
        var before: PointerButtons?
        let begin = { [unowned self] in before = buttons }
        let undo = { [unowned self] in
            guard let before, before != buttons else { return }
            buttons = before
            send()
        }
        var script = InputScript(actions.map(part), begin: begin, undo: undo)
        script.isWanted = isWanted
        link.play(script, completion: completion)
    }

    private func part(_ action: Action) -> ScriptPart {
        switch action {
        case .press(let pressed):
            return ScriptPart([step { $0.buttons.formUnion($0.existing(pressed)) }])
        case .release(let released):
            return ScriptPart([step { $0.buttons.subtract(released) }])
        case .click(let clicked, let count):
            return ScriptPart(
                (0..<min(max(count, 0), 100)).flatMap { index in
                    let isLast = index == count - 1
                    return [
                        step(pause: PointerTiming.click) { $0.buttons.formUnion($0.existing(clicked)) },
                        step(pause: isLast ? .zero : PointerTiming.betweenClicks) { $0.buttons.subtract(clicked) },
                    ]
                })
        case .move(let x, let y, let time): return line(x, y, over: time)
        case .scroll(let detents):
            let total = min(max(detents, -10_000), 10_000)
            let count = total.shareCount(atMost: 127)
            var shares = EvenShares(of: total, into: count)
            return ScriptPart(count: count) { _ in
                let share = shares.next()
                return InputScript.Step { [unowned self] in send(wheel: share) }
            }
        }
    }

    private func line(_ x: Int?, _ y: Int?, over time: Duration) -> ScriptPart {
        let (x, y) = (x.map { min(max($0, 0), Self.extent) }, y.map { min(max($0, 0), Self.extent) })
        guard time > .zero else {
            return ScriptPart([step { $0.place = (x ?? $0.place.x, y ?? $0.place.y) }])
        }
        let count = PointerTiming.steps(over: time)
        let pause = min(time, PointerTiming.longest) / count
        var (start, end) = ((x: 0, y: 0), (x: 0, y: 0))
        return ScriptPart(count: count + 1) { index in
            InputScript.Step(pause: index == count ? .zero : pause) { [unowned self] in
                // Where it is and where it goes is known only when those before it have moved it.
                if index == 0 { (start, end) = (place, (x ?? place.x, y ?? place.y)) }
                let next = (
                    x: start.x + (end.x - start.x) * index / count, y: start.y + (end.y - start.y) * index / count
                )
                guard next != place else { return }
                place = next
                send()
            }
        }
    }

    private func step(pause: Duration = .zero, _ change: @escaping (Tablet) -> Void) -> InputScript.Step {
        InputScript.Step(pause: pause) { [unowned self] in
            change(self)
            send()
        }
    }

    private func existing(_ buttons: PointerButtons) -> PointerButtons {
        PointerButtons(rawValue: buttons.rawValue & (1 << UInt8(buttonCount) - 1))
    }

    private func send(wheel: Int = 0) { link?.send(bytes(wheel: wheel)) }

    private func bytes(wheel: Int = 0) -> [UInt8] {
        [
            buttons.rawValue, UInt8(truncatingIfNeeded: place.x), UInt8(truncatingIfNeeded: place.x >> 8),
            UInt8(truncatingIfNeeded: place.y), UInt8(truncatingIfNeeded: place.y >> 8),
            UInt8(truncatingIfNeeded: wheel),
        ]
    }
}

// MARK: - HIDFunction

extension Tablet {
    /// See ``HIDFunction/attached(to:)``.
    public func attached(to link: HIDLink) { self.link = link }

    /// See ``HIDFunction/report(_:id:)``.
    public func report(_ kind: ReportKind, id: UInt8) -> [UInt8]? { kind == .input ? bytes() : nil }

    /// See ``HIDFunction/correction(of:id:)``: all but the wheel, which has turned.
    public func correction(of told: [UInt8], id: UInt8) -> [UInt8]? {
        let report = bytes()
        return told.prefix(5) == report.prefix(5) ? nil : report
    }

    /// See ``HIDFunction/configured(_:)``: a button that is held still is, and a new host does not know it.
    public func configured(_ isConfigured: Bool) {
        if isConfigured, !buttons.isEmpty { send() }
    }

    /// Lets go of the buttons: no host knows that they are held.
    public func disconnected() { buttons = [] }
}
