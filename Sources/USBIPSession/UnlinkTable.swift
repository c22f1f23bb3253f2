/// Which unlinks wait for what.
///
/// An unlink names a transfer in one of three states. *Kept*: the device is asked for it, and the unlink waits for its
/// return. *Answered*: the unlink came too late and is answered at once. *Not yet seen*: Linux's client sends
/// unlinks from another list than submits, and one in twenty can overtake its submit; it waits here until the submit
/// comes, which is then answered with the unlink only. A submit that is newer than the one waited for proves that it
/// will not come, because submits leave a client in order.
///
/// A class whose usual answer needs no more than ``isIdle``: it is asked at every transfer.
final class UnlinkTable {
    /// Whether no submit can be affected.
    private var isIdle = true
    /// Whether some unlink waits for the device.
    private var hasWaiting = false
    /// The newest submit, once there was one.
    private var newestSubmit: UInt32 = 0
    private var hasSeenSubmit = false
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
    /// - Returns: whether ``overtakers(of:moot:)`` has something to say about it; almost never.
    func submitted(_ sequence: UInt32) -> Bool {
        if !hasSeenSubmit || isNewer(sequence, than: newestSubmit) {
            newestSubmit = sequence
            hasSeenSubmit = true
        }
        return !isIdle
    }

    /// The unlinks that overtook a submit: when there are any, the transfer must not be started, and the first of them
    /// is the one that took it back.
    ///
    /// - Parameter moot: is given each unlink whose victim can no longer come.
    func overtakers(of sequence: UInt32, moot: (UInt32) -> Void) -> [UInt32] {
        let overtakers = held.removeValue(forKey: sequence) ?? []
        heldUnlinks -= overtakers.count
        for victim in held.keys.sorted() where isNewer(sequence, than: victim) {
            guard let unlinks = held.removeValue(forKey: victim) else { continue }
            heldUnlinks -= unlinks.count
            unlinks.forEach(moot)
        }
        recentUnlinks = recentUnlinks.filter { isNewer($0, than: sequence) }
        isIdle = held.isEmpty && recentUnlinks.isEmpty
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
    func unlink(_ sequence: UInt32, victim: UInt32, isKept: Bool, limit: Int) -> Verdict {
        isIdle = false
        if recentUnlinks.count < limit { recentUnlinks.insert(sequence) }
        if isKept {
            let earlier = waiting[victim]?.count ?? 0
            guard earlier < max(1, limit) else { return .excess }
            waiting[victim, default: []].append(sequence)
            hasWaiting = true
            return earlier == 0 ? .cancel : .wait
        }
        let mayStillCome = !hasSeenSubmit || isNewer(victim, than: newestSubmit)
        guard mayStillCome, !recentUnlinks.contains(victim), heldUnlinks < limit else { return .tooLate }
        held[victim, default: []].append(sequence)
        heldUnlinks += 1
        return .wait
    }

    /// The unlinks that wait for a transfer that has come back; empty for almost all.
    func returned(_ victim: UInt32) -> [UInt32] {
        guard hasWaiting, let unlinks = waiting.removeValue(forKey: victim) else { return [] }
        hasWaiting = !waiting.isEmpty
        return unlinks
    }

    /// Sequence numbers are compared around the wrap.
    private func isNewer(_ a: UInt32, than b: UInt32) -> Bool { Int32(bitPattern: a &- b) > 0 }
}
