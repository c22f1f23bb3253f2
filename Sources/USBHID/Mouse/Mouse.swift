public import HIDReports

/// A mouse of five buttons, with a wheel that can also be tilted; a boot mouse as well (HID 1.11 appendix B.2).
///
///     let mouse = Mouse()
///     let device = try GadgetDevice(HIDGadget(HIDGadget.Configuration(), functions: [mouse]))
///     mouse.play([.move(dx: 300, dy: -20), .click(.left, count: 2)]) { result in … }
///
/// Used on the device's executor only.
public final class Mouse: HIDFunction {
    /// Something that a hand does with a mouse.
    public enum Action: Hashable, Sendable {
        /// Holds buttons down.
        case press(PointerButtons)
        /// Lets go of buttons.
        case release(PointerButtons)
        /// Presses and lets go, so many times; 1 to 100.
        case click(PointerButtons, count: Int = 1)
        /// Moves by counts, rightward and downward, at most ``travelLimit`` either way.
        ///
        /// Without a time it is as fast as the host asks: in as few reports as can say it.
        case move(dx: Int, dy: Int, over: Duration = .zero)
        /// Turns the wheel away from the user and tilts it to the right, in detents, at most ``turnLimit`` either way.
        ///
        /// Rounded to what the wheel can say when it turns: see ``wheelCounts`` and ``tiltCounts``.
        case scroll(wheel: Double, tilt: Double, over: Duration = .zero)
    }

    /// The farthest that one movement goes, in counts.
    public static let travelLimit = 1_000_000
    /// The most detents of one turn.
    public static let turnLimit = 10_000.0

    /// See ``HIDFunction/interface``.
    public let interface: HIDInterface
    /// The buttons that are held.
    public private(set) var buttons: PointerButtons = []
    /// Whether hosts can have parts of a detent.
    public let hasHighResolution: Bool
    private var link: HIDLink?
    /// The multipliers that the host has turned on: bit 0 the wheel's, bit 1 the tilt's.
    private var multipliers: UInt8 = 0

    /// Makes a mouse.
    ///
    /// - Parameters:
    ///   - highResolution: whether hosts can have parts of a detent, 120 to each.
    ///   - every: how often the host asks.
    public init(highResolution: Bool = true, every: Duration = .milliseconds(1)) {
        hasHighResolution = highResolution
        interface = HIDInterface(
            MouseFormat.descriptor(highResolution: highResolution), boot: .mouse, every: every)
    }

    /// How many parts of a detent the wheel tells apart: 120 once a host has turned that on, 0 in the boot protocol.
    public var wheelCounts: Int { counts(multiplier: 1) }

    /// How many parts of a detent the tilt tells apart, as ``wheelCounts``.
    public var tiltCounts: Int { counts(multiplier: 2) }

    private func counts(multiplier: UInt8) -> Int {
        guard format != .boot else { return 0 }
        return multipliers & multiplier == 0 ? 1 : MouseFormat.countsPerDetent
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
            send(MouseReport())
        }
        var script = InputScript(actions.map(part), begin: begin, undo: undo)
        script.isWanted = isWanted
        link.play(script, completion: completion)
    }

    private func part(_ action: Action) -> ScriptPart {
        switch action {
        case .press(let pressed):
            return ScriptPart([step { $0.formUnion(pressed) }])
        case .release(let released):
            return ScriptPart([step { $0.subtract(released) }])
        case .click(let clicked, let count):
            return ScriptPart(
                (0..<min(max(count, 0), 100)).flatMap { index in
                    let isLast = index == count - 1
                    return [
                        step(pause: PointerTiming.click) { $0.formUnion(clicked) },
                        step(pause: isLast ? .zero : PointerTiming.betweenClicks) { $0.subtract(clicked) },
                    ]
                })
        case .move(let dx, let dy, let time):
            let limit = Self.travelLimit
            let movement = MouseReport(dx: min(max(dx, -limit), limit), dy: min(max(dy, -limit), limit))
            return part(farthest: max(abs(movement.dx), abs(movement.dy)), over: time) { movement }
        case .scroll(let wheel, let tilt, let time):
            // No wheel says less in a report than the plain one, which counts detents.
            let farthest = max(abs(Self.turn(wheel, 1)), abs(Self.turn(tilt, 1)))
            return part(farthest: farthest, over: time) { [unowned self] in
                MouseReport(wheel: Self.turn(wheel, wheelCounts), tilt: Self.turn(tilt, tiltCounts))
            }
        }
    }

    /// Detents in the parts that can be told apart.
    private static func turn(_ detents: Double, _ counts: Int) -> Int {
        guard detents.isFinite else { return 0 }
        return Int((min(max(detents, -turnLimit), turnLimit) * Double(counts)).rounded())
    }

    private func step(
        pause: Duration = .zero, _ change: @escaping (inout PointerButtons) -> Void
    ) -> InputScript.Step {
        InputScript.Step(pause: pause) { [unowned self] in
            change(&buttons)
            send(MouseReport())
        }
    }

    /// The most reports of one step.
    private static let stepReports = 64

    /// A movement, which is known only when its turn has come: the host may choose another form until then.
    ///
    /// - Parameter farthest: the longest way of its axes, where a report says the least: 127 counts or detents.
    private func part(
        farthest: Int, over time: Duration, _ movement: @escaping () -> MouseReport
    ) -> ScriptPart {
        guard time > .zero else {
            var rest: MouseReport?
            return ScriptPart(count: max(1, farthest.shareCount(atMost: 127 * Self.stepReports))) { index in
                InputScript.Step { [unowned self] in
                    var left = rest ?? movement()
                    guard index == 0 || !left.isStill else { return }
                    for piece in format.pieces(of: left).prefix(Self.stepReports) {
                        send(piece)
                        left.subtract(piece)
                    }
                    rest = left
                }
            }
        }
        let count = PointerTiming.steps(over: time)
        let pause = min(time, PointerTiming.longest) / count
        var shares: MouseShares?
        return ScriptPart(count: count + 1) { index in
            InputScript.Step(pause: index == count ? .zero : pause) { [unowned self] in
                guard index > 0, let share = shares?.next() else {
                    shares = MouseShares(of: movement(), into: count)
                    return
                }
                if !share.isStill { send(share) }
            }
        }
    }

    /// Sends a movement with the buttons as they are; in several reports where the protocol has changed meanwhile.
    private func send(_ movement: MouseReport) {
        let format = format
        for piece in format.pieces(of: movement) {
            var report = piece
            report.buttons = buttons
            link?.send(format.bytes(report))
        }
    }

    private var format: MouseFormat {
        link?.usesBootProtocol == true ? .boot : hasHighResolution ? .highResolution : .plain
    }
}

// MARK: - HIDFunction

extension Mouse {
    /// See ``HIDFunction/attached(to:)``.
    public func attached(to link: HIDLink) { self.link = link }

    /// See ``HIDFunction/report(_:id:)``.
    public func report(_ kind: ReportKind, id: UInt8) -> [UInt8]? {
        switch kind {
        case .input: format.bytes(MouseReport(buttons: buttons))
        case .feature: hasHighResolution ? [MouseFormat.reportID, multipliers] : nil
        case .output: nil
        }
    }

    /// Takes the resolution multipliers (HID Usage Tables §4.3.1).
    public func receive(_ kind: ReportKind, id: UInt8, _ bytes: [UInt8]) -> Bool {
        guard kind == .feature, hasHighResolution, bytes.count >= 2 else { return false }
        multipliers = bytes[1] & 3
        return true
    }

    /// See ``HIDFunction/correction(of:id:)``: the buttons, since movements are past.
    public func correction(of told: [UInt8], id: UInt8) -> [UInt8]? {
        let report = format.bytes(MouseReport(buttons: buttons))
        let count = format == .highResolution ? 2 : 1
        return told.prefix(count) == report.prefix(count) ? nil : report
    }

    /// See ``HIDFunction/reset()``.
    public func reset() { multipliers = 0 }

    /// See ``HIDFunction/configured(_:)``: a button that is held still is, and a new host does not know it.
    public func configured(_ isConfigured: Bool) {
        if isConfigured, !buttons.isEmpty { send(MouseReport()) }
    }

    /// Lets go of the buttons: no host knows that they are held.
    public func disconnected() {
        buttons = []
        multipliers = 0
    }
}
