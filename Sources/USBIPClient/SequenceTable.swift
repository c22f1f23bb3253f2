/// What each sequence number in flight stands for.
///
/// Sequence numbers count up, so their low bits spread them without a hash: with all in flight young, each is found
/// at its first place. A transfer that waits long only displaces the few that pass over it. Robin Hood order keeps
/// the displacement of each bounded and lets a search end early.
@safe package struct SequenceTable: ~Copyable {
    private struct Entry {
        /// 0 marks an empty place; it is never a sequence number.
        var sequence: UInt32
        var value: UInt32
    }

    private var entries: UnsafeMutablePointer<Entry>
    private var mask: Int
    package private(set) var count = 0

    package init(capacity: Int = 256) {
        unsafe entries = Self.makeEntries(capacity)
        mask = capacity - 1
    }

    deinit { unsafe entries.deallocate() }

    private static func makeEntries(_ capacity: Int) -> UnsafeMutablePointer<Entry> {
        let entries = UnsafeMutablePointer<Entry>.allocate(capacity: capacity)
        unsafe entries.initialize(repeating: Entry(sequence: 0, value: 0), count: capacity)
        return unsafe entries
    }

    /// How far the entry at `position` is from where it belongs.
    private func distance(_ position: Int, _ sequence: UInt32) -> Int { (position &- Int(sequence)) & mask }

    package mutating func insert(_ sequence: UInt32, _ value: UInt32) {
        if (count + 1) * 2 > mask + 1 { grow() }
        place(Entry(sequence: sequence, value: value))
        count += 1
    }

    private mutating func place(_ newcomer: Entry) {
        var entry = newcomer
        var position = Int(entry.sequence) & mask
        while true {
            let resident = unsafe entries[position]
            if resident.sequence == 0 {
                unsafe entries[position] = entry
                return
            }
            if distance(position, resident.sequence) < distance(position, entry.sequence) {
                unsafe entries[position] = entry
                entry = resident
            }
            position = (position &+ 1) & mask
        }
    }

    private mutating func grow() {
        let old = unsafe entries
        let oldCapacity = mask + 1
        unsafe entries = Self.makeEntries(oldCapacity * 2)
        mask = oldCapacity * 2 - 1
        for index in 0..<oldCapacity {
            let entry = unsafe old[index]
            if entry.sequence != 0 { place(entry) }
        }
        unsafe old.deallocate()
    }

    private func position(of sequence: UInt32) -> Int? {
        guard sequence != 0 else { return nil }
        var position = Int(sequence) & mask
        var steps = 0
        while true {
            let resident = unsafe entries[position]
            if resident.sequence == sequence { return position }
            if resident.sequence == 0 || distance(position, resident.sequence) < steps { return nil }
            position = (position &+ 1) & mask
            steps &+= 1
        }
    }

    package subscript(sequence: UInt32) -> UInt32? {
        guard let position = position(of: sequence) else { return nil }
        return unsafe entries[position].value
    }

    package mutating func remove(_ sequence: UInt32) {
        guard var position = position(of: sequence) else { return }
        while true {
            let next = (position &+ 1) & mask
            let follower = unsafe entries[next]
            guard follower.sequence != 0, distance(next, follower.sequence) != 0 else { break }
            unsafe entries[position] = follower
            position = next
        }
        unsafe entries[position].sequence = 0
        count -= 1
    }
}
