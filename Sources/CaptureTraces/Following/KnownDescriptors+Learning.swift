internal import USBCore

extension KnownDescriptors {
    /// Takes the answer to a request for a descriptor; other requests are let pass.
    ///
    /// A whole descriptor replaces what was known, so that the last one counts; a part replaces a shorter part. What is
    /// not of the type that was asked for is not believed.
    ///
    /// - Returns: by how many bytes the knowledge has grown.
    mutating func learn(_ setup: SetupPacket, _ answer: [UInt8]) -> Int {
        guard setup.request == StandardRequest.getDescriptor.rawValue, answer.count >= 2 else { return 0 }
        let type = UInt8(truncatingIfNeeded: setup.value >> 8)
        let index = UInt8(truncatingIfNeeded: setup.value)
        switch (setup.requestType, DescriptorType(rawValue: type)) {
        case (0x81, 0x22): return reports[UInt8(truncatingIfNeeded: setup.index), default: []].improve(answer, nil)
        case (0x80, _) where answer[1] != type: return 0
        case (0x80, .device): return device.improve(answer, Int(answer[0]))
        case (0x80, .configuration): return configurations[index, default: []].improve(answer, totalLength(answer))
        case (0x80, .string):
            let key = StringKey(index: index, language: index == 0 ? 0 : setup.index)
            return strings[key, default: []].improve(answer, Int(answer[0]))
        case (0x80, .deviceQualifier): return qualifier.improve(answer, Int(answer[0]))
        case (0x80, .otherSpeedConfiguration):
            return otherSpeed[index, default: []].improve(answer, totalLength(answer))
        case (0x80, .bos): return objectStore.improve(answer, totalLength(answer))
        default: return 0
        }
    }

    /// Takes what is known of the same device at a later time.
    mutating func learn(_ later: KnownDescriptors) {
        _ = device.improve(later.device, later.device.first.map(Int.init))
        _ = qualifier.improve(later.qualifier, later.qualifier.first.map(Int.init))
        _ = objectStore.improve(later.objectStore, totalLength(later.objectStore))
        for (index, bytes) in later.configurations {
            _ = configurations[index, default: []].improve(bytes, totalLength(bytes))
        }
        for (index, bytes) in later.otherSpeed { _ = otherSpeed[index, default: []].improve(bytes, totalLength(bytes)) }
        for (key, bytes) in later.strings { _ = strings[key, default: []].improve(bytes, bytes.first.map(Int.init)) }
        for (number, bytes) in later.reports { _ = reports[number, default: []].improve(bytes, nil) }
    }

    /// Takes a device descriptor with its configurations, as Linux's sysfs has them, where they say more.
    ///
    /// - Returns: whether they said anything new.
    mutating func fill(sysfs bytes: [UInt8]) -> Bool {
        guard bytes.count >= 18, bytes[0] >= 18, bytes[1] == DescriptorType.device.rawValue else { return false }
        var grown = 0
        let length = Int(bytes[0])
        if !isDeviceWhole { grown += device.improve([UInt8](bytes.prefix(length)), length) }
        var rest = bytes.dropFirst(length)
        var index: UInt8 = 0
        while rest.count >= 9, index < .max {
            let total = totalLength([UInt8](rest.prefix(4))) ?? 0
            guard total >= 9 else { break }
            if !isConfigurationWhole(index) {
                grown += configurations[index, default: []].improve([UInt8](rest.prefix(total)), total)
            }
            rest = rest.dropFirst(total)
            index += 1
        }
        return grown > 0
    }

    /// Whether the device descriptor is known to its end.
    public var isDeviceWhole: Bool { device.count >= 18 && device.count >= Int(device[0]) }

    /// Whether a configuration is known to its end.
    ///
    /// - Parameter index: its index, from 0, which is not its value.
    public func isConfigurationWhole(_ index: UInt8) -> Bool {
        guard let bytes = configurations[index], let total = totalLength(bytes) else { return false }
        return total >= 9 && bytes.count >= total
    }

    /// Whether the device descriptor and all configurations it speaks of are known to their ends.
    public var isComplete: Bool {
        isDeviceWhole && (0..<device[17]).allSatisfy { isConfigurationWhole($0) }
    }

    /// `idVendor`, where it is known.
    public var vendorID: UInt16? { word(8) }

    /// `idProduct`, where it is known.
    public var productID: UInt16? { word(10) }

    private func word(_ offset: Int) -> UInt16? {
        device.count >= offset + 2 ? UInt16(device[offset]) | UInt16(device[offset + 1]) << 8 : nil
    }

    /// The text of a string in the first language in which it is known.
    public func string(_ index: UInt8) -> String? {
        guard index != 0 else { return nil }
        let bytes = strings.filter { $0.key.index == index }.min { $0.key.language < $1.key.language }?.value
        guard let bytes, bytes.count > 2, bytes.count >= Int(bytes[0]), let text = try? StringDescriptor(parsing: bytes)
        else { return nil }
        return text.text
    }
}

/// `wTotalLength` of a configuration or object store.
func totalLength(_ bytes: [UInt8]) -> Int? {
    bytes.count >= 4 ? Int(bytes[2]) | Int(bytes[3]) << 8 : nil
}

extension [UInt8] {
    /// Takes bytes that say more than these do, or the same anew.
    ///
    /// - Parameter whole: the length at which `bytes` are complete, where they say it.
    /// - Returns: how many bytes more there are now.
    fileprivate mutating func improve(_ bytes: [UInt8], _ whole: Int?) -> Int {
        let kept = whole.map { bytes.prefix(Swift.max($0, 2)) } ?? bytes[...]
        guard kept.count >= count || whole.map({ kept.count >= $0 }) == true else { return 0 }
        let growth = kept.count - count
        self = [UInt8](kept)
        return growth
    }
}
