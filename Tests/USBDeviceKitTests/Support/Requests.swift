import DirectHost
import Testing
import USBCore
import USBDeviceKit

extension SetupPacket {
    static func setConfiguration(_ value: UInt16) -> Self { .init(requestType: 0x00, request: 9, value: value) }
    static let getConfiguration = Self(requestType: 0x80, request: 8, length: 1)

    static func setInterface(_ number: UInt16, alternate: UInt16) -> Self {
        .init(requestType: 0x01, request: 11, value: alternate, index: number)
    }

    static func getInterface(_ number: UInt16) -> Self {
        .init(requestType: 0x81, request: 10, index: number, length: 1)
    }

    static func getStatus(_ recipient: Recipient, _ index: UInt16 = 0) -> Self {
        .init(requestType: 0x80 | recipient.rawValue, request: 0, index: index, length: 2)
    }

    static func setFeature(_ recipient: Recipient, _ feature: UInt16, _ index: UInt16 = 0) -> Self {
        .init(requestType: recipient.rawValue, request: 3, value: feature, index: index)
    }

    static func clearFeature(_ recipient: Recipient, _ feature: UInt16, _ index: UInt16 = 0) -> Self {
        .init(requestType: recipient.rawValue, request: 1, value: feature, index: index)
    }

    static func getDescriptor(
        _ type: DescriptorType, _ index: UInt8 = 0, language: UInt16 = 0, length: UInt16 = 0xffff
    ) -> Self {
        .init(
            requestType: 0x80, request: 6, value: UInt16(type.rawValue) << 8 | UInt16(index), index: language,
            length: length)
    }

    static func halt(_ endpoint: EndpointAddress) -> Self { setFeature(.endpoint, 0, UInt16(endpoint.rawValue)) }
    static func clearHalt(_ endpoint: EndpointAddress) -> Self { clearFeature(.endpoint, 0, UInt16(endpoint.rawValue)) }
}

extension DirectHost {
    /// Whether a request is answered with success, at once.
    func accepts(_ setup: SetupPacket, _ bytes: [UInt8] = []) -> Bool { control(setup, bytes)?.status == .success }

    /// Whether a request is answered with STALL and no data, at once.
    func refuses(_ setup: SetupPacket, _ bytes: [UInt8] = []) -> Bool {
        let outcome = control(setup, bytes)
        return outcome?.status == .stalled && outcome?.actualLength == 0
    }

    /// The data of a request that succeeds, else nil.
    func answer(_ setup: SetupPacket) -> [UInt8]? {
        let outcome = control(setup)
        return outcome?.status == .success ? outcome?.data : nil
    }

    /// The halt bit as the device tells it; nil where there is no such endpoint.
    func isHalted(_ endpoint: EndpointAddress) -> Bool? {
        answer(.getStatus(.endpoint, UInt16(endpoint.rawValue))).map { $0 == [1, 0] }
    }

    /// The number of the configuration.
    var configuration: [UInt8]? { answer(.getConfiguration) }
}
