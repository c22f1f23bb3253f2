/// The kind of a failure: the first thing that a host looks at (SPC-4 §4.5.6, table 48).
public enum SenseKey: UInt8, Sendable {
    /// Nothing to report.
    case noSense = 0x0
    /// Succeeded after recovery.
    case recoveredError = 0x1
    /// The unit cannot be accessed.
    case notReady = 0x2
    /// The medium could not be read or written.
    case mediumError = 0x3
    /// The device failed.
    case hardwareError = 0x4
    /// The command or its parameters are wrong.
    case illegalRequest = 0x5
    /// Something changed since the last command.
    case unitAttention = 0x6
    /// The medium refuses it.
    case dataProtect = 0x7
    /// Blank medium.
    case blankCheck = 0x8
    /// The device gave up on the command.
    case abortedCommand = 0xB
    /// Data and medium differ.
    case miscompare = 0xE
}

/// What exactly happened: additional sense code and qualifier (SPC-4 annex F).
public struct AdditionalSense: Hashable, Sendable {
    /// The ASC.
    public let code: UInt8
    /// The ASCQ.
    public let qualifier: UInt8

    /// Makes a pair.
    public init(_ code: UInt8, _ qualifier: UInt8) {
        self.code = code
        self.qualifier = qualifier
    }

    static let none = AdditionalSense(0x00, 0x00)
    static let writeError = AdditionalSense(0x0C, 0x00)
    static let unrecoveredReadError = AdditionalSense(0x11, 0x00)
    static let parameterListLengthError = AdditionalSense(0x1A, 0x00)
    static let miscompare = AdditionalSense(0x1D, 0x00)
    static let invalidOpcode = AdditionalSense(0x20, 0x00)
    static let lbaOutOfRange = AdditionalSense(0x21, 0x00)
    static let invalidFieldInCDB = AdditionalSense(0x24, 0x00)
    static let unitNotSupported = AdditionalSense(0x25, 0x00)
    static let invalidFieldInParameterList = AdditionalSense(0x26, 0x00)
    static let writeProtected = AdditionalSense(0x27, 0x00)
    static let spaceAllocationFailed = AdditionalSense(0x27, 0x07)
    static let mediumMayHaveChanged = AdditionalSense(0x28, 0x00)
    static let powerOnOrReset = AdditionalSense(0x29, 0x00)
    static let modeParametersChanged = AdditionalSense(0x2A, 0x01)
    static let capacityChanged = AdditionalSense(0x2A, 0x09)
    static let incompatibleMedium = AdditionalSense(0x30, 0x00)
    static let savingNotSupported = AdditionalSense(0x39, 0x00)
    static let mediumNotPresent = AdditionalSense(0x3A, 0x00)
    static let mediumRemovalPrevented = AdditionalSense(0x53, 0x02)
}

/// Why a command failed, in every detail that is sent to the host (SPC-4 §4.5).
public struct Sense: Error, Hashable, Sendable {
    /// Which field of the request is wrong (SPC-4 §4.5.2.4.2).
    public struct FieldPointer: Hashable, Sendable {
        /// Whether the field is in the command descriptor block, rather than in the data sent with it.
        public let isInCDB: Bool
        /// The field's first byte.
        public let byte: UInt16
        /// The field's highest bit, 7 to 0; nil when the field begins with its byte.
        public let bit: UInt8?

        /// Makes a pointer.
        public init(isInCDB: Bool, byte: UInt16, bit: UInt8?) {
            self.isInCDB = isInCDB
            self.byte = byte
            self.bit = bit
        }

        /// The three sense-key specific bytes.
        var bytes: (UInt8, UInt8, UInt8) {
            let first = 0x80 | (isInCDB ? 0x40 : 0) | (bit.map { 0x08 | ($0 & 0x07) } ?? 0)
            return (first, UInt8(truncatingIfNeeded: byte >> 8), UInt8(truncatingIfNeeded: byte))
        }
    }

    /// The kind of failure.
    public let key: SenseKey
    /// What exactly happened.
    public let additional: AdditionalSense
    /// The INFORMATION field: the logical block address of a medium error, the byte offset of a miscompare.
    public let information: UInt64?
    /// The wrong field of an illegal request.
    public let field: FieldPointer?

    /// Makes a sense value.
    public init(
        _ key: SenseKey, _ additional: AdditionalSense, information: UInt64? = nil, field: FieldPointer? = nil
    ) {
        self.key = key
        self.additional = additional
        self.information = information
        self.field = field
    }

    /// Nothing to report.
    public static let none = Sense(.noSense, .none)

    static func illegalRequest(_ additional: AdditionalSense) -> Sense { Sense(.illegalRequest, additional) }

    static func invalidField(inCDB byte: UInt16, bit: UInt8? = nil) -> Sense {
        let field = FieldPointer(isInCDB: true, byte: byte, bit: bit)
        return Sense(.illegalRequest, .invalidFieldInCDB, field: field)
    }

    static func invalidField(inParameters byte: Int, bit: UInt8? = nil) -> Sense {
        let field = FieldPointer(isInCDB: false, byte: UInt16(clamping: byte), bit: bit)
        return Sense(.illegalRequest, .invalidFieldInParameterList, field: field)
    }
}

extension Sense {
    /// The sense data as sent to the host.
    ///
    /// The fixed form has 18 bytes (SPC-4 §4.5.3). Its INFORMATION field has 32 bits; a larger value is left out there,
    /// and VALID stays zero, as the standard asks. The descriptor form (§4.5.2) has 8 bytes and whatever describes the
    /// failure.
    public func bytes(asDescriptors: Bool) -> [UInt8] {
        asDescriptors ? descriptorBytes : fixedBytes
    }

    private var fixedBytes: [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 18)
        bytes[0] = 0x70
        bytes[2] = key.rawValue
        if let information, let short = UInt32(exactly: information) {
            bytes[0] |= 0x80
            bytes.put(short, at: 3)
        }
        bytes[7] = 10
        bytes[12] = additional.code
        bytes[13] = additional.qualifier
        if let field {
            (bytes[15], bytes[16], bytes[17]) = field.bytes
        }
        return bytes
    }

    private var descriptorBytes: [UInt8] {
        var bytes: [UInt8] = [0x72, key.rawValue, additional.code, additional.qualifier, 0, 0, 0, 0]
        if let information {
            bytes += [0x00, 0x0A, 0x80, 0x00]
            bytes.append(bigEndian: information)
        }
        if let field {
            let (first, second, third) = field.bytes
            bytes += [0x02, 0x06, 0, 0, first, second, third, 0]
        }
        bytes[7] = UInt8(truncatingIfNeeded: bytes.count - 8)
        return bytes
    }
}
