/// The eight bytes that begin a control transfer (USB 2.0 §9.3).
public struct SetupPacket: Hashable, Sendable {
    /// `bmRequestType`: direction, type and recipient.
    public var requestType: UInt8
    /// `bRequest`.
    public var request: UInt8
    /// `wValue`.
    public var value: UInt16
    /// `wIndex`.
    public var index: UInt16
    /// `wLength`: the bytes of the data stage, 0 to 65535.
    public var length: UInt16

    /// Makes a setup packet from its five fields.
    @inlinable
    public init(requestType: UInt8, request: UInt8, value: UInt16 = 0, index: UInt16 = 0, length: UInt16 = 0) {
        self.requestType = requestType
        self.request = request
        self.value = value
        self.index = index
        self.length = length
    }

    /// Makes a setup packet from the eight bytes as they stand in memory, little-endian fields as on the bus.
    ///
    /// - Parameter bytes: the eight bytes loaded as one little-endian number.
    @inlinable
    public init(littleEndian bytes: UInt64) {
        requestType = UInt8(truncatingIfNeeded: bytes)
        request = UInt8(truncatingIfNeeded: bytes >> 8)
        value = UInt16(truncatingIfNeeded: bytes >> 16)
        index = UInt16(truncatingIfNeeded: bytes >> 32)
        length = UInt16(truncatingIfNeeded: bytes >> 48)
    }

    /// The eight bytes as one little-endian number; the inverse of ``init(littleEndian:)``.
    @inlinable public var littleEndian: UInt64 {
        UInt64(requestType) | UInt64(request) << 8 | UInt64(value) << 16 | UInt64(index) << 32 | UInt64(length) << 48
    }

    /// Who defines a request: bits 6:5 of `bmRequestType`.
    public enum Kind: UInt8, Sendable {
        /// Chapter 9 of the USB specification.
        case standard = 0
        /// The device class's specification.
        case `class` = 1
        /// The device's maker.
        case vendor = 2
        /// Reserved by the specification.
        case reserved = 3
    }

    /// Whom a request addresses: bits 4:0 of `bmRequestType`.
    public struct Recipient: RawRepresentable, Hashable, Sendable {
        /// The five bits, 0 to 31.
        public let rawValue: UInt8
        /// Makes a recipient from the five bits.
        @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }
        /// The whole device.
        public static let device = Self(rawValue: 0)
        /// The interface in the low byte of `wIndex`.
        public static let interface = Self(rawValue: 1)
        /// The endpoint in the low byte of `wIndex`.
        public static let endpoint = Self(rawValue: 2)
        /// Something the class defines.
        public static let other = Self(rawValue: 3)
    }

    /// The data stage's direction: bit 7 of `bmRequestType`.
    @inlinable public var direction: Direction { requestType & 0x80 == 0 ? .out : .in }

    /// Who defines the request.
    @inlinable public var kind: Kind { Kind(rawValue: requestType >> 5 & 3) ?? .reserved }

    /// Whom the request addresses.
    @inlinable public var recipient: Recipient { Recipient(rawValue: requestType & 0x1f) }
}

extension SetupPacket: CustomStringConvertible {
    /// The fields in hexadecimal, such as `80 06 wValue 0100 wIndex 0000 wLength 18`.
    public var description: String {
        func hex(_ value: UInt16, _ digits: Int) -> String {
            let text = String(value, radix: 16)
            return String(repeating: "0", count: max(0, digits - text.count)) + text
        }
        return "\(hex(UInt16(requestType), 2)) \(hex(UInt16(request), 2)) wValue \(hex(value, 4)) "
            + "wIndex \(hex(index, 4)) wLength \(length)"
    }
}
