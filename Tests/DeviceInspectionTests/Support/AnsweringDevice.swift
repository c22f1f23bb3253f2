import DeviceInspection
import USBCore

/// A device on paper: what it answers to each request, to be spoilt by a test.
struct AnsweringDevice {
    /// A request for data, without its length.
    struct Request: Hashable {
        var requestType: UInt8 = 0x80
        var request: UInt8 = 6
        var value: UInt16
        var index: UInt16 = 0
    }

    var record: ImportRecord
    /// What is not here is answered with STALL.
    var answers: [Request: ControlAnswer] = [:]

    /// A device that answers as a description says, configured with its first configuration.
    init(_ description: DeviceDescription) {
        let device = description.device
        let first = description.configurations.first
        record = ImportRecord(
            busID: "1-1", path: "/sys/devices/1-1", speed: description.speed.rawValue, vendorID: device.vendorID,
            productID: device.productID, release: device.deviceVersion,
            deviceClass: [device.deviceClass.rawValue, device.deviceSubclass, device.deviceProtocol],
            configurationValue: first?.value ?? 0, configurationCount: device.configurationCount,
            interfaceCount: first?.interfaceCount ?? 0)
        self[.device] = description.deviceDescriptorBytes
        for index in description.configurations.indices {
            self[.configuration, UInt8(index)] = description.configurationBytes(index: index)
            self[.otherSpeedConfiguration, UInt8(index)] = description.otherSpeedConfigurationBytes(index: index)
        }
        self[.bos] = description.bosBytes
        self[.deviceQualifier] = description.qualifierBytes
        self[.string] = description.stringBytes(index: 0, language: .unspecified)
        for index in description.strings.indices {
            for language in description.strings.languages {
                self[.string, index, language] = description.stringBytes(index: index, language: language)
            }
        }
        answers[Request(request: 8, value: 0)] = .bytes([first?.value ?? 0])
        answers[Request(request: 0, value: 0)] = .bytes([first?.isSelfPowered == true ? 1 : 0, 0])
    }

    /// A descriptor's bytes; nil for STALL.
    subscript(_ type: DescriptorType, _ index: UInt8 = 0, _ language: LanguageID = .unspecified) -> [UInt8]? {
        get { answers[Self.descriptor(type, index, language)]?.bytes }
        set { answers[Self.descriptor(type, index, language)] = newValue.map { .bytes($0) } ?? .stalled }
    }

    static func descriptor(
        _ type: DescriptorType, _ index: UInt8 = 0, _ language: LanguageID = .unspecified
    ) -> Request {
        Request(value: UInt16(type.rawValue) << 8 | UInt16(index), index: language.rawValue)
    }

    /// What comes back for a request: no more than was asked for.
    func answer(_ setup: SetupPacket) -> ControlAnswer {
        let request = Request(
            requestType: setup.requestType, request: setup.request, value: setup.value, index: setup.index)
        switch answers[request] ?? .stalled {
        case .bytes(let bytes): return .bytes([UInt8](bytes.prefix(Int(setup.length))))
        case let other: return other
        }
    }

    var raw: RawDevice { DeviceReading.read(record) { answer($0) } }

    var report: DeviceReport { DeviceReport(raw) }
}

/// Devices that break no law.
enum LawfulDevices {
    static func drive(_ speed: Speed) -> AnsweringDevice {
        AnsweringDevice(
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
            })
    }

    /// A boot keyboard at full speed, its report descriptor readable.
    static var keyboard: AnsweringDevice {
        var device = AnsweringDevice(
            DeviceDescription(speed: .full, vendorID: 0x1209, productID: 0x0002, product: "Keyboard") {
                Configuration(remoteWakeup: true, maxPowerMilliamps: 100) {
                    Interface(0, class: .hid, subclass: 1, protocol: 1) {
                        ClassDescriptor(type: .hid, 0x11, 0x01, 0x00, 0x01, 0x22, 0x17, 0x00)
                        Endpoint(.in(1), .interrupt, maxPacketSize: 8, interval: 10)
                    }
                }
            })
        // The modifier keys alone.
        device.answers[reportDescriptor] = .bytes([
            0x05, 0x01, 0x09, 0x06, 0xa1, 0x01, 0x05, 0x07, 0x19, 0xe0, 0x29, 0xe7, 0x15, 0x00, 0x25, 0x01, 0x75, 0x01,
            0x95, 0x08, 0x81, 0x02, 0xc0,
        ])
        // At full speed alone.
        device[.deviceQualifier] = nil
        return device
    }

    static let reportDescriptor = AnsweringDevice.Request(requestType: 0x81, value: 0x2200, index: 0)

    /// A headset at full speed, after Audio 1.0: terminals, a feature unit, and a stream.
    static var headset: AnsweringDevice {
        var device = AnsweringDevice(
            DeviceDescription(speed: .full, vendorID: 0x1209, productID: 0x0003, product: "Headset") {
                Configuration(maxPowerMilliamps: 100) {
                    Interface(0, class: .audio, subclass: 1) {
                        ClassDescriptor(type: .classInterface, 0x01, 0x00, 0x01, 0x28, 0x00, 0x01, 0x01)
                        ClassDescriptor(
                            type: .classInterface, 0x02, 0x01, 0x01, 0x01, 0x00, 0x02, 0x03, 0x00, 0x00, 0x00)
                        ClassDescriptor(type: .classInterface, 0x06, 0x02, 0x01, 0x01, 0x01, 0x02, 0x02, 0x00)
                        ClassDescriptor(type: .classInterface, 0x03, 0x03, 0x02, 0x03, 0x00, 0x02, 0x00)
                    }
                    Interface(1, class: .audio, subclass: 2)
                    Interface(1, alternate: 1, class: .audio, subclass: 2) {
                        ClassDescriptor(type: .classInterface, 0x01, 0x01, 0x01, 0x01, 0x00)
                        ClassDescriptor(
                            type: .classInterface, 0x02, 0x01, 0x02, 0x02, 0x10, 0x01, 0x80, 0xbb, 0x00)
                        Endpoint(.out(1), .isochronous, maxPacketSize: 192, synchronization: .adaptive) {
                            ClassDescriptor(type: .classEndpoint, 0x01, 0x01, 0x00, 0x00, 0x00)
                        }
                    }
                }
            })
        device[.deviceQualifier] = nil
        return device
    }

    /// A serial port of the communications class.
    static var serialPort: AnsweringDevice {
        AnsweringDevice(
            DeviceDescription(
                speed: .high, vendorID: 0x1209, productID: 0x0004, class: .miscellaneous, subclass: 2,
                protocol: 1, product: "Port"
            ) {
                Configuration(maxPowerMilliamps: 100) {
                    Association(class: .cdc, subclass: 2, protocol: 1) {
                        Interface(0, class: .cdc, subclass: 2, protocol: 1) {
                            ClassDescriptor(type: .classInterface, 0x00, 0x10, 0x01)
                            ClassDescriptor(type: .classInterface, 0x06, 0x00, 0x01)
                            Endpoint(.in(1), .interrupt, maxPacketSize: 16)
                        }
                        Interface(1, class: .cdcData) {
                            Endpoint(.out(2), .bulk)
                            Endpoint(.in(2), .bulk)
                        }
                    }
                }
            })
    }
}
