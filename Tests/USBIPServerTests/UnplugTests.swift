import SocketIO
import TestSupport
import Testing
import USBCore
import USBDeviceKit
import USBIPServer
import USBIPWire

@Suite("Unplugging", .timeLimit(.minutes(10)))
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
            let answer = try client.replies(1).first
            #expect(answer?.submit?.status == TransferStatus.shutdown.rawValue, "what waits is answered")
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

    @Test("a device that is removed while its connection is being made is pulled out as well")
    func removeEarly() throws {
        let server = try TestServer { $0.drainTime = 20 }
        let device = try server.add("1-1")
        let socket = try server.connect()
        try socket.sendAll(OpMessage.importRequest(busID: "1-1").dropLast())
        // The connection cannot be made in here.
        device.on { _ in
            let sent = Result { try socket.sendAll([0]) }
            #expect((try? sent.get()) != nil)
            #expect(settles { server.server.isTaken(device.export) })
            server.server.remove(device.export)
        }
        _ = try socket.receiveExactly(OpHeader.size + DeviceRecord.size)
        #expect(socket.isAtEnd)
        #expect(server.server.waitUntilReleased(device.export, milliseconds: 20_000))
        #expect(device.on { [$0.connections, $0.disconnections] } == [1, 1])
    }

    @Test("a device is taken until what follows its client's end is done")
    func taken() throws {
        let server = try TestServer()
        let (begun, end) = (Counter(), Semaphore())
        let device = try server.add("1-1") {
            begun.add()
            end.wait()
        }
        #expect(!server.server.isTaken(device.export))
        let client = try server.attach("1-1")
        #expect(!server.server.waitUntilReleased(device.export, milliseconds: 1), "the client is still there")
        client.socket.shutdown()
        #expect(settles { begun.value == 1 })
        #expect(server.server.isTaken(device.export))
        end.signal()
        #expect(server.server.waitUntilReleased(device.export, milliseconds: 20_000))
    }
}
