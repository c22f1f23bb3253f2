import CaptureTraces
import USBCore

/// Which endpoints of a recorded device belong together.
///
/// Endpoints of one interface do: where every IN endpoint has an OUT endpoint of its number, number by number, else all
/// together. An interface without an OUT endpoint plays by itself.
struct EndpointPlan {
    /// A Bulk-Only Transport interface.
    struct Disk {
        var interface: UInt8
        var input: EndpointAddress
        var output: EndpointAddress
    }

    private(set) var disks: [Disk] = []
    /// Bulk and interrupt endpoints that belong together.
    private(set) var groups: [[EndpointAddress]] = []
    private(set) var isochronous: [EndpointAddress] = []
    private var descriptors: [EndpointAddress: EndpointDescriptor] = [:]
    private var transfers: [EndpointAddress: [UInt32]] = [:]

    init(_ description: DeviceDescription, _ trace: Trace) {
        for (index, transfer) in trace.transfers.enumerated() where transfer.type != .control {
            guard transfer.isPlayable, let number = UInt32(exactly: index) else { continue }
            transfers[transfer.endpoint, default: []].append(number)
        }
        for configuration in description.configurations {
            for number in configuration.interfaceNumbers { take(configuration.alternates(of: number), number) }
        }
    }

    func type(of address: EndpointAddress) -> TransferType { descriptors[address]?.type ?? .bulk }

    func packetSize(of address: EndpointAddress, _ speed: Speed) -> Int {
        let declared = descriptors[address]?.packetSize ?? 0
        return declared > 0 ? declared : speed.isSuperSpeed ? 1024 : speed == .high ? 512 : 64
    }

    /// The recorded transfers of an endpoint that say what the device would do, as places in ``Trace/transfers``.
    mutating func takeTransfers(of address: EndpointAddress) -> [UInt32] {
        transfers.removeValue(forKey: address) ?? []
    }

    private mutating func take(_ settings: [AlternateSetting], _ number: UInt8) {
        var fresh: [EndpointDescriptor] = []
        for setting in settings {
            for endpoint in setting.endpoints where endpoint.address.number != 0 {
                guard descriptors[endpoint.address] == nil else { continue }
                descriptors[endpoint.address] = endpoint
                fresh.append(endpoint)
            }
        }
        isochronous += fresh.filter { $0.type == .isochronous }.map(\.address)
        var talking = fresh.filter { $0.type == .bulk || $0.type == .interrupt }.map(\.address)
        // Mass storage, Bulk-Only Transport (Mass Storage Class Specification Overview 1.4 §3).
        let disk = settings.first { $0.interfaceClass == .massStorage && $0.interfaceProtocol == 0x50 }
        if let disk {
            let bulk = disk.endpoints.filter { $0.type == .bulk && talking.contains($0.address) }.map(\.address)
            if let input = bulk.first(where: { $0.direction == .in }),
                let output = bulk.first(where: { $0.direction == .out }),
                !disks.contains(where: { $0.interface == number })
            {
                disks.append(Disk(interface: number, input: input, output: output))
                talking.removeAll { $0 == input || $0 == output }
            }
        }
        guard !talking.isEmpty else { return }
        let outputs = Set(talking.filter { $0.direction == .out }.map(\.number))
        let inputs = Set(talking.filter { $0.direction == .in }.map(\.number))
        if outputs.isEmpty {
            // Nothing makes one wait for the other.
            for address in talking { groups.append([address]) }
        } else if inputs.isSubset(of: outputs) {
            for number in outputs.sorted() { groups.append(talking.filter { $0.number == number }) }
        } else {
            groups.append(talking)
        }
    }
}
