import HIDReports
import USBCore
import USBDeviceKit

extension HIDLink {
    /// The function's interface at a speed.
    func declaration(at speed: Speed) -> Interface {
        Interface(
            number, class: .hid, subclass: interface.boot == .none ? 0 : 1, protocol: interface.boot.rawValue,
            name: interface.name
        ) {
            // Between the interface and its endpoints (HID 1.11 §7.1).
            hidDescriptor
            Endpoint(
                pipe.address, .interrupt, maxPacketSize: packetSize(interface.inSize, sizes.longest(.input), speed),
                every: interface.every)
            if let output {
                Endpoint(
                    output.address, .interrupt,
                    maxPacketSize: packetSize(interface.outSize, sizes.longest(.output), speed),
                    every: interface.every)
            }
        }
    }

    /// The HID descriptor (HID 1.11 §6.2.1), which says how long the report descriptor is.
    var hidDescriptor: ClassDescriptor {
        let length = UInt16(clamping: interface.reportDescriptor.bytes.count)
        return ClassDescriptor(
            type: .hid, 0x11, 0x01, interface.country, 1, Self.reportDescriptorType.rawValue,
            UInt8(truncatingIfNeeded: length), UInt8(truncatingIfNeeded: length >> 8))
    }

    /// HID 1.11 §7.1.
    static let reportDescriptorType: DescriptorType = 0x22

    /// The bytes of a packet: what is asked for or what a report has, as far as the speed allows (USB 2.0 §5.7.3).
    private func packetSize(_ asked: UInt16?, _ longest: Int?, _ speed: Speed) -> UInt16 {
        let most: UInt16 =
            switch speed {
            case .low: 8
            case .full: 64
            case .high, .super, .superPlus: 1024
            }
        return min(max(1, asked ?? UInt16(clamping: longest ?? 64)), most)
    }
}
