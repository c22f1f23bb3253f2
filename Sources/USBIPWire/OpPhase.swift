// The op phase of the protocol: what a client and a server say before transfers flow. Layouts are those of Linux's
// tools (`usbip_network.h`, `usbip_common.h`).

/// The protocol version on the wire: 1.1.1.
public let usbipVersion: UInt16 = 0x0111

/// What an op-phase message asks or answers.
public struct OpCode: RawRepresentable, Hashable, Sendable {
    /// The code on the wire; bit 15 marks a request.
    public let rawValue: UInt16
    /// Makes a code from the wire's.
    public init(rawValue: UInt16) { self.rawValue = rawValue }
    /// Import a device: the connection then carries its transfers.
    public static let importRequest = Self(rawValue: 0x8003)
    /// Answers ``importRequest``.
    public static let importReply = Self(rawValue: 0x0003)
    /// List the devices.
    public static let deviceListRequest = Self(rawValue: 0x8005)
    /// Answers ``deviceListRequest``.
    public static let deviceListReply = Self(rawValue: 0x0005)
}

/// How an op-phase request ended.
public struct OpStatus: RawRepresentable, Hashable, Sendable {
    /// The status on the wire.
    public let rawValue: UInt32
    /// Makes a status from the wire's.
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    /// Done.
    public static let ok = Self(rawValue: 0)
    /// Not available, for whatever reason.
    public static let notAvailable = Self(rawValue: 1)
    /// The device is imported by another client.
    public static let deviceBusy = Self(rawValue: 2)
    /// The device is in an error state.
    public static let deviceError = Self(rawValue: 3)
    /// There is no such device.
    public static let noDevice = Self(rawValue: 4)
    /// Something else.
    public static let error = Self(rawValue: 5)
}

/// The eight bytes that begin every op-phase message.
public struct OpHeader: Hashable, Sendable {
    /// The size in bytes.
    public static let size = 8
    /// The sender's protocol version.
    public var version: UInt16
    /// What the message is.
    public var code: OpCode
    /// Zero in requests.
    public var status: OpStatus

    /// Makes a header of this version of the protocol.
    public init(_ code: OpCode, _ status: OpStatus = .ok) {
        version = usbipVersion
        self.code = code
        self.status = status
    }

    /// Reads a header; nil when there are fewer than eight bytes.
    public init?(parsing bytes: some Collection<UInt8>) {
        var reader = ByteReader(bytes)
        guard let version = reader.u16(), let code = reader.u16(), let status = reader.u32() else { return nil }
        self.version = version
        self.code = OpCode(rawValue: code)
        self.status = OpStatus(rawValue: status)
    }

    /// The eight bytes.
    public var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(bigEndian: version)
        bytes.append(bigEndian: code.rawValue)
        bytes.append(bigEndian: status.rawValue)
        return bytes
    }
}

/// A device as the op phase describes it: Linux's `usbip_usb_device`, 312 bytes.
public struct DeviceRecord: Hashable, Sendable {
    /// The size in bytes, without interface records.
    public static let size = 312
    /// The room for a bus id in bytes, its terminating zero included.
    public static let busIDSize = 32

    /// Where the server keeps the device; only displayed, at most 255 bytes of UTF-8.
    public var path: String
    /// The device's name at the server; at most 31 bytes.
    public var busID: String
    /// The bus number; up to 255, since Linux's tool keeps only eight bits.
    public var busNumber: UInt32
    /// The device number on the bus; up to 255.
    public var deviceNumber: UInt32
    /// The speed, by Linux's number.
    public var speed: UInt32
    /// `idVendor`.
    public var vendorID: UInt16
    /// `idProduct`.
    public var productID: UInt16
    /// `bcdDevice`.
    public var release: UInt16
    /// `bDeviceClass`, `bDeviceSubClass`, `bDeviceProtocol`.
    public var deviceClass: ClassRecord
    /// The selected configuration's value; 0 when none is.
    public var configurationValue: UInt8
    /// How many configurations there are.
    public var configurationCount: UInt8
    /// How many interfaces the selected configuration has.
    public var interfaceCount: UInt8

    /// Makes a record.
    public init(
        path: String, busID: String, busNumber: UInt32, deviceNumber: UInt32, speed: UInt32, vendorID: UInt16,
        productID: UInt16, release: UInt16, deviceClass: ClassRecord, configurationValue: UInt8,
        configurationCount: UInt8, interfaceCount: UInt8
    ) {
        self.path = path
        self.busID = busID
        self.busNumber = busNumber
        self.deviceNumber = deviceNumber
        self.speed = speed
        self.vendorID = vendorID
        self.productID = productID
        self.release = release
        self.deviceClass = deviceClass
        self.configurationValue = configurationValue
        self.configurationCount = configurationCount
        self.interfaceCount = interfaceCount
    }

    /// The identifier that clients put into every URB header.
    public var deviceID: UInt32 { busNumber << 16 | deviceNumber & 0xffff }

    /// Reads a record; nil when there are fewer than 312 bytes, or a string is not terminated.
    public init?(parsing bytes: some Collection<UInt8>) {
        var reader = ByteReader(bytes)
        guard let path = reader.string(256), let busID = reader.string(Self.busIDSize),
            let busNumber = reader.u32(), let deviceNumber = reader.u32(), let speed = reader.u32(),
            let vendorID = reader.u16(), let productID = reader.u16(), let release = reader.u16(),
            let deviceClass = reader.u8(), let subclass = reader.u8(), let deviceProtocol = reader.u8(),
            let configuration = reader.u8(), let configurations = reader.u8(), let interfaces = reader.u8()
        else { return nil }
        self.init(
            path: path, busID: busID, busNumber: busNumber, deviceNumber: deviceNumber, speed: speed,
            vendorID: vendorID, productID: productID, release: release,
            deviceClass: ClassRecord(deviceClass, subclass, deviceProtocol), configurationValue: configuration,
            configurationCount: configurations, interfaceCount: interfaces)
    }

    /// The 312 bytes; strings that are too long are cut.
    public var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.size)
        bytes.append(padded: path, to: 256)
        bytes.append(padded: busID, to: Self.busIDSize)
        bytes.append(bigEndian: busNumber)
        bytes.append(bigEndian: deviceNumber)
        bytes.append(bigEndian: speed)
        bytes.append(bigEndian: vendorID)
        bytes.append(bigEndian: productID)
        bytes.append(bigEndian: release)
        bytes += [
            deviceClass.code, deviceClass.subclass, deviceClass.protocol, configurationValue, configurationCount,
            interfaceCount,
        ]
        return bytes
    }
}

/// One device of a list, with the class of each of its interfaces.
public struct DeviceListEntry: Hashable, Sendable {
    /// The device.
    public var device: DeviceRecord
    /// Class, subclass and protocol of each interface, four bytes each on the wire.
    public var interfaces: [ClassRecord]

    /// Makes an entry; the record's interface count is set to match.
    public init(device: DeviceRecord, interfaces: [ClassRecord]) {
        self.device = device
        self.interfaces = Array(interfaces.prefix(255))
        self.device.interfaceCount = UInt8(self.interfaces.count)
    }
}

/// The class of a device or of an interface.
public struct ClassRecord: Hashable, Sendable {
    /// An interface's size on the wire in bytes: these three and padding.
    public static let interfaceSize = 4
    /// The class code.
    public var code: UInt8
    /// The subclass code.
    public var subclass: UInt8
    /// The protocol code.
    public var `protocol`: UInt8

    /// Makes a record.
    public init(_ code: UInt8, _ subclass: UInt8, _ protocol: UInt8) {
        self.code = code
        self.subclass = subclass
        self.protocol = `protocol`
    }
}

/// The messages of the op phase, whole.
public enum OpMessage {
    /// `OP_REQ_DEVLIST`.
    public static var deviceListRequest: [UInt8] { OpHeader(.deviceListRequest).bytes }

    /// `OP_REP_DEVLIST`.
    public static func deviceListReply(_ entries: [DeviceListEntry]) -> [UInt8] {
        var bytes = OpHeader(.deviceListReply).bytes
        bytes.append(bigEndian: UInt32(truncatingIfNeeded: entries.count))
        for entry in entries {
            bytes += entry.device.bytes
            for interface in entry.interfaces {
                bytes += [interface.code, interface.subclass, interface.protocol, 0]
            }
        }
        return bytes
    }

    /// `OP_REQ_IMPORT`; a bus id longer than 31 bytes is cut.
    public static func importRequest(busID: String) -> [UInt8] {
        var bytes = OpHeader(.importRequest).bytes
        bytes.append(padded: busID, to: DeviceRecord.busIDSize)
        return bytes
    }

    /// `OP_REP_IMPORT`: the device when it is imported, the bare header when it is not.
    public static func importReply(_ device: DeviceRecord) -> [UInt8] { OpHeader(.importReply).bytes + device.bytes }

    /// The bus id in an import request's body; nil when it is not terminated, empty or not UTF-8.
    public static func busID(inImportBody body: some Collection<UInt8>) -> String? {
        var reader = ByteReader(body)
        guard let text = reader.string(DeviceRecord.busIDSize), !text.isEmpty else { return nil }
        return text
    }
}
