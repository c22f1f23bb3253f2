import Glibc
import SocketIO
import TestSupport
import Testing
import USBCore
import USBIPClient
import USBIPWire

/// The other end of an import, played by the test: it answers what it likes.
final class HostilePeer: Sendable {
    let device: RemoteDevice
    private let socket: StreamSocket

    init(limits: HostLimits = HostLimits()) throws {
        let (near, far) = try Self.pair()
        socket = near
        socket.setReadTimeout(milliseconds: 20_000)
        // The answer can be sent before the question: the socket keeps it.
        try socket.sendAll(OpMessage.importReply(Self.record))
        device = try RemoteDevice.attach(over: far, busID: "1-1", limits: limits)
        #expect(try socket.receiveExactly(40) == OpMessage.importRequest(busID: "1-1"))
    }

    static func pair() throws -> (StreamSocket, StreamSocket) {
        var descriptors: [Int32] = [0, 0]
        try #require(unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &descriptors) == 0)
        return (StreamSocket(descriptor: descriptors[0]), StreamSocket(descriptor: descriptors[1]))
    }

    static var record: DeviceRecord {
        DeviceRecord(
            path: "/nowhere", busID: "1-1", busNumber: 3, deviceNumber: 7, speed: Speed.high.rawValue,
            vendorID: 0x1209, productID: 1, release: 0x0100, deviceClass: ClassRecord(0, 0, 0), configurationValue: 1,
            configurationCount: 1, interfaceCount: 1)
    }

    /// The next bytes that the host sent.
    func receive(_ count: Int) throws -> [UInt8] { try socket.receiveExactly(count) }

    /// The next command, which must be a submit.
    func submit() throws -> SubmitCommand {
        let bytes = try receive(URBWire.headerSize)
        return unsafe bytes.withUnsafeBytes { all in
            let header = unsafe all.baseAddress.map { unsafe SubmitCommand(header: $0) }
            return header ?? SubmitCommand(sequence: 0, deviceID: 0, direction: 9, endpoint: 0)
        }
    }

    /// The next command, which must be an unlink.
    func unlink() throws -> UnlinkMessage {
        let bytes = try receive(URBWire.headerSize)
        #expect(bytes[3] == 2, "CMD_UNLINK")
        return unsafe bytes.withUnsafeBytes { all in
            let header = unsafe all.baseAddress.map { unsafe UnlinkMessage(header: $0) }
            return header ?? UnlinkMessage(sequence: 0, argument: 0)
        }
    }

    func send(_ bytes: [UInt8]) throws { try socket.sendAll(bytes) }

    /// Ends the stream.
    func hangUp() { socket.shutdown() }

    /// Whether the host has hung up; waits until it has or has sent something.
    var isAtEnd: Bool {
        var byte: [UInt8] = [0]
        return unsafe byte.withUnsafeMutableBytes { unsafe socket.receive(into: $0) } <= 0
    }
}

extension StreamSocket {
    /// Ends the stream in the direction of the peer.
    func finishWriting() { _ = Glibc.shutdown(descriptor, Int32(SHUT_WR)) }
}

/// The bytes of an answer to a transfer.
func answer(_ header: SubmitReturn, _ data: [UInt8] = [], _ packets: [PacketDescriptor] = []) -> [UInt8] {
    unsafe written { unsafe header.encode(to: $0) } + data + packets.flatMap(bytes(of:))
}

/// The bytes of an answer to an unlink.
func answer(_ message: UnlinkMessage) -> [UInt8] {
    unsafe written { unsafe message.encode(to: $0, as: .returnUnlink) }
}

private func written(_ body: (UnsafeMutableRawPointer) -> Void) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: URBWire.headerSize)
    unsafe bytes.withUnsafeMutableBytes { all in
        if let start = all.baseAddress { unsafe body(start) }
    }
    return bytes
}
