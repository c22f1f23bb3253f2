import CommandSupport
import DeviceControl
import DeviceModels
import SocketIO
import Testing

@Suite("Events over the control socket", .timeLimit(.minutes(10)))
struct SocketEventsTests {
    private let harness: SocketHarness

    init() throws { harness = try SocketHarness() }

    private func publish(_ kind: String, _ busID: String? = "1-1", _ members: [(String, JSON)] = []) {
        harness.target.events.publish(DeviceEvent(kind, members), busID: busID)
    }

    private func connected() throws -> RawClient {
        let client = try harness.raw()
        _ = try client.line()
        return client
    }

    @Test("those that are kept come in the answer")
    func kept() throws {
        for kind in ["a", "b", "c"] { publish(kind) }
        publish("d", "1-2")
        let client = try connected()
        let all = try client.ask(#"{"id":1,"do":"events"}"#)
        #expect(all["result"]?["seq"] == .number(4))
        #expect(all.text.contains(#""event":"a""#) && all.text.contains(#""event":"d""#))
        let some = try client.ask(#"{"id":2,"do":"events","since":2,"busid":"1-1"}"#)
        guard case .array(let events) = some["result"]?["events"] else {
            Issue.record("no events: \(some.text)")
            return
        }
        #expect(events.map { $0["seq"] } == [.number(3)])
    }

    @Test("those that come follow the answer, on a connection that takes further requests")
    func follow() throws {
        publish("before")
        let client = try connected()
        #expect(
            try client.ask(#"{"id":1,"do":"events","follow":true}"#).text
                == #"{"id":1,"ok":true,"result":{"seq":1}}"#)
        publish("leds", "1-1", [("caps", .bool(true))])
        let event = try client.json()
        #expect(event["event"] == .string("leds") && event["seq"] == .number(2) && event["caps"] == .bool(true))
        #expect(event["busid"] == .string("1-1") && (event["time"]?.double ?? 0) > 1_763_000_000)
        #expect(try client.ask(#"{"id":2,"do":"echo"}"#)["id"] == .number(2))
        publish("after", nil)
        #expect(try client.json()["event"] == .string("after"))
        let again = try client.ask(#"{"id":3,"do":"events","follow":true}"#)
        #expect(again["error"]?["code"] == .string("invalid"))
    }

    @Test("earlier ones come first where they are asked for, and only one device's")
    func since() throws {
        for (kind, busID) in [("a", "1-1"), ("b", "1-2"), ("c", "1-1")] { publish(kind, busID) }
        let client = try connected()
        _ = try client.ask(#"{"id":1,"do":"events","follow":true,"since":0,"busid":"1-1"}"#)
        publish("d", "1-2")
        publish("e", "1-1")
        for kind in ["a", "c", "e"] { #expect(try client.json()["event"] == .string(kind)) }
    }

    @Test(
        "arguments that cannot be are refused",
        arguments: ["\"follow\":7", "\"since\":-1", "\"flow\":true", "\"busid\":4"])
    func invalid(argument: String) throws {
        let answer = try connected().ask("{\"id\":1,\"do\":\"events\",\(argument)}")
        #expect(answer["error"]?["code"] == .string("invalid"))
        #expect(!harness.target.events.isWatched(busID: "1-1"))
    }

    @Test("a follower that does not read holds up nobody, and learns what it has missed")
    func slowFollower() throws {
        let slow = try connected()
        let quick = try connected()
        for client in [slow, quick] { _ = try client.ask(#"{"id":1,"do":"events","follow":true}"#) }
        let text = String(repeating: "x", count: 300)
        // More than the slow one's socket and queue have room for, while the quick one reads each.
        var expected = 0
        for _ in 0..<6000 {
            publish("e", nil, [("text", .string(text))])
            expected += 1
            if expected % 1000 == 0 {
                for _ in 0..<1000 { #expect(try quick.json()["event"] == .string("e")) }
            }
        }
        publish("end", nil)
        #expect(try quick.json()["event"] == .string("end"))
        var (seen, lost) = (0, 0)
        while seen + lost < 6001 {
            let event = try slow.json()
            if event["event"] == .string("lost"), case .number(let count) = event["count"] {
                lost += count
            } else {
                seen += 1
            }
        }
        #expect(seen + lost == 6001 && lost > 0 && seen >= 4096)
        publish("later", nil)
        #expect(try slow.json()["event"] == .string("later"))
    }

    @Test("who has gone is followed no longer, though nothing happens")
    func gone() throws {
        do {
            let client = try connected()
            _ = try client.ask(#"{"id":1,"do":"events","follow":true}"#)
            #expect(harness.target.events.isWatched(busID: "1-1"))
            client.socket.shutdown()
        }
        for _ in 0..<4000 where harness.target.events.isWatched(busID: "1-1") { pause(milliseconds: 5) }
        #expect(!harness.target.events.isWatched(busID: "1-1"))
    }

    @Test("who is done with sending gets them, until it closes")
    func halfClosed() throws {
        do {
            let client = try connected()
            try client.send(#"{"id":1,"do":"events","follow":true}"#)
            client.socket.shutdownWriting()
            _ = try client.json()
            publish("a")
            #expect(try client.json()["event"] == .string("a"))
        }
        for _ in 0..<4000 where harness.target.events.isWatched(busID: "1-1") { pause(milliseconds: 5) }
        #expect(!harness.target.events.isWatched(busID: "1-1"))
    }

    @Test("the last ones still arrive when the server ends", arguments: [false, true])
    func serverEnds(isHalfClosed: Bool) throws {
        let client = try connected()
        _ = try client.ask(#"{"id":1,"do":"events","follow":true}"#)
        if isHalfClosed { client.socket.shutdownWriting() }
        for _ in 0..<100 { publish("last") }
        #expect(harness.server.stop())
        for _ in 0..<100 { #expect(try client.json()["event"] == .string("last")) }
        #expect(try client.line() == nil)
    }
}
