import USBCore

/// Device descriptions beside a capture: a `.umockdev` file, as `umockdev-record` writes it, or a `descriptors` file of
/// Linux's sysfs.
public enum UmockdevFile {
    /// The most bytes that a file may have.
    static let maximumSize: Int64 = 16 << 20
    /// The most devices that are taken from a file.
    static let maximumDevices = 4096

    /// What a file says of USB devices.
    ///
    /// - Throws: ``CaptureError`` when it cannot be read, is larger than 16 MiB, or describes no USB device.
    public static func announcements(path: String) throws(CaptureError) -> [DeviceAnnouncement] {
        let source = try ByteSource.open(path: path)
        guard source.size <= maximumSize else {
            throw CaptureError(.excessive, "The file is too large for a description of devices", offset: maximumSize)
        }
        let bytes = try unsafe source.piece(at: 0, count: Int(source.size))
        return try unsafe announcements(bytes: [UInt8](bytes))
    }

    /// What the bytes of a file say of USB devices.
    ///
    /// - Throws: ``CaptureError`` when they describe none.
    public static func announcements(bytes: [UInt8]) throws(CaptureError) -> [DeviceAnnouncement] {
        // bLength and bDescriptorType of a device descriptor (USB 2.0 §9.6.1); text does not begin so.
        if bytes.starts(with: [0x12, 0x01]) { return [try announcement(descriptors: bytes)] }
        var devices: [DeviceAnnouncement] = []
        var current: Record?
        for line in lines(bytes) {
            guard let colon = line.text.firstIndex(of: UInt8(ascii: ":")), colon == line.text.startIndex + 1 else {
                continue
            }
            let value = line.text[(colon + 1)...].drop { $0 == 0x20 }
            if line.text[line.text.startIndex] == UInt8(ascii: "P") {
                if let device = current?.announcement { devices.append(device) }
                guard devices.count < maximumDevices else {
                    throw CaptureError(
                        .excessive, "The file describes more than \(maximumDevices) devices", offset: line.offset)
                }
                current = Record(path: Record.unescaped(value))
            } else {
                try current?.take(line.text[line.text.startIndex], value, at: line.offset)
            }
        }
        if let device = current?.announcement { devices.append(device) }
        guard !devices.isEmpty else {
            throw CaptureError(
                .unsupported,
                "The file describes no USB device: expected is a .umockdev file, or a copy of a device's `descriptors`"
                    + " of /sys/bus/usb/devices",
                offset: 0)
        }
        return devices
    }

    private static func announcement(descriptors: [UInt8]) throws(CaptureError) -> DeviceAnnouncement {
        guard descriptors.count >= 18 else {
            throw CaptureError(.cut, "The device descriptor is cut", offset: Int64(descriptors.count))
        }
        var announcement = DeviceAnnouncement()
        announcement.descriptors = descriptors
        announcement.vendorID = UInt16(descriptors[8]) | UInt16(descriptors[9]) << 8
        announcement.productID = UInt16(descriptors[10]) | UInt16(descriptors[11]) << 8
        return announcement
    }

    private static func lines(_ bytes: [UInt8]) -> [(text: ArraySlice<UInt8>, offset: Int64)] {
        bytes.split(separator: 0x0a).map { line in
            (text: line.last == 0x0d ? line.dropLast() : line, offset: Int64(line.startIndex))
        }
    }

    /// One device of the file.
    private struct Record {
        /// Where it is in sysfs.
        let path: [UInt8]
        private var isUSBDevice = false
        private var said = DeviceAnnouncement()

        init(path: [UInt8]) { self.path = path }

        /// What is said of it; nil when it is not a USB device.
        var announcement: DeviceAnnouncement? {
            guard isUSBDevice || !said.descriptors.isEmpty else { return nil }
            var announcement = said
            if announcement.busID == nil, let name = path.split(separator: UInt8(ascii: "/")).last {
                announcement.busID = String(validating: name, as: UTF8.self)
            }
            return announcement
        }

        /// Takes a line: its kind, and what follows.
        mutating func take(_ kind: UInt8, _ value: ArraySlice<UInt8>, at offset: Int64) throws(CaptureError) {
            guard let equals = value.firstIndex(of: UInt8(ascii: "=")),
                let name = String(validating: value[..<equals], as: UTF8.self)
            else { return }
            let content = value[(equals + 1)...]
            switch kind {
            case UInt8(ascii: "E"): takeProperty(name, Self.text(content))
            case UInt8(ascii: "A"): takeAttribute(name, Self.text(Self.unescaped(content)[...]))
            case UInt8(ascii: "H"):
                guard name == "descriptors" else { return }
                guard let bytes = Self.hexadecimal(content) else {
                    throw CaptureError(.damaged, "The descriptors are not hexadecimal", offset: offset)
                }
                said.descriptors = bytes
            case UInt8(ascii: "L"): break
            default: break
            }
        }

        /// Takes a property of udev; attributes say the same more exactly.
        private mutating func takeProperty(_ name: String, _ text: String) {
            switch name {
            case "DEVTYPE": isUSBDevice = text == "usb_device"
            case "BUSNUM": said.bus = said.bus ?? UInt16(text)
            case "DEVNUM": said.device = said.device ?? UInt16(text)
            case "PRODUCT":
                let numbers = text.split(separator: "/").map { UInt16($0, radix: 16) }
                guard isUSBDevice, numbers.count == 3 else { return }
                said.vendorID = said.vendorID ?? numbers[0]
                said.productID = said.productID ?? numbers[1]
            default: break
            }
        }

        private mutating func takeAttribute(_ name: String, _ text: String) {
            switch name {
            case "busnum": said.bus = UInt16(text) ?? said.bus
            case "devnum": said.device = UInt16(text) ?? said.device
            case "idVendor": said.vendorID = UInt16(text, radix: 16) ?? said.vendorID
            case "idProduct": said.productID = UInt16(text, radix: 16) ?? said.productID
            case "manufacturer": said.manufacturer = text.isEmpty ? nil : text
            case "product": said.product = text.isEmpty ? nil : text
            case "serial": said.serialNumber = text.isEmpty ? nil : text
            case "speed": said.speed = Self.speed(text)
            default: break
            }
        }

        /// The speed that sysfs has in megabits per second.
        private static func speed(_ text: String) -> Speed? {
            switch text {
            case "1.5": .low
            case "12": .full
            case "480": .high
            case "5000": .super
            case "10000", "20000": .superPlus
            default: nil
            }
        }

        private static func text(_ bytes: ArraySlice<UInt8>) -> String {
            // The kernel ends attributes with a newline.
            let end = bytes.lastIndex { $0 != 0x0a && $0 != 0x20 }.map { $0 + 1 } ?? bytes.startIndex
            return String(decoding: bytes[..<end], as: UTF8.self)
        }

        private static func hexadecimal(_ text: ArraySlice<UInt8>) -> [UInt8]? {
            let digits = text.filter { $0 != 0x20 }.map { TextCursor.digit($0) }
            guard digits.count.isMultiple(of: 2) else { return nil }
            var bytes: [UInt8] = []
            bytes.reserveCapacity(digits.count / 2)
            for index in stride(from: 0, to: digits.count, by: 2) {
                guard let high = digits[index], let low = digits[index + 1] else { return nil }
                bytes.append(high << 4 | low)
            }
            return bytes
        }

        /// Undoes the escapes of C strings, with which the file has what would not fit a line.
        static func unescaped(_ text: ArraySlice<UInt8>) -> [UInt8] {
            guard text.contains(UInt8(ascii: "\\")) else { return Array(text) }
            var result: [UInt8] = []
            var rest = text
            while let character = rest.popFirst() {
                guard character == UInt8(ascii: "\\"), let escaped = rest.popFirst() else {
                    result.append(character)
                    continue
                }
                switch escaped {
                case UInt8(ascii: "n"): result.append(0x0a)
                case UInt8(ascii: "t"): result.append(0x09)
                case UInt8(ascii: "r"): result.append(0x0d)
                case UInt8(ascii: "b"): result.append(0x08)
                case UInt8(ascii: "f"): result.append(0x0c)
                case UInt8(ascii: "v"): result.append(0x0b)
                case UInt8(ascii: "0")...UInt8(ascii: "7"):
                    var value = UInt16(escaped - UInt8(ascii: "0"))
                    for _ in 0..<2 {
                        guard let digit = rest.first, digit >= UInt8(ascii: "0"), digit <= UInt8(ascii: "7") else {
                            break
                        }
                        value = value << 3 | UInt16(digit - UInt8(ascii: "0"))
                        rest = rest.dropFirst()
                    }
                    result.append(UInt8(truncatingIfNeeded: value))
                default: result.append(escaped)
                }
            }
            return result
        }
    }
}
