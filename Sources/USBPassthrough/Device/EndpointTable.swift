import USBCore

/// The endpoints of the settings that are selected now.
struct EndpointTable {
    private let configurations: [ListedDevice.Configuration]
    /// The selected configuration's value; 0 for none.
    private(set) var configuration: UInt8
    /// The selected alternate settings of interfaces; 0 where there is none.
    private var alternates: [UInt8: UInt8] = [:]
    /// By number, IN in the upper half.
    private var types: [TransferType?] = []

    init(_ configurations: [ListedDevice.Configuration], selected value: UInt8) {
        self.configurations = configurations
        configuration = value
        update()
    }

    /// The interfaces of a configuration, in order, each once.
    func interfaces(of value: UInt8) -> [UInt8] {
        var interfaces: [UInt8] = []
        for setting in configurations.first(where: { $0.value == value })?.settings ?? []
        where !interfaces.contains(setting.interface) {
            interfaces.append(setting.interface)
        }
        return interfaces
    }

    /// Whether there is such a configuration.
    func has(configuration value: UInt8) -> Bool { configurations.contains { $0.value == value } }

    /// The interface of the selected configuration that has an endpoint, in whatever setting; nil for none.
    func interface(of endpoint: EndpointAddress) -> UInt8? {
        configurations.first { $0.value == configuration }?.settings.first { setting in
            setting.endpoints.contains { $0.address == endpoint }
        }?.interface
    }

    func type(of endpoint: EndpointAddress) -> TransferType? { types[Self.index(endpoint)] }

    /// Takes note of SET_CONFIGURATION, which resets every alternate setting (USB 2.0 §9.4.7).
    mutating func select(configuration value: UInt8) {
        configuration = value
        alternates = [:]
        update()
    }

    /// Takes note of SET_INTERFACE (USB 2.0 §9.4.10).
    mutating func select(alternate: UInt8, of interface: UInt8) {
        alternates[interface] = alternate
        update()
    }

    private mutating func update() {
        types = Array(repeating: nil, count: 32)
        types[Self.index(.out(0))] = .control
        types[Self.index(.in(0))] = .control
        for setting in configurations.first(where: { $0.value == configuration })?.settings ?? []
        where setting.alternate == alternates[setting.interface] ?? 0 {
            for endpoint in setting.endpoints { types[Self.index(endpoint.address)] = endpoint.type }
        }
    }

    private static func index(_ endpoint: EndpointAddress) -> Int {
        Int(endpoint.number) + (endpoint.direction == .in ? 16 : 0)
    }
}
