import SocketIO
import TestSupport
import Testing
import USBCore
import USBIPServer
import USBIPWire

@Suite("Handshake", .timeLimit(.minutes(10)))
struct HandshakeTests {
    @Test("the list has the bytes of the protocol, and then the connection ends")
    func list() throws {
        let server = try TestServer()
        _ = try server.add("1-1")
        let socket = try server.connect()
        try socket.sendAll(hex("0111 8005 00000000"))
        let path = Array("/sys/devices/ghostplug/1-1".utf8)
        let expected =
            try hex("0111 0005 00000000 00000001") + path + [UInt8](repeating: 0, count: 256 - path.count)
            + hex(
                """
                31 2d 31 00*29              // busid
                00000001 00000002 00000003  // busnum, devnum, speed: high
                1209 0001 0100              // idVendor, idProduct, bcdDevice
                00 00 00 00 01 01           // class triple, configuration value, configurations, interfaces
                ff 00 00 00                 // interface 0
                """)
        #expect(try socket.receiveExactly(expected.count) == expected)
        #expect(socket.isAtEnd)
    }

    @Test("an import is answered with the device, and the first transfer may come with the request")
    func importDevice() throws {
        let server = try TestServer()
        let device = try server.add("1-1")
        device.on { $0.react = { _ in .answer(.bytes([1, 2, 3])) } }
        let socket = try server.connect()
        var model = ClientModel()
        try socket.sendAll(OpMessage.importRequest(busID: "1-1") + model.submit(1, .in(1), length: 8))
        let reply = try socket.receiveExactly(320)
        #expect(OpHeader(parsing: reply) == OpHeader(.importReply))
        #expect(DeviceRecord(parsing: reply[8...])?.busID == "1-1")
        #expect(try model.read(socket.receiveExactly(51)).first?.submit?.data == [1, 2, 3])
        #expect(device.on { $0.connections } == 1)
    }

    @Test("a device that is taken is busy and not listed; one that does not exist is not there")
    func statuses() throws {
        let server = try TestServer()
        _ = try server.add("1-1")
        _ = try server.add("1-2")
        #expect(try server.list() == ["1-1", "1-2"])
        let client = try server.attach("1-1")
        #expect(try server.importStatus("1-1") == .deviceBusy)
        #expect(try server.importStatus("1-3") == .noDevice)
        #expect(try server.list() == ["1-2"])
        client.socket.shutdown()
        #expect(try settles { try server.list() == ["1-1", "1-2"] })
    }

    @Test("bus ids are given out when none is asked for, and none twice")
    func busIDs() throws {
        let server = try TestServer()
        #expect(try server.add("1-2").busID == "1-2")
        #expect(try server.add().busID == "1-1")
        #expect(try server.add().busID == "1-3")
        #expect(throws: ExportError.self) { try server.add("1-3") }
        for bad in ["", String(repeating: "x", count: 32), "a b", "ä", "1/1", "a\n"] {
            #expect(throws: ExportError.self) { try server.add(bad) }
        }
        let long = String(repeating: "x", count: 31)
        #expect(try server.add(long).busID == long)
        #expect(try server.attach(long).record.busID == long)
    }

    @Test(
        "a client that does not speak the protocol is shown the door, and the next is served",
        arguments: [
            ("0106 8005 00000000", ""),  // version 1.0.6
            ("0112 8003 00000000 31 2d 31 00*29", ""),  // version 1.1.2
            ("0111 8002 00000000", ""), ("0111 0005 00000000", ""), ("0111 0000 00000000", ""),
            ("0111 8005 00000001", ""),  // a status in a request
            ("ff*8", ""), ("00*8", ""), ("474554202f20485454502f312e310d0a", ""),
            ("0111 8003 00000000 31*32", "0111 0003 00000005"),  // a bus id that does not end
            ("0111 8003 00000000 00*32", "0111 0003 00000005"),  // none
            ("0111 8003 00000000 ff fe 00*30", "0111 0003 00000005"),  // not UTF-8
            ("0111 8003 00000000 78 0a 1b 5b 00*28", "0111 0003 00000004"),  // strange, but a name
        ])
    func hostile(request: String, reply: String) throws {
        let server = try TestServer()
        let device = try server.add("1-1")
        let socket = try server.connect()
        try socket.sendAll(hex(request))
        let expected = try hex(reply)
        #expect(try socket.receiveExactly(expected.count) == expected)
        #expect(socket.isAtEnd)
        #expect(try server.list() == ["1-1"])
        #expect(device.on { $0.connections } == 0)
    }

    @Test("a request that is cut at any byte is no request", arguments: [0, 1, 4, 7, 8, 9, 20, 39])
    func truncated(count: Int) throws {
        let server = try TestServer()
        let device = try server.add("1-1")
        let socket = try server.connect()
        try socket.sendAll(Array(OpMessage.importRequest(busID: "1-1").prefix(count)))
        socket.shutdown()
        #expect(try server.list() == ["1-1"])
        #expect(device.on { $0.connections } == 0)
    }

    @Test("what a client calls a device cannot write lines of its own into the log")
    func logInjection() throws {
        let server = try TestServer()
        #expect(try server.importStatus("x\nerror: all is lost\u{1b}[2J") == .noDevice)
        #expect(settles { server.log.all.contains { $0.contains("all is lost") } })
        #expect(server.log.all.allSatisfy { !$0.contains("\n") && !$0.contains("\u{1b}") })
    }

    @Test("a client that is slow with its request is let go", arguments: ["", "0111 80", "0111 8003 00000000 31 2d"])
    func slow(beginning: String) throws {
        let server = try TestServer { $0.handshakeTimeout = 40 }
        _ = try server.add("1-1")
        let socket = try server.connect()
        try socket.sendAll(hex(beginning))
        #expect(socket.isAtEnd)
    }

    @Test("the time for a request is for all of it: a byte now and then does not extend it")
    func drip() throws {
        let server = try TestServer { $0.handshakeTimeout = 60 }
        let socket = try server.connect()
        socket.setReadTimeout(milliseconds: 5)
        let isOver = settles {
            // The end shows as end of file, or as an error of the write that follows it.
            if (try? socket.sendAll([0x01])) == nil { return true }
            return socket.isAtEnd
        }
        #expect(isOver)
        #expect(settles { server.log.all.contains { $0.hasPrefix("warning: closed") } })
    }

    @Test("the time for a request does not run once a device is imported")
    func timeoutEndsWithImport() throws {
        let server = try TestServer { $0.handshakeTimeout = 30 }
        let device = try server.add("1-1")
        let client = try server.attach("1-1")
        let start = ContinuousClock.now
        #expect(settles { ContinuousClock.now - start > .milliseconds(90) })
        device.on { $0.react = { _ in .answer(.accept()) } }
        #expect(try client.exchange(client.model.submit(1, .out(1), payload: [1]))?.sequence == 1)
    }

    @Test("connections are limited; one more is closed at once, and room comes back")
    func connectionLimit() throws {
        let server = try TestServer { $0.connections = 2 }
        _ = try server.add("1-1")
        let first = try server.attach("1-1")
        let second = try server.connect()
        #expect(try server.connect().isAtEnd)
        first.socket.shutdown()
        second.shutdown()
        #expect(settles { (try? server.list()) == ["1-1"] })
    }

    @Test(
        "only addresses in an allowed range are served",
        arguments: [
            (["127.0.0.0/8"], true), (["10.0.0.0/8"], false), (["10.0.0.0/8", "127.0.0.1"], true), (["::1"], false),
            (["0.0.0.0/0"], true), ([], true),
        ])
    func allow(ranges: [String], isServed: Bool) throws {
        let server = try TestServer { $0.allow = ranges.compactMap { AddressRange($0) } }
        let socket = try server.connect()
        if isServed {
            #expect(try server.list() == [])
        } else {
            #expect(socket.isAtEnd)
        }
    }

    @Test("two servers cannot have one port, and a failed start leaves nothing behind")
    func portInUse() throws {
        let server = try TestServer()
        #expect(throws: SocketError.self) {
            try TestServer { $0.listen = [HostAndPort(host: "127.0.0.1", port: server.port)] }
        }
        #expect(try server.list() == [])
    }
}
