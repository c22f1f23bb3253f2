import USBCore

/// Why no device was found, or not the one that was meant.
public enum InventoryError: Error, Hashable, Sendable {
    /// A text that is no selector or no condition: what is wrong with it, and what is allowed.
    case malformed(String)
    /// Libusb cannot list devices: why, and whether the kernel has USB at all.
    case unlisted(LibUSBError, hasBus: Bool)
    /// Nothing matches: what was looked for, what comes near it, and what there is.
    case notFound(String, near: [String], [HostDevice])
    /// Several match.
    case several(DeviceSelector, [HostDevice])
    /// `*` where one device is to be named.
    case everything
    /// A hub, which is never exported.
    case hub(HostDevice)
    /// Libusb refuses something: what, of which device, and why.
    case refused(String, HostDevice, LibUSBError)

    /// Whether what was asked for is wrong, rather than what it names not there.
    public var isMistake: Bool {
        switch self {
        case .malformed, .several, .everything, .hub: true
        case .unlisted, .notFound, .refused: false
        }
    }
}

extension InventoryError: CustomStringConvertible {
    /// The most devices that are listed in a message.
    private static let listLimit = 12

    /// What is wrong and what there is, in one printable line.
    public var description: String {
        switch self {
        case .malformed(let text): text
        case .unlisted(let error, true): "libusb cannot list the USB devices: \(error)"
        case .unlisted(_, false): Self.noBus
        case .notFound(let what, let near, let devices):
            "there is no device \(PrintableText.of(what)); "
                + (near.map { "\($0); " }.joined() + Self.list(devices))
        case .several(let selector, let devices):
            "\(devices.count) devices are \(PrintableText.of("\(selector)")); choose one by its place or its serial "
                + "number: \(Self.lines(devices))"
        case .everything: "'*' stands for several devices, which --match chooses; name one device here"
        case .hub(let device):
            "\(device.path) is a hub (\(device.name)), which cannot be exported; name what hangs on it"
        case .refused(let what, let device, let error): "\(device.path) (\(device.name)): cannot \(what): \(error)"
        }
    }

    /// What there is to say where the kernel has no USB.
    package static let noBus = "this machine has no USB: the kernel has no bus of that name (/sys/bus/usb)"

    private static func list(_ devices: [HostDevice]) -> String {
        guard !devices.isEmpty else { return "there is no USB device at all, not even a bus" }
        let shown = devices.filter { !$0.isHub }
        return shown.isEmpty ? "nothing is plugged in" : "there is: \(lines(shown))"
    }

    private static func lines(_ devices: [HostDevice]) -> String {
        var words = devices.prefix(listLimit).map(line)
        if devices.count > listLimit { words.append("and \(devices.count - listLimit) more ('ghostplug devices')") }
        return words.joined(separator: ", ")
    }

    private static func line(_ device: HostDevice) -> String {
        var words = ["\(device.path) = \(device.ids)"]
        if let serialNumber = device.serialNumber { words[0] += ":\(PrintableText.of(serialNumber))" }
        if device.name != device.ids { words.append("(\(device.name))") }
        return words.joined(separator: " ")
    }
}
