public import SocketIO
public import USBIPWire

/// Imports a device for somebody else to speak to, such as the kernel.
public enum RemoteImport {
    /// Connects to a server and imports a device.
    ///
    /// - Parameters:
    ///   - busID: the device's name at the server, 1 to 31 bytes.
    ///   - timeout: for the connection, and for the import's answer.
    /// - Returns: the socket, over which transfers may flow at once and nothing was read ahead, and what the server says
    ///   of the device.
    /// - Throws: as ``RemoteDevice/attach(to:busID:timeout:limits:)``.
    public static func open(
        _ server: HostAndPort, busID: String, timeout: Duration = .seconds(10)
    ) throws(HostError) -> (socket: StreamSocket, record: DeviceRecord) {
        let seconds = Int32(min(max(timeout.components.seconds, 1), 3600))
        let socket: StreamSocket
        do {
            socket = try StreamSocket.connect(to: server, timeout: seconds)
        } catch {
            throw .socket(error)
        }
        let record = try ImportHandshake.run(socket, busID: busID, until: Deadline(after: timeout))
        return (socket, record)
    }
}
