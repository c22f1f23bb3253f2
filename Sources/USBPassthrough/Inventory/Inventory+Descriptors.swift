extension Inventory {
    /// A device's configuration descriptors with all that follows them (USB 2.0 §9.4.3), by their index, as far as they
    /// are longer than something.
    ///
    /// From sysfs, which has them as the device gave them.
    func longConfigurations(of device: HostDevice, above limit: Int) -> [UInt8: [UInt8]] {
        // A device descriptor comes first (USB 2.0 §9.6.1).
        guard let bytes = tree.bytes("\(Self.folder(device.path))/descriptors", limit: 1 << 20), bytes.count > limit
        else {
            return [:]
        }
        var found: [UInt8: [UInt8]] = [:]
        var rest = bytes.dropFirst(18)
        var index: UInt8 = 0
        while index < .max, rest.count >= 9 {
            let start = rest.startIndex
            let length = Int(rest[start + 2]) | Int(rest[start + 3]) << 8
            guard length >= 9 else { break }
            let descriptor = rest.prefix(length)
            if descriptor.count == length, length > limit { found[index] = Array(descriptor) }
            rest = rest.dropFirst(length)
            index += 1
        }
        return found
    }

    /// What is plugged in, in a form to compare: another one whenever something was plugged in or unplugged.
    func signature() -> [String] {
        tree.names(in: "/sys/bus/usb/devices").filter { !$0.contains(":") }.map { name in
            "\(name) \(tree.attribute("\(Self.folder(name))/devnum") ?? "")"
        }
    }
}
