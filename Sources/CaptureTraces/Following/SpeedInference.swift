internal import USBCapture
internal import USBCore

/// Tells a device's speed from what it says and how it is used, for captures that do not say it.
///
/// The rule, in this order:
/// 1. `bcdUSB` of 3.0 or more with a `bMaxPacketSize0` of 9, an endpoint companion, or a bulk endpoint of 1024 bytes:
///    SuperSpeed.
/// 2. A bulk endpoint of 512 bytes, or a periodic one whose packets no full-speed bus could carry: high speed. A bulk
///    endpoint of 64 bytes or less: full speed.
/// 3. The interval of an interrupt endpoint as Linux numbers it differs between `bInterval` as an exponent (high speed)
///    and as frames (full and low speed): where the capture has one that fits only one of them, that one.
/// 4. No bulk or isochronous endpoint is known or used, `bMaxPacketSize0` is 8, and all interrupt packets are of 8 bytes
///    or less with an interval of 10 ms or more (8, as Linux rounds it): low speed.
/// 5. No endpoint is described, and a bulk transfer moved more than 4 KiB: high speed.
/// 6. Full speed. A device qualifier changes nothing here: hosts ask for it when a device runs slower than it could.
enum SpeedInference {
    static func speed(of device: CapturedDevice) -> Speed {
        let known = device.descriptors
        let endpoints = known.configurations.values.flatMap { endpointDescriptors(in: $0) }
        let version = known.device.count >= 4 ? UInt16(known.device[2]) | UInt16(known.device[3]) << 8 : 0
        let controlPacket = known.device.count >= 8 ? known.device[7] : nil

        if version >= 0x0300, controlPacket == 9 { return .super }
        if endpoints.contains(where: { $0.hasCompanion || ($0.type == .bulk && $0.packet >= 1024) }) { return .super }
        if endpoints.contains(where: \.isHighSpeedOnly) { return .high }
        if endpoints.contains(where: { $0.type == .bulk }) { return .full }
        for endpoint in endpoints where endpoint.type == .interrupt {
            guard let use = device.endpoints.first(where: { $0.endpoint == endpoint.address && $0.type == .interrupt }),
                use.interval > 0, endpoint.interval > 0
            else { continue }
            let exponent: Int32 = 1 << Int32(min(endpoint.interval, 16) - 1)
            let frames: Int32 = 1 << Int32(7 - UInt8(endpoint.interval).leadingZeroBitCount)
            // USBPcap and text captures give no interval; Linux rounds frames down to a power of two.
            if use.interval == exponent, exponent != frames { return .high }
        }
        let types = Set(endpoints.map(\.type) + device.endpoints.map(\.type))
        let isLargeBulkUsed = device.endpoints.contains { $0.type == .bulk && $0.largest > 4096 }
        if endpoints.isEmpty, isLargeBulkUsed { return .high }
        guard controlPacket == 8, !types.contains(.bulk), !types.contains(.isochronous) else { return .full }
        let described = endpoints.filter { $0.type == .interrupt }
        if !described.isEmpty { return described.allSatisfy { $0.packet <= 8 && $0.interval >= 10 } ? .low : .full }
        let used = device.endpoints.filter { $0.type == .interrupt }
        return !used.isEmpty && used.allSatisfy { $0.largest <= 8 && $0.interval >= 8 } ? .low : .full
    }

    /// What matters here of an endpoint descriptor.
    private struct Endpoint {
        var address: EndpointAddress
        var type: TransferType
        var packet: Int
        var additional: Int
        var interval: UInt8
        var hasCompanion = false

        /// Whether its packets exceed what full speed allows (USB 2.0 §5.6.3, §5.7.3, §5.8.3).
        var isHighSpeedOnly: Bool {
            switch type {
            case .bulk: packet == 512
            case .interrupt: packet > 64 || additional > 0
            case .isochronous: packet > 1023 || additional > 0
            case .control: false
            }
        }
    }

    /// The endpoints of a configuration that may be cut or wrong.
    private static func endpointDescriptors(in bytes: [UInt8]) -> [Endpoint] {
        var found: [Endpoint] = []
        var place = 0
        while place + 2 <= bytes.count {
            let length = Int(bytes[place])
            guard length >= 2, place + length <= bytes.count else { break }
            if bytes[place + 1] == DescriptorType.endpoint.rawValue, length >= 7 {
                let size = Int(bytes[place + 4]) | Int(bytes[place + 5]) << 8
                found.append(
                    Endpoint(
                        address: EndpointAddress(rawValue: bytes[place + 2]),
                        type: TransferType(rawValue: bytes[place + 3] & 3) ?? .control, packet: size & 0x7ff,
                        additional: size >> 11 & 3, interval: bytes[place + 6]))
            } else if bytes[place + 1] == DescriptorType.endpointCompanion.rawValue, !found.isEmpty {
                found[found.count - 1].hasCompanion = true
            }
            place += length
        }
        return found
    }
}
