public import SocketIO
public import USBIPWire

/// Asks a USB/IP server what it offers.
public enum DeviceList {
    /// The most devices that are read of an answer; a server that announces more is not believed.
    public static let limit: UInt32 = 65_536

    /// Fetches the list.
    ///
    /// - Parameter timeout: seconds for the connection and for each part of the answer.
    /// - Throws: ``SocketError`` that says what the server did and what to check.
    public static func fetch(from server: HostAndPort, timeout: Int32 = 10) throws(SocketError) -> [DeviceListEntry] {
        let socket = try StreamSocket.connect(to: server, timeout: timeout)
        socket.setReadTimeout(milliseconds: timeout * 1000)
        try socket.sendAll(OpMessage.deviceListRequest)
        guard let header = OpHeader(parsing: try socket.receiveExactly(OpHeader.size)) else {
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
        let countBytes = try socket.receiveExactly(4)
        let count = countBytes.reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        guard count <= limit else { throw SocketError("\(server) announces \(count) devices; that cannot be") }
        var entries: [DeviceListEntry] = []
        for _ in 0..<count {
            guard let device = DeviceRecord(parsing: try socket.receiveExactly(DeviceRecord.size)) else {
                throw SocketError("\(server) sent a device record with a broken string")
            }
            var interfaces: [ClassRecord] = []
            for _ in 0..<device.interfaceCount {
                let bytes = try socket.receiveExactly(ClassRecord.interfaceSize)
                interfaces.append(ClassRecord(bytes[0], bytes[1], bytes[2]))
            }
            entries.append(DeviceListEntry(device: device, interfaces: interfaces))
        }
        return entries
    }
}
