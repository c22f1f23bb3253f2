import CaptureTraces
import USBCore

/// An alternate setting of an interface, as far as reading a capture needs it.
struct FunctionSetting: Hashable {
    var number: UInt8
    var alternate: UInt8
    var code: USBClass
    var subclass: UInt8
    var `protocol`: UInt8
    var endpoints: [EndpointAddress] = []

    /// Whether it speaks SCSI by the Bulk-Only Transport.
    var isBulkOnly: Bool { code == .massStorage && `protocol` == 0x50 }
}

/// Which interface an endpoint belongs to: what its transfers mean follows from that.
///
/// It makes the best of whatever descriptors a capture has. A device whose SET_CONFIGURATION lies before the capture is
/// taken to be in the first configuration that is known.
struct FunctionMap {
    /// Nothing sane has more alternate settings that share an endpoint; a file that lies shall not cost more.
    private static let candidateLimit = 64

    /// The device's class; nil where the device descriptor is not known.
    let deviceClass: USBClass?
    private var settings: [UInt8: [FunctionSetting]] = [:]
    private var byEndpoint: [UInt8: [EndpointAddress: [Int]]] = [:]
    private var byInterface: [UInt8: [UInt8: [Int]]] = [:]
    private var configuration: UInt8
    private var alternates: [UInt8: UInt8] = [:]

    init(_ descriptors: KnownDescriptors) {
        deviceClass = descriptors.device.count > 4 ? USBClass(rawValue: descriptors.device[4]) : nil
        var first: UInt8?
        for (_, bytes) in descriptors.configurations.sorted(by: { $0.key < $1.key }) {
            let value = bytes.byte(5)
            if first == nil { first = value }
            guard settings[value] == nil else { continue }
            let found = Self.settings(of: bytes)
            settings[value] = found
            var endpoints: [EndpointAddress: [Int]] = [:]
            var interfaces: [UInt8: [Int]] = [:]
            for (index, setting) in found.enumerated() {
                interfaces[setting.number, default: []].append(index)
                for endpoint in setting.endpoints { endpoints[endpoint, default: []].append(index) }
            }
            byEndpoint[value] = endpoints
            byInterface[value] = interfaces
        }
        configuration = first ?? 0
    }

    /// The settings of the selected configuration, in the order of their descriptors.
    var current: [FunctionSetting] { settings[configuration] ?? [] }

    /// The host selects a configuration.
    mutating func select(configuration value: UInt8) {
        alternates = [:]
        // 0 deselects: what still comes then belongs to what was there before.
        if value != 0, settings[value] != nil { configuration = value }
    }

    /// The host selects a setting of an interface.
    mutating func select(interface: UInt8, alternate: UInt8) { alternates[interface] = alternate }

    /// The setting that an endpoint belongs to.
    func function(of endpoint: EndpointAddress) -> FunctionSetting? {
        chosen(byEndpoint[configuration]?[endpoint])
    }

    /// The selected setting of an interface.
    func function(interface: UInt8) -> FunctionSetting? { chosen(byInterface[configuration]?[interface]) }

    private func chosen(_ candidates: [Int]?) -> FunctionSetting? {
        guard let candidates, let first = candidates.first else { return nil }
        let all = current
        for index in candidates.prefix(Self.candidateLimit) where index < all.count {
            if all[index].alternate == alternates[all[index].number] ?? 0 { return all[index] }
        }
        return first < all.count ? all[first] : nil
    }

    /// The settings that a configuration's descriptors declare (USB 2.0 §9.6.5), up to a length that makes no sense.
    static func settings(of bytes: [UInt8]) -> [FunctionSetting] {
        var found: [FunctionSetting] = []
        var place = 0
        while place + 2 <= bytes.count {
            let length = Int(bytes[place])
            guard length >= 2, place + length <= bytes.count else { break }
            switch bytes[place + 1] {
            case DescriptorType.interface.rawValue where length >= 9:
                found.append(
                    FunctionSetting(
                        number: bytes[place + 2], alternate: bytes[place + 3],
                        code: USBClass(rawValue: bytes[place + 5]), subclass: bytes[place + 6],
                        protocol: bytes[place + 7]))
            case DescriptorType.endpoint.rawValue where length >= 7 && !found.isEmpty:
                found[found.count - 1].endpoints.append(EndpointAddress(rawValue: bytes[place + 2] & 0x8f))
            default: break
            }
            place += length
        }
        return found
    }
}
