public import HIDReports

/// A gamepad: two sticks, two triggers, a directional pad, buttons, and motors that its host can turn.
///
///     pad.play([
///         .init(pause: .milliseconds(50)) { $0.buttons.insert(.a) },
///         .init { $0.buttons.remove(.a) },
///     ]) { result in … }
///
/// Used on the device's executor only.
public final class Gamepad: HIDFunction {
    /// One change of how it is held, and the rest after it.
    public struct Step {
        /// How long until the next.
        public var pause: Duration
        /// What changes.
        public var change: (inout GamepadState) -> Void

        /// Makes a step.
        public init(pause: Duration = .zero, _ change: @escaping (inout GamepadState) -> Void) {
            self.pause = pause
            self.change = change
        }
    }

    /// What kind it is.
    public let kind: GamepadKind
    /// See ``HIDFunction/interface``.
    public let interface: HIDInterface
    /// How it is held.
    public private(set) var state = GamepadState()
    /// What the host last asked of the motors.
    public private(set) var rumble = GamepadRumble()
    /// Called with each report for the motors, and when they stop because the host has gone or begins anew.
    public var onRumble: (GamepadRumble) -> Void = { _ in }
    private var link: HIDLink?
    /// The output report as it came; at first all zero.
    private var output: [UInt8]

    /// Makes a gamepad.
    ///
    /// - Parameters:
    ///   - kind: what its reports are like.
    ///   - every: how often the host asks.
    ///   - hasOutEndpoint: whether rumble comes by an interrupt OUT endpoint.
    public init(_ kind: GamepadKind = .generic, every: Duration = .milliseconds(4), hasOutEndpoint: Bool = true) {
        self.kind = kind
        interface = HIDInterface(kind.descriptor, every: every, hasOutEndpoint: hasOutEndpoint)
        output = kind.stillOutput
    }

    /// Does things one after the other, once what was to be done before is done.
    ///
    /// - Parameters:
    ///   - completion: called on the device's executor when the host has seen it all, or will not; the gamepad
    ///     is then held as it was before.
    ///   - isWanted: whether anybody still waits for it; see ``InputScript/isWanted``.
    public func play(
        _ steps: [Step], completion: @escaping (Result<Void, InputScriptError>) -> Void = { _ in },
        isWanted: (() -> Bool)? = nil
    ) {
        guard let link else { return completion(.failure(.notConfigured)) }
        var before: GamepadState?
        var script = InputScript(
            count: steps.count,
            undo: { [unowned self] in
                guard let before, before != state else { return }
                state = before
                send()
            },
            step: { index in
                InputScript.Step(pause: steps[index].pause) { [unowned self] in
                    if before == nil { before = state }
                    steps[index].change(&state)
                    send()
                }
            })
        script.isWanted = isWanted
        link.play(script, completion: completion)
    }

    private func send() { link?.send(kind.bytes(state)) }

    private func stopMotors() {
        output = kind.stillOutput
        let motors = [rumble.strong, rumble.weak, rumble.leftTrigger ?? 0, rumble.rightTrigger ?? 0]
        rumble = GamepadRumble()
        if motors.contains(where: { $0 > 0 }) { onRumble(rumble) }
    }
}

// MARK: - HIDFunction

extension Gamepad {
    /// See ``HIDFunction/attached(to:)``.
    public func attached(to link: HIDLink) { self.link = link }

    /// See ``HIDFunction/report(_:id:)``.
    public func report(_ kind: ReportKind, id: UInt8) -> [UInt8]? {
        guard id == self.kind.reportID(kind) else { return nil }
        return kind == .input ? self.kind.bytes(state) : output
    }

    /// Takes a report for the motors; short ones are refused.
    public func receive(_ kind: ReportKind, id: UInt8, _ bytes: [UInt8]) -> Bool {
        guard kind == .output, id == self.kind.reportID(.output),
            let rumble = self.kind.rumble(id == 0 ? bytes[...] : bytes.dropFirst())
        else { return false }
        output = bytes
        self.rumble = rumble
        onRumble(rumble)
        return true
    }

    /// Brings everything to rest, the motors too: no host knows how it is held.
    public func disconnected() {
        state = GamepadState()
        stopMotors()
    }

    /// See ``HIDFunction/reset()``: the motors stop, while hands stay where they are.
    public func reset() { stopMotors() }

    /// See ``HIDFunction/configured(_:)``: what is held still is, and a new host does not know it.
    public func configured(_ isConfigured: Bool) {
        if isConfigured, state != GamepadState() { send() }
    }
}
