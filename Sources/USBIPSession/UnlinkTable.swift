/// Which unlinks wait for what.
///
/// An unlink names a transfer in one of three states. *Kept*: the device is asked for it, and the unlink waits for its
/// return. *Answered*: the unlink came too late and is answered at once. *Not yet seen*: Linux's client sends
/// unlinks from another list than submits, and one in twenty can overtake its submit; it waits here until the submit
/// comes, which is then answered with the unlink only. A submit that is newer than the one waited for proves that it
/// will not come, because submits leave a client in order.
struct UnlinkTable {
    /// The newest submit; nil before the first.
    private var newestSubmit: UInt32?
    /// Victim not yet seen → its unlinks.
    private var held: [UInt32: [UInt32]] = [:]
    /// The unlinks in ``held``, of which one victim can have many.
    private var heldUnlinks = 0
    /// Victim kept by the device → its unlinks.
    private var waiting: [UInt32: [UInt32]] = [:]
    /// Unlinks newer than the newest submit, which might otherwise be taken for submits that are on their way.
    private var recentUnlinks: Set<UInt32> = []

    var heldCount: Int { held.count }

    /// Notes a submit.
    ///
    /// - Parameter moot: is given each unlink whose victim can no longer come.
    /// - Returns: the unlinks that overtook this submit: when there are any, the transfer must not be started, and
    ///   the first of them is the one that took it back.
    mutating func submitted(_ sequence: UInt32, moot: (UInt32) -> Void) -> [UInt32] {
        if newestSubmit.map({ isNewer(sequence, than: $0) }) ?? true { newestSubmit = sequence }
        guard !held.isEmpty || !recentUnlinks.isEmpty else { return [] }
        let overtakers = held.removeValue(forKey: sequence) ?? []
        heldUnlinks -= overtakers.count
        for victim in held.keys.sorted() where isNewer(sequence, than: victim) {
            guard let unlinks = held.removeValue(forKey: victim) else { continue }
            heldUnlinks -= unlinks.count
            unlinks.forEach(moot)
        }
        recentUnlinks = recentUnlinks.filter { isNewer($0, than: sequence) }
        return overtakers
    }

    enum Verdict {
        /// The transfer was answered, or never existed: answer the unlink now.
        case tooLate
        /// The device is to be asked for the transfer.
        case cancel
        /// Somebody has already asked, or the submit has not come: nothing to do now.
        case wait
        /// So many unlinks of one transfer can only be meant to fill the memory.
        case excess
    }

    /// Files an unlink.
    ///
    /// - Parameters:
    ///   - isKept: whether the device holds the victim.
    ///   - limit: the most unlinks to hold for submits that have not come, and for one transfer that is kept.
    mutating func unlink(_ sequence: UInt32, victim: UInt32, isKept: Bool, limit: Int) -> Verdict {
        if recentUnlinks.count < limit { recentUnlinks.insert(sequence) }
        if isKept {
            let earlier = waiting[victim]?.count ?? 0
            guard earlier < max(1, limit) else { return .excess }
            waiting[victim, default: []].append(sequence)
            return earlier == 0 ? .cancel : .wait
        }
        let mayStillCome = newestSubmit.map { isNewer(victim, than: $0) } ?? true
        guard mayStillCome, !recentUnlinks.contains(victim), heldUnlinks < limit else { return .tooLate }
        held[victim, default: []].append(sequence)
        heldUnlinks += 1
        return .wait
    }

    /// The unlinks that wait for a transfer that has come back; empty for almost all.
    mutating func returned(_ victim: UInt32) -> [UInt32] {
        waiting.isEmpty ? [] : waiting.removeValue(forKey: victim) ?? []
    }

    /// Sequence numbers are compared around the wrap.
    private func isNewer(_ a: UInt32, than b: UInt32) -> Bool { Int32(bitPattern: a &- b) > 0 }
}
