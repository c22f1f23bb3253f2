/// Which keys of a keyboard are down.
struct KeyState: Hashable {
    /// Bit n is usage 0xE0 + n.
    private(set) var modifiers: UInt8 = 0
    /// All other keys, in the order in which they were pressed.
    private(set) var keys: [UInt8] = []

    /// The keys that a report can tell of, besides the modifiers (HID Usage Tables §10).
    static let usages: ClosedRange<UInt8> = 0x04...0xdd
    /// The modifier keys.
    static let modifierUsages: ClosedRange<UInt8> = 0xe0...0xe7

    var isEmpty: Bool { modifiers == 0 && keys.isEmpty }

    /// Presses a key; false when it is down already, or is no key.
    mutating func press(_ usage: UInt8) -> Bool {
        if Self.modifierUsages.contains(usage) { return set(modifiers | 1 << (usage - 0xe0)) }
        guard Self.usages.contains(usage), !keys.contains(usage) else { return false }
        keys.append(usage)
        return true
    }

    /// Lets go of a key; false when it is up already.
    mutating func release(_ usage: UInt8) -> Bool {
        if Self.modifierUsages.contains(usage) { return set(modifiers & ~(1 << (usage - 0xe0))) }
        guard let index = keys.firstIndex(of: usage) else { return false }
        keys.remove(at: index)
        return true
    }

    private mutating func set(_ new: UInt8) -> Bool {
        defer { modifiers = new }
        return modifiers != new
    }

    // MARK: Reports

    /// Eight bytes: modifiers, a reserved one, six keys; with more than six down, six times ErrorRollOver (HID 1.11
    /// appendix C).
    func bootReport(with typed: UInt8) -> [UInt8] {
        let slots = keys.count > 6 ? [UInt8](repeating: 0x01, count: 6) : keys
        return [modifiers | typed, 0] + slots + [UInt8](repeating: 0, count: 6 - slots.count)
    }

    /// Modifiers, then a bit for each of ``usages``.
    func bitmapReport(with typed: UInt8) -> [UInt8] {
        var report = [UInt8](repeating: 0, count: 1 + (Self.usages.count + 7) / 8)
        report[0] = modifiers | typed
        for key in keys {
            let bit = Int(key - Self.usages.lowerBound)
            report[1 + bit / 8] |= 1 << UInt8(bit % 8)
        }
        return report
    }
}
