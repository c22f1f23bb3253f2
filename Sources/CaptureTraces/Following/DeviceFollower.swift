internal import USBCapture
internal import USBCore

/// Finds the devices behind bus addresses, and follows them where addresses change.
///
/// A device is where its channel, bus and address are. Two things change that:
/// - A new device begins at address 0. SET_ADDRESS says where it goes; most host controllers send that themselves, and
///   captures do not have it. Then it is the next address of the bus at which an enumeration begins and whose device
///   descriptor, as far as both are known, agrees with the one that address 0 gave.
/// - An address may be given to another device. Then its device descriptor differs from what was known of the address;
///   one that is equal shows the same device after a reset.
struct DeviceFollower {
    /// The most devices that are told apart.
    static let limit = 4096
    /// The most bytes of descriptors that are kept.
    private static let maximumDescriptors = 64 << 20

    /// The devices in the order in which they appear, with those that turned out to be others.
    var slots: ContiguousArray<DeviceSlot> = []
    /// The slot of all devices beyond the limit.
    private(set) var rest: Int?
    /// Whether descriptors were left out since there were too many.
    private(set) var hasLeftOutDescriptors = false
    private var places: [DeviceKey: Int] = [:]
    /// Devices at address 0, by their key, that have not gone elsewhere yet.
    private var waiting: [DeviceKey: Int] = [:]
    private var lastKey = DeviceKey(channel: .min, bus: 0, address: 0)
    private var lastSlot = 0
    private var descriptorBytes = 0

    /// The slot of the device at a place; a new one when nothing is known of the place.
    mutating func slot(channel: Int, bus: UInt16, address: UInt16, time: Int64) -> Int {
        if lastKey.address == address, lastKey.bus == bus, lastKey.channel == channel { return lastSlot }
        let key = DeviceKey(channel: channel, bus: bus, address: address)
        let slot = places[key] ?? addSlot(at: key, time: time)
        lastKey = key
        lastSlot = slot
        return slot
    }

    /// The slot that a slot has turned out to be.
    func resolve(_ slot: Int) -> Int {
        var slot = slot
        while let target = slots[slot].mergedInto { slot = target }
        return slot
    }

    private mutating func addSlot(at key: DeviceKey, time: Int64) -> Int {
        if let rest, slots.count > Self.limit { return rest }
        if slots.count == Self.limit { rest = slots.count }
        slots.append(DeviceSlot(key: key, time: time))
        let slot = slots.count - 1
        guard slot != rest else { return slot }
        setPlace(key, slot)
        if key.address == 0 { waiting[key] = slot }
        return slot
    }

    private mutating func setPlace(_ key: DeviceKey, _ slot: Int?) {
        places[key] = slot
        lastKey.channel = .min
    }

    // MARK: - What is asked

    /// Notes a request as it is submitted, before it is counted.
    mutating func noteRequest(_ setup: SetupPacket, slot: Int) {
        // Requests to "other" recipients of the hub class are to ports (USB 2.0 §11.24.2).
        if setup.requestType & 0x7f == 0x23, setup.request <= 3, slots[slot].device.descriptors.device.isEmpty {
            slots[slot].device.isHub = true
        }
        guard !waiting.isEmpty, slot != rest, slots[slot].key.address != 0,
            setup.kind == .standard, setup.recipient == .device,
            setup.request == StandardRequest.getDescriptor.rawValue
                || setup.request == StandardRequest.setConfiguration.rawValue,
            let zero = waiting[slots[slot].key.origin], zero != slot, slots[slot].beginning != zero
        else { return }
        slots[slot].beginning = zero
        slots[slot].isNewcomer = slots[slot].device.submissions == 0 && slots[slot].device.completions == 0
    }

    /// Notes that SET_ADDRESS succeeded.
    mutating func noteAddress(_ value: UInt16, slot: Int) {
        let old = slots[slot].key
        guard slot != rest, old.address == 0, value != 0, waiting[old] == slot else { return }
        let key = DeviceKey(channel: old.channel, bus: old.bus, address: value)
        setPlace(old, nil)
        waiting[old] = nil
        slots[slot].predecessor = places[key]
        setPlace(key, slot)
        slots[slot].move(to: key)
    }

    /// Takes the answer to a request for a descriptor.
    ///
    /// - Returns: the slot of the device that answered, which another device's descriptor may show to be a new one.
    mutating func noteAnswer(_ setup: SetupPacket, _ answer: [UInt8], slot: Int, time: Int64) -> Int {
        var slot = slot
        if setup.requestType == 0x80, setup.value >> 8 == 1, answer.count >= 8, answer[1] == 1, slot != rest {
            slot = place(answer, slot: slot, time: time)
        }
        guard descriptorBytes + answer.count <= Self.maximumDescriptors else {
            hasLeftOutDescriptors = true
            return slot
        }
        // A descriptor costs its place too, however short it is.
        let grown = slots[slot].device.descriptors.learn(setup, answer)
        descriptorBytes += grown > 0 ? grown + 64 : 0
        return slot
    }

    /// Decides whose device descriptor this is, given who was thought to be there.
    private mutating func place(_ answer: [UInt8], slot: Int, time: Int64) -> Int {
        let key = slots[slot].key
        guard places[key] == slot else { return slot }
        let zero = slots[slot].beginning.flatMap { waiting[key.origin] == $0 ? $0 : nil }
        guard agree(slots[slot].device.descriptors.device, answer) else {
            if let zero, agree(slots[zero].device.descriptors.device, answer) {
                adopt(zero, at: key)
                return zero
            }
            setPlace(key, nil)
            if key.address == 0 { waiting[key] = nil }
            return addSlot(at: key, time: time)
        }
        if let predecessor = slots[slot].predecessor {
            slots[slot].predecessor = nil
            let before = slots[predecessor].device.descriptors.device
            if before.count >= 18, answer.count >= 18, agree(before, answer) {
                return merge(slot, predecessor, at: key)
            }
        }
        guard let zero else { return slot }
        let beginning = slots[zero].device.descriptors.device
        guard agree(beginning, answer) else {
            slots[slot].beginning = nil
            return slot
        }
        // The first 8 bytes are much the same in all devices: too little to take a known device for a new one.
        guard slots[slot].isNewcomer || (beginning.count >= 18 && answer.count >= 18) else { return slot }
        waiting[key.origin] = nil
        setPlace(key.origin, nil)
        return merge(zero, slot, at: key)
    }

    /// Gives a place to the device that waited at address 0.
    private mutating func adopt(_ zero: Int, at key: DeviceKey) {
        waiting[key.origin] = nil
        setPlace(key.origin, nil)
        setPlace(key, zero)
        slots[zero].move(to: key)
    }

    /// Makes two slots one, which is at `key`; the one that appeared first stays.
    private mutating func merge(_ one: Int, _ other: Int, at key: DeviceKey) -> Int {
        let (earlier, later) = (min(one, other), max(one, other))
        guard earlier != later else { return earlier }
        let taken = slots[later]
        slots[earlier].absorb(taken)
        slots[earlier].move(to: key)
        slots[earlier].beginning = nil
        slots[later].mergedInto = earlier
        // What it knew has gone over; a capture may have thousands of these.
        slots[later].device.descriptors = KnownDescriptors()
        setPlace(key, earlier)
        return earlier
    }

    // MARK: - The end

    /// Settles what only the end of the capture decides: devices that were enumerated without their device descriptor.
    mutating func finish() {
        for wantsNewcomer in [true, false] {
            for slot in slots.indices where slots[slot].mergedInto == nil {
                guard let zero = slots[slot].beginning, slots[slot].isNewcomer == wantsNewcomer else { continue }
                let key = slots[slot].key
                guard places[key] == slot, waiting[key.origin] == zero, slots[zero].mergedInto == nil,
                    agree(slots[zero].device.descriptors.device, slots[slot].device.descriptors.device)
                else { continue }
                waiting[key.origin] = nil
                setPlace(key.origin, nil)
                _ = merge(zero, slot, at: key)
            }
        }
    }

    /// Whether two device descriptors can be of one device, as far as both are known.
    private func agree(_ one: [UInt8], _ other: [UInt8]) -> Bool {
        let count = min(one.count, other.count, 18)
        return one.prefix(count) == other.prefix(count)
    }
}
