public import HIDReports

/// A keyboard with all its keys: those of the keyboard itself, and beside them the media and power keys.
public final class Keyboard {
    /// The keys of the keyboard, and the lamps.
    public let main: KeyboardFunction
    /// The media and power keys; nil for a keyboard without.
    public let media: MediaFunction?

    /// Makes a keyboard.
    public init(_ main: KeyboardFunction, media: MediaFunction?) {
        self.main = main
        self.media = media
    }

    /// What to make a ``HIDGadget`` of.
    public var functions: [any HIDFunction] { [main] + (media.map { [$0] } ?? []) }

    /// Whether the keyboard has a key.
    public func has(_ key: Usage) -> Bool {
        guard key.page == UsagePage.keyboard else { return media != nil && MediaFunction.has(key) }
        let usage = UInt8(exactly: key.id) ?? 0
        return KeyState.usages.contains(usage) || KeyState.modifierUsages.contains(usage)
    }

    /// Presses a key; one that is down, or that the keyboard does not have, changes nothing.
    public func press(_ key: Usage) {
        if key.page == UsagePage.keyboard { main.press(UInt8(exactly: key.id) ?? 0) } else { media?.press(key) }
    }

    /// Lets go of a key; one that is up changes nothing.
    public func release(_ key: Usage) {
        if key.page == UsagePage.keyboard { main.release(UInt8(exactly: key.id) ?? 0) } else { media?.release(key) }
    }

    /// Lets go of all keys.
    public func releaseAll() {
        main.releaseAll()
        media?.releaseAll()
    }

    /// Plays a script, which may press any keys, after those before it; see ``HIDLink/play(_:with:completion:)``.
    public func play(_ script: InputScript, completion: @escaping (Result<Void, InputScriptError>) -> Void) {
        guard let link = main.link else { return completion(.failure(.notConfigured)) }
        link.play(script, with: media?.link.map { [$0] } ?? [], completion: completion)
    }

    // MARK: Scripts

    /// Makes a script that, when it fails, has those keys down again that were before it began.
    private func script(count: Int, _ step: @escaping (Int) -> InputScript.Step) -> InputScript {
        var before: (main: KeyState, media: MediaFunction.Held)?
        let undo = { [self] in
            guard let before else { return }
            main.hold(before.main)
            media?.hold(before.media)
        }
        return InputScript(count: count, undo: undo) { [self] index in
            if before == nil { before = (main.held, media?.held ?? .init()) }
            return step(index)
        }
    }

    /// Presses and lets go of chords, one after the other.
    ///
    /// - Parameter hold: how long each stays down, and how long keys rest between two.
    public func tapping(_ chords: [KeyChord], hold: Duration) -> InputScript {
        var steps: [InputScript.Step] = []
        for chord in chords {
            for (index, key) in chord.keys.enumerated() {
                steps.append(.init(pause: index == chord.keys.count - 1 ? hold : .zero) { [self] in press(key) })
            }
            for key in chord.keys.reversed() { steps.append(.init { [self] in release(key) }) }
            // So that two presses of one key stay two for hosts that look at keys now and then.
            if !steps.isEmpty { steps[steps.count - 1].pause = min(hold, .milliseconds(50)) }
        }
        if !steps.isEmpty { steps[steps.count - 1].pause = .zero }
        return script(count: steps.count) { [steps] in steps[$0] }
    }

    /// Presses chords, which stay down.
    public func pressing(_ chords: [KeyChord]) -> InputScript {
        let keys = chords.flatMap(\.keys)
        return script(count: keys.count) { index in .init { [self] in press(keys[index]) } }
    }

    /// Lets go of chords.
    public func releasing(_ chords: [KeyChord]) -> InputScript {
        let keys = chords.flatMap { $0.keys.reversed() }
        return script(count: keys.count) { index in .init { [self] in release(keys[index]) } }
    }

    /// Types: each key goes down with its modifiers and up again.
    ///
    /// Keys that are held stay so, but for those that the text needs: they are let go of.
    ///
    /// - Parameters:
    ///   - strokes: keys of the keyboard page and modifiers, bit n of which is usage 0xE0 + n.
    ///   - rate: keys in a second, as fast as can be where it is not more than 0; no faster than the host fetches two
    ///     reports for each key, and one more for each change of modifiers.
    public func typing(_ strokes: [(usage: UInt8, modifiers: UInt8)], rate: Double) -> InputScript {
        let half = rate > 0 ? Duration.nanoseconds(Int64(min(0.5e9 / rate, 1e12))) : .zero
        var moves: [TypingMove] = []
        var held: UInt8 = 0
        for stroke in strokes {
            if stroke.modifiers != held { moves.append(.hold(stroke.modifiers)) }
            held = stroke.modifiers
            moves.append(.press(stroke.usage))
            moves.append(.release(stroke.usage))
        }
        let lastRelease = moves.count - 1
        if held != 0 { moves.append(.hold(0)) }
        return script(count: moves.count) { [self, moves] index in
            switch moves[index] {
            case .hold(let modifiers): .init { [self] in main.holdForTyping(modifiers) }
            case .press(let usage): .init(pause: half) { [self] in main.type(usage) }
            case .release(let usage):
                .init(pause: index == lastRelease ? .zero : half) { [self] in main.release(usage) }
            }
        }
    }
}

/// What fingers do for a text.
private enum TypingMove {
    case hold(UInt8)
    case press(UInt8)
    case release(UInt8)
}
