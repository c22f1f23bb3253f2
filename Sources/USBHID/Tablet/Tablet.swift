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
        /// Goes to a place, 0 to ``extent`` on each axis: at once, or in a straight line that takes so long.
        case move(x: Int, y: Int, over: Duration = .zero)
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
    /// - Parameter completion: called on the device's executor when the host has seen it all, or will not; buttons that
    ///   were not held before are then let go of.
    public func play(
        _ actions: [Action], completion: @escaping (Result<Void, InputScriptError>) -> Void = { _ in }
    ) {
        guard let link else { return completion(.failure(.notConfigured)) }
        var before: PointerButtons?
        let steps = [InputScript.Step { [unowned self] in before = buttons }] + actions.flatMap { self.steps(for: $0) }
        let undo = { [unowned self] in
            guard let before, before != buttons else { return }
            buttons = before
            send()
        }
        link.play(InputScript(steps, undo: undo), completion: completion)
    }

    private func steps(for action: Action) -> [InputScript.Step] {
        switch action {
        case .press(let pressed):
            return [step { $0.buttons.formUnion($0.existing(pressed)) }]
        case .release(let released):
            return [step { $0.buttons.subtract(released) }]
        case .click(let clicked, let count):
            return (0..<min(max(count, 0), 100)).flatMap { index in
                let isLast = index == count - 1
                return [
                    step(pause: PointerTiming.click) { $0.buttons.formUnion($0.existing(clicked)) },
                    step(pause: isLast ? .zero : PointerTiming.betweenClicks) { $0.buttons.subtract(clicked) },
                ]
            }
        case .move(let x, let y, let time):
            return line(to: (min(max(x, 0), Self.extent), min(max(y, 0), Self.extent)), over: time)
        case .scroll(let detents):
            let total = min(max(detents, -10_000), 10_000)
            let count = total.shareCount(atMost: 127)
            var shares = EvenShares(of: total, into: count)
            return (0..<count).map { _ in
                let share = shares.next()
                return InputScript.Step { [unowned self] in send(wheel: share) }
            }
        }
    }

    private func line(to end: (x: Int, y: Int), over time: Duration) -> [InputScript.Step] {
        guard time > .zero else { return [step { $0.place = end }] }
        let count = PointerTiming.steps(over: time)
        let pause = min(time, PointerTiming.longest) / count
        var start = end
        let begin = InputScript.Step(pause: pause) { [unowned self] in start = place }
        return [begin]
            + (1...count).map { index in
                InputScript.Step(pause: index == count ? .zero : pause) { [unowned self] in
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

    /// Lets go of the buttons: no host knows that they are held.
    public func disconnected() { buttons = [] }
}
