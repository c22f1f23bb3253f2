internal import USBCore

/// A transfer that was submitted and has not ended yet.
struct OutstandingTransfer {
    /// See ``CapturedEvent/channel``.
    var channel: Int
    /// See ``CapturedEvent/urb``.
    var urb: UInt64
    /// The setup stage as it travels, if ``hasSetup``.
    var setup: UInt64
    /// Its place in the index of transfers; 0 where none is kept.
    var place: UInt32
    /// Bytes asked for.
    var requested: UInt32
    /// The device's slot.
    var slot: Int32
    /// The bus.
    var bus: UInt16
    /// The endpoint as it was submitted.
    var endpoint: UInt8
    /// How the endpoint moves data.
    var type: TransferType
    /// Whether the capture has its setup stage.
    var hasSetup: Bool
    /// Whether data are missing.
    var isCut: Bool
    /// Neighbours by age, as places among the table's entries; -1 for none.
    fileprivate var older: Int32 = -1
    fileprivate var newer: Int32 = -1

    init(
        channel: Int, urb: UInt64, setup: UInt64, place: UInt32, requested: UInt32, slot: Int32, bus: UInt16,
        endpoint: UInt8, type: TransferType, hasSetup: Bool, isCut: Bool
    ) {
        self.channel = channel
        self.urb = urb
        self.setup = setup
        self.place = place
        self.requested = requested
        self.slot = slot
        self.bus = bus
        self.endpoint = endpoint
        self.type = type
        self.hasSetup = hasSetup
        self.isCut = isCut
    }

    /// Whether data go to the host; of a control transfer, in its data stage.
    var isIn: Bool { (hasSetup ? UInt8(truncatingIfNeeded: setup) : endpoint) & 0x80 != 0 }
}

/// The transfers that have not ended, by channel, bus and name; the oldest is given up when there are too many.
///
/// Open addressing with linear probing: every event of a capture comes through here, and a dictionary would cost more
/// than reading the event.
struct OutstandingTable {
    /// The most transfers that are waited for.
    static let limit = 65_536

    private var entries: ContiguousArray<OutstandingTransfer> = []
    /// Places in `entries`, -1 where empty; a power of two, at least twice as many as entries.
    private var buckets = ContiguousArray<Int32>(repeating: -1, count: 256)
    private var free: Int32 = -1
    private var oldest: Int32 = -1
    private var newest: Int32 = -1
    private let limit: Int
    /// Unknown to whoever made the capture, who could else choose names that all collide.
    private let seed = UInt64.random(in: 0...UInt64.max)
    /// How many there are.
    private(set) var count = 0

    /// Makes an empty table.
    init(limit: Int = Self.limit) { self.limit = limit }

    /// Adds a transfer, which must not be there yet; answers one that is given up for it.
    mutating func insert(_ transfer: OutstandingTransfer) -> OutstandingTransfer? {
        var givenUp: OutstandingTransfer?
        if count >= limit { givenUp = removeOldest() }
        if (count + 1) * 2 > buckets.count { grow() }
        let place: Int32
        if free >= 0 {
            place = free
            free = entries[Int(place)].newer
            entries[Int(place)] = transfer
        } else {
            place = Int32(truncatingIfNeeded: entries.count)
            entries.append(transfer)
        }
        entries[Int(place)].older = newest
        entries[Int(place)].newer = -1
        if newest >= 0 { entries[Int(newest)].newer = place } else { oldest = place }
        newest = place
        count += 1
        put(place)
        return givenUp
    }

    /// Takes a transfer out; nil when it is not there.
    mutating func remove(channel: Int, bus: UInt16, urb: UInt64) -> OutstandingTransfer? {
        let mask = buckets.count - 1
        var bucket = home(channel, bus, urb) & mask
        while true {
            let place = buckets[bucket]
            guard place >= 0 else { return nil }
            let entry = entries[Int(place)]
            if entry.urb == urb, entry.channel == channel, entry.bus == bus {
                clear(bucket)
                unlink(place)
                return entry
            }
            bucket = (bucket + 1) & mask
        }
    }

    /// Takes out the transfer that waits longest; nil when there is none.
    mutating func removeOldest() -> OutstandingTransfer? {
        guard oldest >= 0 else { return nil }
        let entry = entries[Int(oldest)]
        return remove(channel: entry.channel, bus: entry.bus, urb: entry.urb)
    }

    private func home(_ channel: Int, _ bus: UInt16, _ urb: UInt64) -> Int {
        var hash = urb ^ seed
        hash = (hash ^ (hash >> 32)) &* 0x9E37_79B9_7F4A_7C15
        hash ^= UInt64(truncatingIfNeeded: channel) &* 0xD6E8_FEB8_6659_FD93 ^ UInt64(bus)
        hash = (hash ^ (hash >> 29)) &* 0xBF58_476D_1CE4_E5B9
        return Int(truncatingIfNeeded: hash >> 32)
    }

    private func home(of place: Int32) -> Int {
        let entry = entries[Int(place)]
        return home(entry.channel, entry.bus, entry.urb)
    }

    private mutating func put(_ place: Int32) {
        let mask = buckets.count - 1
        var bucket = home(of: place) & mask
        while buckets[bucket] >= 0 { bucket = (bucket + 1) & mask }
        buckets[bucket] = place
    }

    /// Empties a bucket and moves back what had been pushed on by it.
    private mutating func clear(_ bucket: Int) {
        let mask = buckets.count - 1
        var hole = bucket
        var next = (hole + 1) & mask
        while buckets[next] >= 0 {
            let wanted = home(of: buckets[next]) & mask
            if (next &- wanted) & mask >= (next &- hole) & mask {
                buckets[hole] = buckets[next]
                hole = next
            }
            next = (next + 1) & mask
        }
        buckets[hole] = -1
    }

    private mutating func unlink(_ place: Int32) {
        let (older, newer) = (entries[Int(place)].older, entries[Int(place)].newer)
        if older >= 0 { entries[Int(older)].newer = newer } else { oldest = newer }
        if newer >= 0 { entries[Int(newer)].older = older } else { newest = older }
        entries[Int(place)].newer = free
        free = place
        count -= 1
    }

    private mutating func grow() {
        buckets = ContiguousArray(repeating: -1, count: buckets.count * 2)
        var place = oldest
        while place >= 0 {
            put(place)
            place = entries[Int(place)].newer
        }
    }
}
