import CommandSupport
import DeviceControl
import DeviceModels
import Glibc
import SocketIO
import Testing

@Suite("The control server", .timeLimit(.minutes(10)))
struct SocketServerTests {
    @Test("greets, and answers with the request's id")
    func answers() throws {
        let harness = try SocketHarness()
        let client = try harness.raw()
        #expect(try client.line() == #"{"ghostplug":"9.8.7","protocol":1,"pid":\#(getpid())}"#)
        for id in ["1", "\"a\\\"b\"", "null", "-9223372036854775808", "\"\\u0001\""] {
            try client.send(#"{"id":\#(id),"do":"echo","x":[1,true]}"# + "\n")
            #expect(try client.line() == #"{"id":\#(id),"ok":true,"result":{"x":[1,true]}}"#)
        }
        #expect(try client.ask(#"{"do":"echo"}"#).text == #"{"id":null,"ok":true,"result":{}}"#)
        #expect(
            try client.ask(#"{"id":5,"do":"refuse","busid":"9-9"}"#).text
                == #"{"id":5,"ok":false,"error":{"code":"unknown-device","message":"there is no device '9-9'"}}"#)
    }

    @Test("answers requests that were sent at once, in their order")
    func pipelining() throws {
        let harness = try SocketHarness()
        let client = try harness.raw()
        _ = try client.line()
        try client.send((0..<500).map { #"{"id":\#($0),"do":"echo","n":\#($0)}"# + "\n" }.joined())
        for number in 0..<500 {
            #expect(try client.line() == #"{"id":\#(number),"ok":true,"result":{"n":\#(number)}}"#)
        }
    }

    @Test("takes requests in pieces, with any line end, and passes over empty lines")
    func pieces() throws {
        let harness = try SocketHarness()
        let client = try harness.raw()
        _ = try client.line()
        for byte in "\n\r\n \t\n{\"id\":1,\"do\":\"echo\"}\r\n" { try client.send(String(byte)) }
        #expect(try client.line() == #"{"id":1,"ok":true,"result":{}}"#)
    }

    @Test("goes on after a line that is none, as the next may be one")
    func invalidLines() throws {
        let harness = try SocketHarness()
        let client = try harness.raw()
        _ = try client.line()
        for line in ["hello", "{", "[]", "\u{0}", "{\"do\":7}", String(repeating: "[", count: 100_000)] {
            let answer = try client.ask(line)
            #expect(answer["ok"] == .bool(false) && answer["error"]?["code"] == .string("invalid"), "\(line.prefix(9))")
        }
        try client.socket.sendAll([0xff, 0xfe, 0x0a])
        #expect(try client.json()["ok"] == .bool(false))
        #expect(try client.ask(#"{"id":2,"do":"echo"}"#)["id"] == .number(2))
        #expect(try client.ask(#"{"id":3,"do":"nonsense"}"#)["error"]?["code"] == .string("unknown-command"))
    }

    @Test("takes a line of a mebibyte, and ends the connection after a longer one")
    func lineLimit() throws {
        let harness = try SocketHarness()
        let client = try harness.raw()
        _ = try client.line()
        let frame = #"{"id":1,"do":"echo","t":""}"#
        let text = String(repeating: "x", count: ControlMessage.requestLimit - frame.utf8.count)
        #expect(try client.ask(#"{"id":1,"do":"echo","t":"\#(text)"}"#)["result"]?["t"] == .string(text))
        try startThread("sender") { [socket = client.socket] in
            try? socket.sendAll(Array(#"{"id":1,"do":"echo","t":"x\#(text)"}"#.utf8) + [0x0a])
        }
        let answer = try client.json()
        #expect(answer["ok"] == .bool(false) && answer["error"]?["message"]?.text.contains("1048576") == true)
        #expect(try client.line() == nil)
        #expect(try harness.raw().line() != nil)
    }

    @Test("answers who is done with sending")
    func halfClosed() throws {
        let harness = try SocketHarness()
        let client = try harness.raw()
        _ = try client.line()
        // Without an end of the line, as printf leaves it.
        try client.send("{\"id\":1,\"do\":\"echo\"}\n{\"id\":2,\"do\":\"echo\"}")
        client.socket.shutdownWriting()
        #expect(try client.json()["id"] == .number(1))
        #expect(try client.json()["id"] == .number(2))
        #expect(try client.line() == nil)
    }

    @Test("serves others while one waits, or does not read")
    func independence() throws {
        let harness = try SocketHarness()
        let waiting = try harness.raw()
        try waiting.send("{\"do\":\"hang\"}\n")
        let lazy = try harness.raw()
        // Far more than the sockets have room for.
        try lazy.send((0..<100).map { "{\"id\":\($0),\"do\":\"large\"}\n" }.joined())
        let third = try harness.client()
        #expect(
            try third.perform(ControlRequest("echo", [("a", .number(1))]), timeout: .seconds(20))["a"] == .number(1))
        // Who reads in the end gets everything.
        _ = try lazy.line()
        for number in 0..<100 { #expect(try lazy.json()["id"] == .number(number)) }
    }

    @Test("gives up what nobody waits for any more", arguments: [false, true])
    func clientGone(isHalfClosedFirst: Bool) throws {
        let harness = try SocketHarness()
        do {
            let client = try harness.raw()
            try client.send("{\"do\":\"hang\"}\n{\"do\":\"echo\"}\n")
            _ = harness.target.waiting.wait { $0.now == 1 ? true : nil }
            if isHalfClosedFirst { client.socket.shutdownWriting() }
            #expect(harness.target.waiting.change { $0.cancelled } == 0)
        }
        let deadline = ContinuousClock.now.advanced(by: .seconds(20))
        #expect(harness.target.waiting.wait(until: deadline) { $0.cancelled == 1 && $0.now == 0 ? true : nil } == true)
    }

    @Test("turns the 65th client away with the reason, and takes another when one goes")
    func connectionLimit() throws {
        let harness = try SocketHarness()
        var clients = try (0..<ControlServer.connectionLimit).map { _ in try harness.client() }
        let error = #expect(throws: ControlError.self) {
            try harness.client().perform(ControlRequest("echo"), timeout: .seconds(20))
        }
        #expect(error?.code == .busy)
        #expect(try clients[63].perform(ControlRequest("echo"), timeout: .seconds(20)).text == "{}")
        clients.removeLast()
        // It takes the server a moment to notice.
        var last: ErrorCode?
        for _ in 0..<2000 {
            do throws(ControlError) {
                let client = try ControlClient(path: harness.server.path)
                _ = try client.perform(ControlRequest("echo"), timeout: .seconds(20))
                last = nil
                break
            } catch {
                last = error.code
                pause(milliseconds: 5)
            }
        }
        #expect(last == nil)
    }

    @Test("stays up whatever is sent", arguments: 0..<8)
    func garbage(seed: UInt64) throws {
        let harness = try SocketHarness()
        var state = seed
        let alphabet = Array("{}[]\":,\\u0123do\n\n eE+-.truefalsenull\u{7f}".utf8) + [0, 0xff, 0xc0, 0x80]
        let bytes = (0..<20_000).map { _ -> UInt8 in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return alphabet[Int(state >> 33) % alphabet.count]
        }
        let client = try harness.raw()
        try startThread("sender") { [socket = client.socket] in
            try? socket.sendAll(bytes + [0x0a])
            socket.shutdownWriting()
        }
        _ = try client.line()
        var count = 0
        while let line = try client.line() {
            let answer = try JSON(parsing: Array(line.utf8))
            #expect(answer["ok"] != nil)
            count += 1
        }
        #expect(count > 0)
        #expect(try harness.client().perform(ControlRequest("echo"), timeout: .seconds(20)).text == "{}")
    }

    // MARK: Ending

    @Test("ends with the answers to what is being done, and leaves no file")
    func stop() throws {
        let harness = try SocketHarness()
        let (idle, busy) = (try harness.raw(), try harness.raw())
        _ = (try idle.line(), try busy.line())
        try busy.send("{\"id\":4,\"do\":\"hang\"}\n")
        _ = harness.target.waiting.wait { $0.now == 1 ? true : nil }
        #expect(harness.server.stop())
        #expect(try busy.json().text.contains("cancelled"))
        #expect(try busy.line() == nil && idle.line() == nil)
        #expect(SocketFolder.names(harness.folder.path).isEmpty)
        #expect(throws: ControlError.self) { try harness.client() }
        #expect(harness.server.stop())
    }

    @Test("ends although a client does not read")
    func stopUnread() throws {
        let harness = try SocketHarness()
        let lazy = try harness.raw()
        try lazy.send((0..<100).map { "{\"id\":\($0),\"do\":\"large\"}\n" }.joined())
        let follower = try harness.raw()
        try follower.send("{\"do\":\"events\",\"follow\":true}\n")
        _ = (try follower.line(), try follower.line())
        #expect(harness.server.stop())
    }
}
