import USBCore

/// Devices that break no law at all; tests then break one.
enum SampleDevices {
    /// A mass-storage drive, the same declaration at every speed from full on.
    static func drive(_ speed: Speed) -> DeviceDescription {
        DeviceDescription(
            speed: speed, vendorID: 0x1209, productID: 0x0001, manufacturer: "Ghostplug", product: "Drive",
            serialNumber: "0123456789AB"
        ) {
            Configuration(maxPowerMilliamps: 100) {
                Interface(0, class: .massStorage, subclass: 0x06, protocol: 0x50) {
                    Endpoint(.in(1), .bulk)
                    Endpoint(.out(2), .bulk)
                }
            }
        }
    }

    /// A mouse at low speed.
    static func mouse() -> DeviceDescription {
        DeviceDescription(speed: .low, vendorID: 0x1209, productID: 0x0002, product: "Mouse") {
            Configuration(remoteWakeup: true, maxPowerMilliamps: 100) {
                Interface(0, class: .hid, subclass: 1, protocol: 2) {
                    ClassDescriptor(type: .hid, 0x11, 0x01, 0x00, 0x01, 0x22, 0x34, 0x00)
                    Endpoint(.in(1), .interrupt, maxPacketSize: 4, interval: 10)
                }
            }
        }
    }

    /// A serial port, a keyboard and a sound-like stream in one device.
    static func composite(_ speed: Speed) -> DeviceDescription {
        DeviceDescription(
            speed: speed, vendorID: 0x1209, productID: 0x0003, manufacturer: "Ghostplug", product: "Composite"
        ) {
            Configuration(name: "All of it", selfPowered: true, remoteWakeup: true, maxPowerMilliamps: 0) {
                Association(class: .cdc, subclass: 2, protocol: 1, name: "Serial") {
                    Interface(0, class: .cdc, subclass: 2, protocol: 1, name: "Serial") {
                        ClassDescriptor(type: .classInterface, 0x00, 0x10, 0x01)
                        ClassDescriptor(type: .classInterface, 0x06, 0x00, 0x01)
                        Endpoint(.in(1), .interrupt, maxPacketSize: 16)
                    }
                    Interface(1, class: .cdcData) {
                        Endpoint(.out(2), .bulk)
                        Endpoint(.in(2), .bulk)
                    }
                }
                Interface(2, class: .hid, subclass: 1, protocol: 1) {
                    ClassDescriptor(type: .hid, 0x11, 0x01, 0x00, 0x01, 0x22, 0x3f, 0x00)
                    Endpoint(.in(3), .interrupt, maxPacketSize: 8, every: .milliseconds(10))
                }
                Interface(3, class: .vendorSpecific, name: "Stream")
                Interface(3, alternate: 1, class: .vendorSpecific, name: "Stream") {
                    Endpoint(.in(4), .isochronous, maxPacketSize: 192, synchronization: .asynchronous) {
                        ClassDescriptor(type: .classEndpoint, 0x01, 0x00)
                    }
                }
            }
        }
    }
}

extension DeviceDescription {
    /// Changes the alternate setting that stands at a place among the first configuration's items.
    mutating func edit(item: Int = 0, _ change: (inout AlternateSetting) -> Void) {
        guard configurations.indices.contains(0), configurations[0].items.indices.contains(item),
            case .interface(var setting) = configurations[0].items[item]
        else { return }
        change(&setting)
        configurations[0].items[item] = .interface(setting)
    }

    /// Changes an endpoint of the alternate setting at a place among the first configuration's items.
    mutating func editEndpoint(item: Int = 0, _ index: Int = 0, _ change: (inout EndpointDescriptor) -> Void) {
        edit(item: item) { setting in
            guard setting.endpoints.indices.contains(index) else { return }
            change(&setting.endpoints[index])
        }
    }

    /// Changes the association at a place among the first configuration's items.
    mutating func editAssociation(item: Int = 0, _ change: (inout AssociationDescriptor) -> Void) {
        guard configurations.indices.contains(0), configurations[0].items.indices.contains(item),
            case .association(var association) = configurations[0].items[item]
        else { return }
        change(&association)
        configurations[0].items[item] = .association(association)
    }
}
