package import USBCore

/// Asks a device for everything that it says of itself, and keeps each answer as it came, refusals included.
///
/// Only requests that read are sent: GET_DESCRIPTOR, GET_CONFIGURATION, GET_STATUS, and the two vendor requests by
/// which WebUSB and Microsoft OS 2.0 descriptors are read, where the device offers them.
package struct DeviceReading<Failure: Error> {
    /// Carries out a request for data; throws only where no further request makes sense.
    package typealias Ask = (SetupPacket) throws(Failure) -> ControlAnswer

    /// The most languages whose strings are read: a device may list 126, and each costs a request for each string.
    static var languageLimit: Int { 16 }
    /// After so many requests in a row without an answer nothing more is asked.
    static var patience: Int { 3 }

    private let ask: Ask
    private var unanswered = 0
    private var raw: RawDevice

    /// Reads a device.
    ///
    /// - Throws: what `ask` throws.
    package static func read(_ record: ImportRecord, _ ask: @escaping Ask) throws(Failure) -> RawDevice {
        var reading = DeviceReading(record, ask)
        try reading.readDevice()
        return reading.raw
    }

    private init(_ record: ImportRecord, _ ask: @escaping Ask) {
        self.ask = ask
        raw = RawDevice(record: record, device: .notAsked(""))
    }

    private mutating func readDevice() throws(Failure) {
        raw.device = try descriptor(.device, length: 18)
        guard let device = raw.device.bytes else { return }
        if device.count == 18, device[0] > 18 { raw.device = try descriptor(.device, length: UInt16(device[0])) }
        if device.count > 17 {
            for index in 0..<device[17] { raw.configurations.append(try configuration(.configuration, index)) }
        }
        let speed = AssumedSpeed(raw).speed
        let version = device.count > 3 ? UInt16(device[2]) | UInt16(device[3]) << 8 : 0
        if speed.isSuperSpeed || version >= 0x0201 { raw.bos = try store() }
        if speed == .high || speed == .full && version >= 0x0200 { try readOtherSpeed() }
        raw.selectedConfiguration = try send(0x80, .getConfiguration, length: 1)
        raw.status = try send(0x80, .getStatus, length: 2)
        try readClassDescriptors()
        try readPlatforms()
        try readStrings()
    }

    // MARK: Requests

    private mutating func send(_ setup: SetupPacket) throws(Failure) -> ControlAnswer {
        guard unanswered < Self.patience else { return .notAsked("the device has fallen silent") }
        let answer = try ask(setup)
        unanswered = answer == .silent ? unanswered + 1 : 0
        return answer
    }

    private mutating func send(
        _ requestType: UInt8, _ request: StandardRequest, value: UInt16 = 0, index: UInt16 = 0, length: UInt16
    ) throws(Failure) -> ControlAnswer {
        try send(
            SetupPacket(
                requestType: requestType, request: request.rawValue, value: value, index: index, length: length))
    }

    private mutating func descriptor(
        _ type: DescriptorType, _ index: UInt8 = 0, language: LanguageID = .unspecified, length: UInt16
    ) throws(Failure) -> ControlAnswer {
        try send(
            0x80, .getDescriptor, value: UInt16(type.rawValue) << 8 | UInt16(index), index: language.rawValue,
            length: length)
    }

    // MARK: Descriptors with a total length

    /// Asks for 255 bytes first, as Windows does: that shows what a device sends beyond its own `wTotalLength`.
    private mutating func configuration(_ type: DescriptorType, _ index: UInt8) throws(Failure) -> ControlAnswer {
        let start = try descriptor(type, index, length: 255)
        guard let bytes = start.bytes, let total = Self.totalLength(bytes) else { return start }
        guard Int(total) > bytes.count else { return start }
        // Some devices answer well only to the exact length.
        let whole = try descriptor(type, index, length: total)
        return (whole.bytes?.count ?? 0) >= bytes.count ? whole : start
    }

    private mutating func store() throws(Failure) -> ControlAnswer {
        let start = try descriptor(.bos, length: 5)
        guard let bytes = start.bytes, let total = Self.totalLength(bytes), Int(total) > bytes.count else {
            return start
        }
        let whole = try descriptor(.bos, length: total)
        return (whole.bytes?.count ?? 0) >= bytes.count ? whole : start
    }

    private static func totalLength(_ bytes: [UInt8]) -> UInt16? {
        bytes.count >= 4 ? UInt16(bytes[2]) | UInt16(bytes[3]) << 8 : nil
    }

    private mutating func readOtherSpeed() throws(Failure) {
        raw.qualifier = try descriptor(.deviceQualifier, length: 10)
        guard let bytes = raw.qualifier.bytes, bytes.count > 8 else { return }
        for index in 0..<bytes[8] {
            raw.otherConfigurations.append(try configuration(.otherSpeedConfiguration, index))
        }
    }

    // MARK: What other descriptors name

    /// Asks interfaces for the descriptors that their class has.
    ///
    /// A kernel that exports a device leaves it unconfigured. Most devices then answer all the same, for their first
    /// configuration.
    private mutating func readClassDescriptors() throws(Failure) {
        guard let selected = raw.selectedValue else { return }
        let value = selected == 0 ? raw.configurations.first?.bytes?.dropFirst(5).first : selected
        raw.classConfiguration = value
        for bytes in raw.configurations.compactMap(\.bytes) where bytes.count > 5 && bytes[5] == value {
            for reference in HIDReference.all(in: bytes) {
                let key = RawDevice.InterfaceKey(interface: reference.interface, type: reference.type)
                guard raw.classDescriptors[key] == nil else { continue }
                // More than is promised, as Windows asks, so that a longer one shows.
                raw.classDescriptors[key] = try send(
                    0x81, .getDescriptor, value: UInt16(reference.type) << 8, index: UInt16(reference.interface),
                    length: UInt16(clamping: Int(reference.length) + 64))
            }
        }
    }

    private mutating func readPlatforms() throws(Failure) {
        let offers = PlatformOffers(raw.bos.bytes ?? [])
        if let page = offers.webUSBPage {
            raw.webUSBPage = try send(
                SetupPacket(requestType: 0xc0, request: page.code, value: UInt16(page.index), index: 2, length: 255))
        }
        if let set = offers.microsoftSet {
            raw.microsoftSet = try send(
                SetupPacket(requestType: 0xc0, request: set.code, value: 0, index: 7, length: set.length))
        }
    }

    private mutating func readStrings() throws(Failure) {
        let indices = Set(DescriptorTree(raw).stringReferences.map(\.index)).sorted()
        guard !indices.isEmpty else { return }
        raw.languages = try descriptor(.string, length: 255)
        // Where the list cannot be read, hosts try English.
        let listed = raw.languageList
        for language in (listed.isEmpty ? [.englishUS] : listed).prefix(Self.languageLimit) {
            for index in indices {
                let key = RawDevice.StringKey(index: index, language: language)
                guard raw.strings[key] == nil else { continue }
                raw.strings[key] = try descriptor(.string, index, language: language, length: 255)
            }
        }
    }
}
