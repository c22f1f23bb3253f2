internal import CXKBCommon

/// Which strokes give which character in a keymap.
struct StrokeTable {
    /// By canonical equivalence, as characters compare: "é" is one entry, however it is encoded.
    private(set) var strokes: [Character: [KeyStroke]] = [:]

    /// A stroke, and how much effort it is: the least is taken where several give the same.
    private struct Candidate {
        let stroke: KeyStroke
        let effort: Int
        /// Whether hosts know the key after a dead one.
        var isUsual = true
    }

    /// Finds what every key gives alone, with Shift, with AltGr and with both, and what dead keys make of that.
    ///
    /// Asks a keyboard's state after pressing the modifier keys, as a host does, instead of reading the keymap's types
    /// and levels. That answers also which key is AltGr, and what depends on Num Lock: keys that do are left out.
    init?(_ keymap: XKBKeymap) {
        guard let rest = keymap.state() else { return nil }
        let modifiers = Self.modifiers(rest)
        var characters: [Character: Candidate] = [:]
        var deadKeys: [UInt32: Candidate] = [:]
        for (keys, effort) in modifiers {
            guard let plain = keymap.state(), let numLocked = keymap.state() else { return nil }
            numLocked.press(KeyUsages.numLockEvent)
            numLocked.release(KeyUsages.numLockEvent)
            var bits: UInt8 = 0
            // In the order in which a host takes them from a report.
            for key in keys.sorted() {
                plain.press(KeyUsages.modifierEvents[key])
                numLocked.press(KeyUsages.modifierEvents[key])
                bits |= 1 << UInt8(truncatingIfNeeded: key)
            }
            for key in KeyUsages.typing {
                let keysym = plain.keysym(of: key.event)
                guard keysym != 0, keysym == numLocked.keysym(of: key.event) else { continue }
                var candidate = Candidate(
                    stroke: KeyStroke(usage: key.usage, modifiers: bits), effort: effort + key.place.rawValue)
                if DeadKey.byKeysym[keysym] != nil {
                    if candidate.effort < deadKeys[keysym]?.effort ?? .max { deadKeys[keysym] = candidate }
                } else if let scalar = scalar(of: keysym), let character = Self.character(of: scalar) {
                    candidate.isUsual = isUsual(keysym, of: scalar)
                    if candidate.effort < characters[character]?.effort ?? .max { characters[character] = candidate }
                }
            }
        }
        strokes = characters.mapValues { [$0.stroke] }
        strokes["\r\n"] = strokes["\n"]
        let bases = characters.filter(\.value.isUsual).mapValues { [$0.stroke] }
        compose(bases, with: deadKeys.sorted { $0.key < $1.key }.map { ($0.value.stroke, DeadKey.byKeysym[$0.key]) })
    }

    /// The sets of modifier keys to try, by their places in a report, with the effort of each.
    ///
    /// Control and Alt make commands, and the locks and the fifth level are not to be relied on.
    private static func modifiers(_ state: XKBState) -> [(keys: [Int], effort: Int)] {
        let shiftKeysyms = [UInt32(XKB_KEY_Shift_L), UInt32(XKB_KEY_Shift_R)]
        let shift = [1, 5].first { shiftKeysyms.contains(state.keysym(of: KeyUsages.modifierEvents[$0])) }
        // The right Alt key first; some layouts have it elsewhere.
        let third = [6, 4, 2, 0, 7, 3].first {
            state.keysym(of: KeyUsages.modifierEvents[$0]) == UInt32(XKB_KEY_ISO_Level3_Shift)
        }
        var sets: [(keys: [Int], effort: Int)] = [([], 0)]
        if let shift { sets.append(([shift], 1)) }
        if let third { sets.append(([third], 3)) }
        if let shift, let third {
            // With Shift held the key may be something else.
            state.press(KeyUsages.modifierEvents[min(shift, third)])
            let other = state.keysym(of: KeyUsages.modifierEvents[max(shift, third)])
            if other == UInt32(XKB_KEY_ISO_Level3_Shift) || shiftKeysyms.contains(other) {
                sets.append(([shift, third], 4))
            }
        }
        return sets
    }

    /// The character that a key types, or nothing: of the control characters, only those that texts have.
    private static func character(of scalar: Unicode.Scalar) -> Character? {
        switch scalar {
        case "\r": return "\n"
        case "\t", "\u{1B}": return Character(scalar)
        // Hosts make two characters of each of these: Arabic ligatures of lam and alef.
        case "\u{FEF5}"..."\u{FEFC}": return nil
        default: break
        }
        switch scalar.properties.generalCategory {
        // Unassigned ones stand for several characters as well, in Khmer.
        case .control, .unassigned: return nil
        default: return Character(scalar)
        }
    }

    // MARK: Dead keys

    /// Adds what dead keys give with the characters that are on keys, which themselves come first.
    private mutating func compose(
        _ bases: [Character: [KeyStroke]], with deadKeys: [(stroke: KeyStroke, key: DeadKey?)]
    ) {
        var accents: [Unicode.Scalar: KeyStroke] = [:]
        for case (let stroke, let dead?) in deadKeys {
            if let character = dead.withSpace, let space = bases[" "] { add(character, [stroke] + space) }
            if let character = dead.twice { add(character, [stroke, stroke]) }
            for (base, result) in dead.others {
                if let base = bases[base] { add(result, [stroke] + base) }
            }
            for mark in dead.marks { accents[mark] = stroke }
        }
        // Keys with combining characters, which some layouts have instead of dead keys, come after the letter.
        let direct = Self.byScalar(strokes)
        for composed in ComposedLetter.all + ComposedLetter.swapped {
            if let base = direct[composed.base], let mark = direct[composed.mark] {
                add(Character(composed.letter), base + mark)
            }
        }
        var known = Self.byScalar(bases)
        // Letters have up to three accents. The fewest strokes are found first.
        for _ in 1...3 where !accents.isEmpty {
            var found: [Unicode.Scalar: [KeyStroke]] = [:]
            for composed in ComposedLetter.all where known[composed.letter] == nil && found[composed.letter] == nil {
                guard let accent = accents[composed.mark], let base = known[composed.base] else { continue }
                found[composed.letter] = [accent] + base
            }
            for (letter, keys) in found {
                add(Character(letter), keys)
                known[letter] = keys
            }
        }
    }

    /// The entries of single scalars, which are found faster than characters.
    private static func byScalar(_ strokes: [Character: [KeyStroke]]) -> [Unicode.Scalar: [KeyStroke]] {
        var result: [Unicode.Scalar: [KeyStroke]] = [:]
        for (character, keys) in strokes where character.unicodeScalars.count == 1 {
            if let scalar = character.unicodeScalars.first { result[scalar] = keys }
        }
        return result
    }

    private mutating func add(_ character: Character, _ keys: [KeyStroke]) {
        if strokes[character] == nil { strokes[character] = keys }
    }
}
