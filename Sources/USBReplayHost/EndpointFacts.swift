import CaptureTraces
import USBCore

/// What a capture's descriptors say of endpoints and interfaces, in whatever configuration and setting.
struct EndpointFacts {
    /// The configurations that can be read, by ascending index.
    let configurations: [ConfigurationDescription]
    private let endpoints: [EndpointAddress: EndpointDescriptor]
    private let settings: [EndpointAddress: AlternateSetting]
    private let deviceClass: UInt8?
    /// The index of the serial number's string; 0 for none.
    let serialNumberIndex: UInt8

    init(_ known: KnownDescriptors) {
        var configurations: [ConfigurationDescription] = []
        for index in known.configurations.keys.sorted() {
            guard let bytes = known.configurations[index],
                let configuration = try? ConfigurationDescription(parsing: bytes)
            else { continue }
            configurations.append(configuration)
        }
        var endpoints: [EndpointAddress: EndpointDescriptor] = [:]
        var settings: [EndpointAddress: AlternateSetting] = [:]
        for setting in configurations.flatMap(\.settings) {
            // The first setting that moves anything: alternate settings begin with one that reserves no time.
            for endpoint in setting.endpoints where (endpoints[endpoint.address]?.packetSize ?? 0) == 0 {
                endpoints[endpoint.address] = endpoint
                settings[endpoint.address] = setting
            }
        }
        self.configurations = configurations
        self.endpoints = endpoints
        self.settings = settings
        deviceClass = known.device.count > 4 ? known.device[4] : nil
        serialNumberIndex = known.device.count > 16 ? known.device[16] : 0
    }

    /// Whether the device is a hub (USB 2.0 §11.23.1).
    var isHub: Bool { deviceClass == 9 }

    /// The setting that has an endpoint, where it is known.
    func setting(of endpoint: EndpointAddress) -> AlternateSetting? { settings[endpoint] }

    /// An interface's first setting, where it is known.
    func interfaceSetting(_ number: UInt8) -> AlternateSetting? {
        for configuration in configurations {
            if let setting = configuration.settings.first(where: { $0.number == number }) { return setting }
        }
        return nil
    }

    /// The class of an interface, where it is known.
    func interfaceClass(_ number: UInt8) -> UInt8? { interfaceSetting(number)?.interfaceClass.rawValue }

    /// The bytes of an endpoint's packet; of an unknown endpoint the largest of its type at the speed (USB 2.0 §5.5.3 to §5.8.3).
    func packetSize(of endpoint: EndpointAddress, _ type: TransferType, at speed: Speed) -> Int {
        if let known = endpoints[endpoint], known.packetSize > 0 { return known.packetSize }
        switch (type, speed) {
        case (.bulk, .high): return 512
        case (_, .super), (_, .superPlus), (.interrupt, .high), (.isochronous, .high): return 1024
        case (.isochronous, _): return 1023
        case (.interrupt, .low): return 8
        default: return 64
        }
    }

    /// The polling interval in the units of Linux's `urb->interval`; 0 for control and bulk.
    ///
    /// A server that hands the transfer to its kernel must be told one, or it is refused there.
    func interval(of endpoint: EndpointAddress, _ type: TransferType, at speed: Speed) -> Int32 {
        guard type == .interrupt || type == .isochronous else { return 0 }
        guard let microframes = endpoints[endpoint]?.periodInMicroframes(at: speed) else { return 8 }
        guard speed == .low || speed == .full else { return Int32(clamping: microframes) }
        let frames = max(1, microframes / 8)
        // Linux rounds frames down to a power of two, 128 at most at low speed.
        let rounded = 1 << (Int.bitWidth - 1 - frames.leadingZeroBitCount)
        return Int32(min(rounded, speed == .low ? 128 : 1024))
    }
}
