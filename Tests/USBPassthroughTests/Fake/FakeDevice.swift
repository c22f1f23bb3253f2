import USBCore
import USBPassthrough

/// A device that is plugged into a ``FakeLibUSB``, with what the kernel knows of it.
struct FakeDevice: Sendable {
    /// Answers a transfer at once, or keeps it with nil; called under the fake's lock.
    typealias Answer = @Sendable (FakeTransfer) -> FakeOutcome?

    var listed: ListedDevice
    /// The selected configuration's value; 0 for none.
    var configuration: UInt8
    /// The selected alternate settings that are not 0, by interface.
    var alternates: [UInt8: UInt8] = [:]
    /// The interfaces that a kernel driver wants.
    var driven: Set<UInt8>
    /// The interfaces that a kernel driver has.
    var bound: Set<UInt8>
    var halted: Set<EndpointAddress> = []
    /// What endpoints other than zero do with a transfer.
    var answer: Answer = { _ in nil }
    /// What endpoint zero does with a request; nil for the requests of every device (``standardAnswer(_:)``).
    var control: Answer?

    /// Makes a device as the kernel leaves it after plugging in: configured, with drivers on `driven`.
    init(_ listed: ListedDevice, driven: Set<UInt8> = []) {
        self.listed = listed
        self.driven = driven
        configuration = listed.configurations.first?.value ?? 0
        bound = driven
    }

    /// The settings of the selected configuration.
    var settings: [ListedDevice.Setting] {
        listed.configurations.first { $0.value == configuration }?.settings ?? []
    }

    /// The interfaces of the selected configuration.
    var interfaces: Set<UInt8> { Set(settings.map(\.interface)) }

    /// The interface that has an endpoint in the settings now selected.
    func interface(of endpoint: EndpointAddress) -> UInt8? {
        settings.first { setting in
            setting.alternate == alternates[setting.interface, default: 0]
                && setting.endpoints.contains { $0.address == endpoint }
        }?.interface
    }

    /// Selects a configuration as the kernel does: its drivers take what they want.
    mutating func select(_ value: UInt8) {
        configuration = value
        alternates = [:]
        halted = []
        bound = driven.intersection(interfaces)
    }

    /// Answers the requests that every device knows; STALL to all others.
    func standardAnswer(_ transfer: FakeTransfer) -> FakeOutcome {
        guard let setup = transfer.setup, setup.kind == .standard else { return .failed(.stall) }
        switch (StandardRequest(rawValue: setup.request), setup.direction) {
        case (.getDescriptor, .in):
            guard let descriptor = descriptor(setup.value) else { return .failed(.stall) }
            return .completed(Array(descriptor.prefix(transfer.length)))
        case (.getConfiguration, .in): return .completed([configuration])
        case (.getInterface, .in):
            return .completed([alternates[UInt8(truncatingIfNeeded: setup.index), default: 0]])
        case (.getStatus, .in):
            let endpoint = EndpointAddress(rawValue: UInt8(truncatingIfNeeded: setup.index))
            return .completed([setup.recipient == .endpoint && halted.contains(endpoint) ? 1 : 0, 0])
        case (.setFeature, .out), (.clearFeature, .out): return .completed()
        default: return .failed(.stall)
        }
    }

    private func descriptor(_ value: UInt16) -> [UInt8]? {
        switch value >> 8 {
        case 1: return deviceDescriptor
        case 2:
            let index = Int(value & 0xff)
            guard listed.configurations.indices.contains(index) else { return nil }
            return configurationDescriptor(listed.configurations[index])
        case 3: return value & 0xff == 0 ? [4, 3, 0x09, 0x04] : nil
        default: return nil
        }
    }

    private var deviceDescriptor: [UInt8] {
        [18, 1, 0x00, 0x02] + listed.deviceClass + [64] + bytes(listed.vendorID) + bytes(listed.productID)
            + bytes(listed.release) + [0, 0, 0, UInt8(listed.configurations.count)]
    }

    private func configurationDescriptor(_ configuration: ListedDevice.Configuration) -> [UInt8] {
        var body: [UInt8] = []
        for setting in configuration.settings {
            body += [9, 4, setting.interface, setting.alternate, UInt8(setting.endpoints.count)]
            body += setting.classTriple + [0]
            for endpoint in setting.endpoints {
                body += [7, 5, endpoint.address.rawValue, endpoint.type.rawValue] + bytes(512) + [1]
            }
        }
        let interfaces = Set(configuration.settings.map(\.interface)).count
        return [9, 2] + bytes(UInt16(9 + body.count)) + [UInt8(interfaces), configuration.value, 0, 0x80, 50] + body
    }

    private func bytes(_ value: UInt16) -> [UInt8] {
        [UInt8(truncatingIfNeeded: value), UInt8(truncatingIfNeeded: value >> 8)]
    }
}
