public import USBCore

// The URB phase of the protocol: fixed 48-byte headers, big-endian but for the setup bytes, which travel as on the
// bus. Sizes and offsets are those of Linux's `usbip_header`, checked there because its text description errs.

/// What a 48-byte header asks or answers.
public enum URBCommand: UInt32, Sendable {
    /// The client submits a transfer.
    case submit = 1
    /// The client takes a transfer back.
    case unlink = 2
    /// The server answers a submit.
    case returnSubmit = 3
    /// The server answers an unlink.
    case returnUnlink = 4
}

/// The sizes of the URB phase.
public enum URBWire {
    /// Every header's size in bytes.
    public static let headerSize = 48
    /// An isochronous packet descriptor's size in bytes.
    public static let packetSize = 16
    /// The most isochronous packets in one transfer, as Linux has it (`USBIP_MAX_ISO_PACKETS`).
    public static let maximumPackets = 1024
}

/// `CMD_SUBMIT`: a transfer that the client submits.
@frozen public struct SubmitCommand: Hashable, Sendable {
    /// Names the transfer in its answer and in an unlink.
    public var sequence: UInt32
    /// The imported device: bus number in the high half, device number in the low.
    public var deviceID: UInt32
    /// 0 OUT, 1 IN; a control transfer without data says OUT whatever its setup says.
    public var direction: UInt32
    /// The endpoint number without its direction, 0 to 15.
    public var endpoint: UInt32
    /// Linux's transfer flags; most are noise from the client's kernel.
    public var flags: UInt32
    /// The bytes that follow (OUT) or that the client has room for (IN).
    public var length: Int32
    /// Isochronous: the frame to start in; else noise.
    public var startFrame: Int32
    /// Isochronous: the packets; else 0 or -1 depending on the client.
    public var packetCount: Int32
    /// The polling interval as the client's core computed it.
    public var interval: Int32
    /// The setup bytes of a control transfer.
    public var setup: SetupPacket

    /// Makes a command.
    public init(
        sequence: UInt32, deviceID: UInt32, direction: UInt32, endpoint: UInt32, flags: UInt32 = 0, length: Int32 = 0,
        startFrame: Int32 = 0, packetCount: Int32 = 0, interval: Int32 = 0,
        setup: SetupPacket = SetupPacket(littleEndian: 0)
    ) {
        self.sequence = sequence
        self.deviceID = deviceID
        self.direction = direction
        self.endpoint = endpoint
        self.flags = flags
        self.length = length
        self.startFrame = startFrame
        self.packetCount = packetCount
        self.interval = interval
        self.setup = setup
    }

    /// Reads the fields of a header whose command is ``URBCommand/submit``.
    ///
    /// - Parameter header: at least 48 bytes.
    @inlinable @unsafe
    public init(header: UnsafeRawPointer) {
        sequence = unsafe header.word(1)
        deviceID = unsafe header.word(2)
        direction = unsafe header.word(3)
        endpoint = unsafe header.word(4)
        flags = unsafe header.word(5)
        length = unsafe Int32(bitPattern: header.word(6))
        startFrame = unsafe Int32(bitPattern: header.word(7))
        packetCount = unsafe Int32(bitPattern: header.word(8))
        interval = unsafe Int32(bitPattern: header.word(9))
        setup = unsafe SetupPacket(
            littleEndian: UInt64(littleEndian: header.loadUnaligned(fromByteOffset: 40, as: UInt64.self)))
    }

    /// Writes the header.
    ///
    /// - Parameter header: room for 48 bytes.
    @inlinable @unsafe
    public func encode(to header: UnsafeMutableRawPointer) {
        unsafe header.setWord(0, URBCommand.submit.rawValue)
        unsafe header.setWord(1, sequence)
        unsafe header.setWord(2, deviceID)
        unsafe header.setWord(3, direction)
        unsafe header.setWord(4, endpoint)
        unsafe header.setWord(5, flags)
        unsafe header.setWord(6, UInt32(bitPattern: length))
        unsafe header.setWord(7, UInt32(bitPattern: startFrame))
        unsafe header.setWord(8, UInt32(bitPattern: packetCount))
        unsafe header.setWord(9, UInt32(bitPattern: interval))
        unsafe header.storeBytes(of: setup.littleEndian.littleEndian, toByteOffset: 40, as: UInt64.self)
    }
}

/// `RET_SUBMIT`: the outcome of a transfer.
@frozen public struct SubmitReturn: Hashable, Sendable {
    /// The command's sequence number.
    public var sequence: UInt32
    /// Zero or a negative Linux errno.
    public var status: Int32
    /// The bytes moved: those that follow (IN), or those taken (OUT).
    public var actualLength: Int32
    /// Isochronous: the frame it started in; else 0.
    public var startFrame: Int32
    /// Isochronous: the packets, as many as were submitted; else 0.
    public var packetCount: Int32
    /// Isochronous: the packets that failed; else 0.
    public var errorCount: Int32

    /// Makes an answer.
    @inlinable
    public init(
        sequence: UInt32, status: Int32 = 0, actualLength: Int32 = 0, startFrame: Int32 = 0, packetCount: Int32 = 0,
        errorCount: Int32 = 0
    ) {
        self.sequence = sequence
        self.status = status
        self.actualLength = actualLength
        self.startFrame = startFrame
        self.packetCount = packetCount
        self.errorCount = errorCount
    }

    /// Reads the fields of a header whose command is ``URBCommand/returnSubmit``.
    ///
    /// - Parameter header: at least 48 bytes.
    @inlinable @unsafe
    public init(header: UnsafeRawPointer) {
        sequence = unsafe header.word(1)
        status = unsafe Int32(bitPattern: header.word(5))
        actualLength = unsafe Int32(bitPattern: header.word(6))
        startFrame = unsafe Int32(bitPattern: header.word(7))
        packetCount = unsafe Int32(bitPattern: header.word(8))
        errorCount = unsafe Int32(bitPattern: header.word(9))
    }

    /// Writes the header; device id, direction and endpoint are zero, as Linux's server has them.
    ///
    /// - Parameter header: room for 48 bytes.
    @inlinable @unsafe
    public func encode(to header: UnsafeMutableRawPointer) {
        unsafe header.setWord(0, URBCommand.returnSubmit.rawValue)
        unsafe header.setWord(1, sequence)
        unsafe header.setWord(2, 0)
        unsafe header.setWord(3, 0)
        unsafe header.setWord(4, 0)
        unsafe header.setWord(5, UInt32(bitPattern: status))
        unsafe header.setWord(6, UInt32(bitPattern: actualLength))
        unsafe header.setWord(7, UInt32(bitPattern: startFrame))
        unsafe header.setWord(8, UInt32(bitPattern: packetCount))
        unsafe header.setWord(9, UInt32(bitPattern: errorCount))
        unsafe header.storeBytes(of: 0, toByteOffset: 40, as: UInt64.self)
    }
}

/// `CMD_UNLINK` and `RET_UNLINK`, which differ in the meaning of one word.
@frozen public struct UnlinkMessage: Hashable, Sendable {
    /// The unlink's own sequence number, the same in command and answer.
    public var sequence: UInt32
    /// The imported device; zero in answers.
    public var deviceID: UInt32
    /// In the command the victim's sequence number, in the answer the status as a bit pattern.
    public var argument: UInt32

    /// Makes a message.
    @inlinable
    public init(sequence: UInt32, deviceID: UInt32 = 0, argument: UInt32) {
        self.sequence = sequence
        self.deviceID = deviceID
        self.argument = argument
    }

    /// Reads the fields of a header whose command is ``URBCommand/unlink`` or ``URBCommand/returnUnlink``.
    ///
    /// - Parameter header: at least 48 bytes.
    @inlinable @unsafe
    public init(header: UnsafeRawPointer) {
        sequence = unsafe header.word(1)
        deviceID = unsafe header.word(2)
        argument = unsafe header.word(5)
    }

    /// Writes the header.
    ///
    /// - Parameters:
    ///   - header: room for 48 bytes.
    ///   - command: ``URBCommand/unlink`` or ``URBCommand/returnUnlink``.
    @inlinable @unsafe
    public func encode(to header: UnsafeMutableRawPointer, as command: URBCommand) {
        unsafe header.initializeMemory(as: UInt8.self, repeating: 0, count: URBWire.headerSize)
        unsafe header.setWord(0, command.rawValue)
        unsafe header.setWord(1, sequence)
        unsafe header.setWord(2, deviceID)
        unsafe header.setWord(5, argument)
    }
}

/// An isochronous packet descriptor as it travels after the data.
@frozen public struct PacketDescriptor: Hashable, Sendable {
    /// Where the packet begins in the client's buffer.
    public var offset: UInt32
    /// The packet's length.
    public var length: UInt32
    /// The bytes moved; 0 in commands.
    public var actualLength: UInt32
    /// Zero or a negative errno; -18 in commands from Linux.
    public var status: Int32

    /// Makes a descriptor.
    @inlinable
    public init(offset: UInt32, length: UInt32, actualLength: UInt32 = 0, status: Int32 = 0) {
        self.offset = offset
        self.length = length
        self.actualLength = actualLength
        self.status = status
    }

    /// Reads a descriptor from 16 bytes.
    @inlinable @unsafe
    public init(bytes: UnsafeRawPointer) {
        offset = unsafe bytes.word(0)
        length = unsafe bytes.word(1)
        actualLength = unsafe bytes.word(2)
        status = unsafe Int32(bitPattern: bytes.word(3))
    }

    /// Writes the 16 bytes.
    @inlinable @unsafe
    public func encode(to bytes: UnsafeMutableRawPointer) {
        unsafe bytes.setWord(0, offset)
        unsafe bytes.setWord(1, length)
        unsafe bytes.setWord(2, actualLength)
        unsafe bytes.setWord(3, UInt32(bitPattern: status))
    }
}

extension UnsafeRawPointer {
    /// The big-endian 32-bit word at 4 × `index`.
    @inlinable @inline(__always) @unsafe
    public func word(_ index: Int) -> UInt32 {
        unsafe UInt32(bigEndian: loadUnaligned(fromByteOffset: index &* 4, as: UInt32.self))
    }
}

extension UnsafeMutableRawPointer {
    /// Stores `value` big-endian at 4 × `index`.
    @inlinable @inline(__always) @unsafe
    public func setWord(_ index: Int, _ value: UInt32) {
        unsafe storeBytes(of: value.bigEndian, toByteOffset: index &* 4, as: UInt32.self)
    }
}
