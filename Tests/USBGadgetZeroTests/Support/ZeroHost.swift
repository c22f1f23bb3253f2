import DirectHost
import Testing
import USBCore
import USBDeviceKit
import USBGadgetZero

/// A gadget of the target under test with a host that has configured it.
final class ZeroHost {
    let device: GadgetDevice
    let host: DirectHost

    init(_ gadget: any Gadget, configuration: UInt16) throws {
        device = try GadgetDevice(gadget)
        host = DirectHost(device)
        try #require(host.control(.setConfiguration(configuration))?.status == .success)
    }

    /// Gadget zero in its source and sink configuration, at high speed.
    convenience init(_ pattern: TestPattern = .zeros, alternate: UInt16 = 0) throws {
        var configuration = ZeroGadget.Configuration()
        configuration.pattern = pattern
        try self.init(ZeroGadget(configuration), configuration: 3)
        try select(alternate)
    }

    /// Gadget zero in its loopback configuration, at high speed.
    static func loopback() throws -> ZeroHost { try ZeroHost(ZeroGadget(), configuration: 2) }

    func select(_ alternate: UInt16) throws {
        try #require(host.control(.setInterface(alternate))?.status == .success)
    }

    func counts(_ endpoint: EndpointAddress) throws -> EndpointCounts {
        try #require((device.gadget as? ZeroGadget)?.counts(of: endpoint))
    }

    /// Whether an endpoint says that it is halted.
    func isHalted(_ endpoint: EndpointAddress) -> Bool {
        host.control(.init(requestType: 0x82, request: 0, index: UInt16(endpoint.rawValue), length: 2))?.data == [1, 0]
    }
}

extension SetupPacket {
    static func setConfiguration(_ value: UInt16) -> Self { .init(requestType: 0x00, request: 9, value: value) }

    static func setInterface(_ alternate: UInt16) -> Self { .init(requestType: 0x01, request: 11, value: alternate) }

    static func halt(_ endpoint: EndpointAddress) -> Self {
        .init(requestType: 0x02, request: 3, index: UInt16(endpoint.rawValue))
    }

    static func clearHalt(_ endpoint: EndpointAddress) -> Self {
        .init(requestType: 0x02, request: 1, index: UInt16(endpoint.rawValue))
    }

    static func getDescriptor(_ type: DescriptorType, _ index: UInt8 = 0, length: UInt16 = 0xffff) -> Self {
        .init(requestType: 0x80, request: 6, value: UInt16(type.rawValue) << 8 | UInt16(index), length: length)
    }

    static func write(_ length: Int) -> Self {
        .init(requestType: 0x40, request: 0x5b, length: UInt16(clamping: length))
    }

    static func read(_ length: Int) -> Self {
        .init(requestType: 0xc0, request: 0x5c, length: UInt16(clamping: length))
    }
}

/// Linux's pattern 1: the index within the packet, modulo 63.
func mod63(_ count: Int, packet: Int) -> [UInt8] { cycled((0..<packet).map { UInt8($0 % 63) }, count) }

/// Bytes that differ from place to place.
func numbered(_ count: Int, from first: Int = 0) -> [UInt8] {
    cycled((0..<2_039).map { UInt8(truncatingIfNeeded: ($0 + first) &* 31 >> 3) }, count)
}

private func cycled(_ block: [UInt8], _ count: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count)
    while bytes.count < count { bytes += block.prefix(count - bytes.count) }
    return bytes
}
