import USBCore

/// What comes near to something that is not there, in printable words.
struct NearMisses {
    let words: [String]

    init(of selector: DeviceSelector, among devices: [HostDevice]) {
        guard !devices.isEmpty else {
            words = []
            return
        }
        words =
            switch selector.form {
            case .ids(let vendor, let product, let serialNumber):
                Self.words(vendor, product, serialNumber, devices)
            case .place(let bus, let ports): Self.words(bus, ports, devices)
            case .every: []
            }
    }

    private static func words(
        _ vendor: UInt16, _ product: UInt16, _ serialNumber: String?, _ devices: [HostDevice]
    ) -> [String] {
        let ids = "\(HexDigits.of(vendor)):\(HexDigits.of(product))"
        let same = devices.filter { $0.ids == ids }
        if serialNumber != nil, !same.isEmpty {
            return same.map { device in
                let serial = device.serialNumber.map { "the serial number \(PrintableText.of($0))" }
                return "\(ids) at \(device.path) has \(serial ?? "no serial number")"
            }
        }
        let related = devices.filter { $0.listed.vendorID == vendor && !$0.isHub }
        return related.map { "of the same vendor is \($0.ids) at \($0.path)" }
    }

    private static func words(_ bus: UInt8, _ ports: [UInt8], _ devices: [HostDevice]) -> [String] {
        guard devices.contains(where: { $0.listed.bus == bus }) else { return ["there is no bus \(bus)"] }
        // The nearest thing upstream that is there.
        for count in stride(from: ports.count - 1, through: 0, by: -1) {
            let upstream = Array(ports.prefix(count))
            guard let device = devices.first(where: { $0.listed.bus == bus && $0.listed.ports == upstream }) else {
                continue
            }
            guard device.isHub else { return ["\(device.path) is no hub: it is \(device.ids) (\(device.name))"] }
            return count == ports.count - 1
                ? ["nothing is plugged into port \(ports[count]) of the hub \(device.path)"]
                : ["nothing is plugged into port \(ports[count]) of the hub \(device.path), so nothing beyond it"]
        }
        return []
    }
}
