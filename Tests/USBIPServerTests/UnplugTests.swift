import SocketIO
import TestSupport
import Testing
import USBCore
import USBDeviceKit
import USBIPServer
import USBIPWire

@Suite("Unplugging", .timeLimit(.minutes(1)))
struct UnplugTests {
    @Test("a device that unplugs itself ends its client's connection, and can be imported again")
    func unplug() throws {
        let server = try TestServer()
        let device = try server.add("1-1")
        device.on { $0.react = { $0.endpoint == .in(2) ? .keep : .answer(.accept()) } }
        for round in 1...3 {
            let client = try server.attach("1-1")
            try client.socket.sendAll(client.model.submit(1, .in(2), length: 8))
            #expect(settles { device.on { !$0.waiting.isEmpty } })
            device.export.executor.unplug()
            #expect(client.socket.isAtEnd, "the client sees the connection end")
            #expect(settles { device.on { $0.disconnections == round && $0.waiting.isEmpty } })
        }
        // Nobody has the device: nothing happens.
        device.export.executor.unplug()
        #expect(try server.list() == ["1-1"])
    }

    @Test("a device that is removed is pulled out and offered no longer")
    func remove() throws {
        let server = try TestServer()
        let device = try server.add("1-1")
        _ = try server.add("1-2")
        let client = try server.attach("1-1")
        server.server.remove(device.export)
        #expect(client.socket.isAtEnd, "the client sees the connection end")
        #expect(try server.list() == ["1-2"])
        #expect(try server.importStatus("1-1") == .noDevice)
        #expect(try server.add("1-1").busID == "1-1", "the bus id is free again")
    }
}
