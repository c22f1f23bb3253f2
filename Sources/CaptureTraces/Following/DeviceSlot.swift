internal import USBCapture
internal import USBCore

/// Where a device is: what its transfers carry.
struct DeviceKey: Hashable {
    var channel: Int
    var bus: UInt16
    var address: UInt16

    /// Address 0 of the same bus, where devices begin.
    var origin: DeviceKey { DeviceKey(channel: channel, bus: bus, address: 0) }
}

/// A device while the capture is being read.
struct DeviceSlot {
    /// What is known of it by now.
    var device: CapturedDevice
    /// Where it is now.
    var key: DeviceKey
    /// The slot at address 0 that may be this device's beginning.
    var beginning: Int?
    /// Whether it was first heard of while ``beginning`` waited, and began as new devices do.
    var isNewcomer = false
    /// The slot that was at this address before SET_ADDRESS gave it to this one.
    var predecessor: Int?
    /// The slot that this one turned out to be.
    var mergedInto: Int?

    /// The most changes of address that are remembered.
    private static let maximumAddresses = 64

    init(key: DeviceKey, time: Int64) {
        self.key = key
        device = CapturedDevice(number: 0, channel: key.channel, bus: key.bus, address: key.address, time: time)
    }

    /// Remembers that it has another address now.
    mutating func move(to key: DeviceKey) {
        self.key = key
        add(addresses: [key.address])
    }

    private mutating func add(addresses: [UInt16]) {
        for address in addresses where device.addresses.last != address {
            if device.addresses.count < Self.maximumAddresses { device.addresses.append(address) }
        }
    }

    /// Notes that it was heard of.
    mutating func note(time: Int64) {
        if time < device.firstTime { device.firstTime = time }
        if time > device.lastTime { device.lastTime = time }
    }

    /// Counts a transfer that has ended, or whose end is lost.
    mutating func count(
        endpoint: UInt8, type: TransferType, isIn: Bool, moved: Int, interval: Int32
    ) {
        let moved = Int64(clamping: max(0, moved))
        if isIn { device.bytesIn &+= moved } else { device.bytesOut &+= moved }
        let address = EndpointAddress(rawValue: type == .control ? endpoint & 0x0f : endpoint & 0x8f)
        for index in device.endpoints.indices
        where device.endpoints[index].endpoint == address && device.endpoints[index].type == type {
            device.endpoints[index].add(moved, interval)
            return
        }
        device.endpoints.append(CapturedDevice.EndpointUse(endpoint: address, type: type))
        device.endpoints[device.endpoints.count - 1].add(moved, interval)
    }

    /// Takes in what a later slot knows, which turned out to be the same device.
    mutating func absorb(_ later: DeviceSlot) {
        add(addresses: later.device.addresses)
        device.descriptors.learn(later.device.descriptors)
        device.isHub = device.isHub || later.device.isHub
        device.submissions += later.device.submissions
        device.completions += later.device.completions
        device.unanswered += later.device.unanswered
        device.unasked += later.device.unasked
        device.cut += later.device.cut
        device.bytesOut &+= later.device.bytesOut
        device.bytesIn &+= later.device.bytesIn
        device.firstTime = min(device.firstTime, later.device.firstTime)
        device.lastTime = max(device.lastTime, later.device.lastTime)
        for use in later.device.endpoints {
            if let index = device.endpoints.firstIndex(where: { $0.endpoint == use.endpoint && $0.type == use.type }) {
                device.endpoints[index].add(use)
            } else {
                device.endpoints.append(use)
            }
        }
    }
}

extension CapturedDevice.EndpointUse {
    fileprivate mutating func add(_ moved: Int64, _ interval: Int32) {
        transfers += 1
        bytes &+= moved
        if moved > largest { largest = moved }
        if interval > 0 { self.interval = interval }
    }

    fileprivate mutating func add(_ other: Self) {
        transfers += other.transfers
        bytes &+= other.bytes
        largest = max(largest, other.largest)
        if other.interval > 0 { interval = other.interval }
    }
}
