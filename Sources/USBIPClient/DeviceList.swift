public import SocketIO
public import USBIPWire

/// Asks a USB/IP server what it offers.
public enum DeviceList {
    /// The most devices that are read of an answer; a server that announces more is not believed.
    public static let limit: UInt32 = 65_536

    /// Fetches the list.
    ///
    /// - Parameter timeout: seconds for the whole of it, 1 to 3600; what is outside is cut to that.
    /// - Throws: ``SocketError`` that says what the server did and what to check.
    public static func fetch(from server: HostAndPort, timeout: Int32 = 10) throws(SocketError) -> [DeviceListEntry] {
        let seconds = min(max(timeout, 1), 3600)
        let deadline = Deadline(after: .seconds(seconds))
        let socket = try StreamSocket.connect(to: server, timeout: seconds)
        return try fetch(over: socket, named: "\(server)", until: deadline)
    }

    /// Fetches the list over a stream that is connected already.
    static func fetch(
        over socket: StreamSocket, named server: String, until deadline: Deadline
    ) throws(SocketError) -> [DeviceListEntry] {
        func receive(_ count: Int) throws(SocketError) -> [UInt8] {
            do throws(HostError) {
                return try TimedReading.receive(count, socket, deadline)
            } catch {
                if case .socket(let cause) = error { throw cause }
                throw SocketError("\(server): \(error)")
            }
        }
        socket.setWriteTimeout(milliseconds: max(1, deadline.millisecondsLeft))
        try socket.sendAll(OpMessage.deviceListRequest)
        guard let header = OpHeader(parsing: try receive(OpHeader.size)) else {
            throw SocketError("\(server) sent no header")
        }
        guard header.version == usbipVersion, header.code == .deviceListReply else {
            throw SocketError(
                "\(server) does not answer as a USB/IP 1.1.1 server: version 0x\(String(header.version, radix: 16)), "
                    + "code 0x\(String(header.code.rawValue, radix: 16))")
        }
        guard header.status == .ok else {
            throw SocketError("\(server) refuses to list its devices: status \(header.status.rawValue)")
        }
        let countBytes = try receive(4)
        let count = countBytes.reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        guard count <= limit else { throw SocketError("\(server) announces \(count) devices; that cannot be") }
        var entries: [DeviceListEntry] = []
        for _ in 0..<count {
            guard let device = DeviceRecord(parsing: try receive(DeviceRecord.size)) else {
                throw SocketError("\(server) sent a device record with a broken string")
            }
            var interfaces: [ClassRecord] = []
            for _ in 0..<device.interfaceCount {
                let bytes = try receive(ClassRecord.interfaceSize)
                interfaces.append(ClassRecord(bytes[0], bytes[1], bytes[2]))
            }
            entries.append(DeviceListEntry(device: device, interfaces: interfaces))
        }
        return entries
    }
}
