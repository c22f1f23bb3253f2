import CommandSupport
import DeviceControl
import DeviceModels
import Logging
import SocketIO
import Testing
import USBIPClient
import USBIPServer

/// A server on a port of its own, with devices that a test controls.
struct Bench {
    let devices: RunningDevices
    let address: HostAndPort

    init(_ specifications: String...) throws {
        var configuration = ServerConfiguration()
        configuration.listen = [HostAndPort(host: "127.0.0.1", port: 0)]
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let server = USBIPServer(configuration, logger: logger)
        devices = RunningDevices(server, logger: logger) {}
        for text in specifications { try devices.add(try DeviceSpecification(parsing: text)) }
        let listening = try #require(try server.start().first)
        address = HostAndPort(host: listening.host, port: listening.port)
    }

    func perform(_ command: String, _ members: (String, JSON)...) throws(ControlError) -> JSON {
        .object(try devices.perform(ControlRequest(command, members), Cancellation()))
    }

    func attach(_ busID: String) throws -> RemoteDevice { try RemoteDevice.attach(to: address, busID: busID) }

    func kinds() -> [String] { devices.events.recent().events.map(\.kind) }
}
