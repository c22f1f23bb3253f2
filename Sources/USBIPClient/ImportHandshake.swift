import Glibc
import SocketIO
import USBIPWire

/// The op phase of an import: asks for a device and reads the answer.
enum ImportHandshake {
    /// - Throws: ``HostError``: ``HostError/refused(busID:status:)``, or what is wrong with the server.
    static func run(_ socket: StreamSocket, busID: String, until deadline: Deadline) throws(HostError) -> DeviceRecord {
        guard (1..<DeviceRecord.busIDSize).contains(busID.utf8.count), !busID.utf8.contains(0) else {
            throw .invalidRequest("a bus id has 1 to 31 bytes")
        }
        socket.setWriteTimeout(milliseconds: max(1, deadline.millisecondsLeft))
        do {
            try socket.sendAll(OpMessage.importRequest(busID: busID))
        } catch {
            throw .socket(error)
        }
        guard let header = OpHeader(parsing: try TimedReading.receive(OpHeader.size, socket, deadline)) else {
            throw .violation("it sent no header")
        }
        guard header.version == usbipVersion, header.code == .importReply else {
            throw .violation(
                "it does not answer an import as a USB/IP 1.1.1 server: version 0x\(String(header.version, radix: 16)),"
                    + " code 0x\(String(header.code.rawValue, radix: 16))")
        }
        guard header.status == .ok else { throw .refused(busID: busID, status: header.status) }
        guard let record = DeviceRecord(parsing: try TimedReading.receive(DeviceRecord.size, socket, deadline)) else {
            throw .violation("it sent a device record with a broken string")
        }
        guard record.busID == busID else {
            throw .violation("asked for \(busID), it gave \(String(reflecting: record.busID))")
        }
        socket.setReadTimeout(milliseconds: 0)
        socket.setWriteTimeout(milliseconds: 0)
        return record
    }
}
