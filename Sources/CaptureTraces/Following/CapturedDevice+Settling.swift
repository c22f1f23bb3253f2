internal import USBCapture
internal import USBCore

extension CapturedDevice {
    /// Infers what the capture does not say: whether it is a hub, and its speed.
    mutating func settle() {
        let bytes = descriptors.device
        if bytes.count >= 5, bytes[4] == USBClass.hub.rawValue { isHub = true }
        endpoints.sort { ($0.endpoint.number, $0.endpoint.rawValue) < ($1.endpoint.number, $1.endpoint.rawValue) }
        if !isSpeedKnown { speed = SpeedInference.speed(of: self) }
    }

    /// Takes what was said of the device beside its transfers, where it is not known better; ``settle()`` comes after.
    mutating func take(_ said: DeviceAnnouncement) {
        announcement = said
        _ = descriptors.fill(sysfs: said.descriptors)
        fill(strings: said)
        if let speed = said.speed {
            self.speed = speed
            isSpeedKnown = true
        }
    }

    /// Puts the strings that were said at the indices that the device descriptor gives them, where they are not known.
    mutating func fill(strings said: DeviceAnnouncement) {
        guard descriptors.device.count >= 17 else { return }
        let texts = [(14, said.manufacturer), (15, said.product), (16, said.serialNumber)]
        for (place, text) in texts {
            let index = descriptors.device[place]
            guard let text, index != 0, descriptors.string(index) == nil else { continue }
            let language = descriptors.firstLanguage ?? LanguageID.englishUS.rawValue
            descriptors.strings[.init(index: index, language: language)] = StringDescriptor(text).bytes
        }
    }

    /// Whether what was said can be about this device.
    func matches(_ said: DeviceAnnouncement) -> Bool {
        if let channel = said.channel, channel != self.channel { return false }
        if let bus = said.bus, bus != self.bus { return false }
        if let address = said.device, !addresses.contains(address) { return false }
        let ids = (said.vendorID, said.productID)
        if let vendor = descriptors.vendorID, let product = descriptors.productID {
            if let said = ids.0, said != vendor { return false }
            if let said = ids.1, said != product { return false }
            if ids.0 != nil, ids.1 != nil { return true }
        }
        // Without ids to compare, the place must have been said.
        return said.device != nil
    }
}

extension [CapturedDevice] {
    /// Takes what was said of devices beside their transfers; ``CapturedDevice/settle()`` comes after.
    mutating func take(_ said: [DeviceAnnouncement]) {
        for announcement in said {
            for index in indices where self[index].matches(announcement) { self[index].take(announcement) }
        }
    }
}

extension KnownDescriptors {
    /// The first language of the device's list, or of a string that is known.
    var firstLanguage: UInt16? {
        if let list = strings[StringKey(index: 0, language: 0)], list.count >= 4 {
            return UInt16(list[2]) | UInt16(list[3]) << 8
        }
        return strings.keys.filter { $0.index != 0 }.map(\.language).min()
    }
}
