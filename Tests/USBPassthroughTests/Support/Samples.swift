import Synchronization
import USBCore
import USBPassthrough

extension ListedDevice {
    private static let count = Atomic(0)

    /// A device with everything, at a place that no other test has.
    ///
    /// Configuration 1 has interface 0, whose alternate setting 1 has the isochronous endpoints 3 IN and 4 OUT, and
    /// interface 1 with bulk 1 IN, bulk 1 OUT, interrupt 2 IN and interrupt 2 OUT. Configuration 2 has interface 0 with
    /// bulk 5 IN.
    static func sample() -> ListedDevice {
        let place = count.add(1, ordering: .relaxed).oldValue
        let streams = [
            Endpoint(address: .in(3), type: .isochronous), Endpoint(address: .out(4), type: .isochronous),
        ]
        let pipes = [
            Endpoint(address: .in(1), type: .bulk), Endpoint(address: .out(1), type: .bulk),
            Endpoint(address: .in(2), type: .interrupt), Endpoint(address: .out(2), type: .interrupt),
        ]
        let first = [
            Setting(interface: 0, alternate: 0, classTriple: [1, 2, 0], endpoints: []),
            Setting(interface: 0, alternate: 1, classTriple: [1, 2, 0], endpoints: streams),
            Setting(interface: 1, alternate: 0, classTriple: [0xff, 0, 0], endpoints: pipes),
        ]
        let second = [
            Setting(
                interface: 0, alternate: 0, classTriple: [0xff, 1, 2],
                endpoints: [Endpoint(address: .in(5), type: .bulk)])
        ]
        return ListedDevice(
            bus: UInt8(1 + place % 200), address: 4, ports: [UInt8(1 + place / 200 % 200)], speed: .high,
            vendorID: 0x1209, productID: 0x0001, release: 0x0210, deviceClass: [0, 0, 0],
            configurations: [Configuration(value: 1, settings: first), Configuration(value: 2, settings: second)])
    }
}

extension SetupPacket {
    static func setConfiguration(_ value: UInt16) -> Self { .init(requestType: 0x00, request: 9, value: value) }
    static let getConfiguration = Self(requestType: 0x80, request: 8, length: 1)

    static func setInterface(_ number: UInt16, alternate: UInt16) -> Self {
        .init(requestType: 0x01, request: 11, value: alternate, index: number)
    }

    static func clearHalt(_ endpoint: EndpointAddress) -> Self {
        .init(requestType: 0x02, request: 1, value: 0, index: UInt16(endpoint.rawValue))
    }

    /// A vendor's request for `length` bytes from the device.
    static func vendorIn(_ length: UInt16) -> Self {
        .init(requestType: 0xc0, request: 0x42, value: 0x1234, index: 0x5678, length: length)
    }

    /// A vendor's request with `length` bytes for the device.
    static func vendorOut(_ length: UInt16) -> Self {
        .init(requestType: 0x40, request: 0x43, value: 0x1234, index: 0x5678, length: length)
    }
}
