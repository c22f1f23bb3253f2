import CommandSupport
import Testing

@testable import DeviceControl

@Suite("Control requests")
struct ProtocolTests {
    private func read(_ line: String) -> ControlMessage.Incoming {
        ControlMessage.Incoming(line: Array(line.utf8)[...])
    }

    @Test("are a command, an id and arguments in order")
    func parts() throws {
        let incoming = read(#" {"busid":"1-1","do":"type","id":7,"text":"ä\u00e9","rate":1.5} "#)
        let request = try incoming.request.get()
        #expect(incoming.id == .number(7) && request.command == "type")
        #expect(request.members.map(\.0) == ["busid", "text", "rate"])
        #expect(try request.busID() == "1-1" && request.string("text") == "äé")
    }

    @Test(
        "that are none are refused, with their id where it can be had",
        arguments: [
            ("", "null", "ends in the middle"), ("[]", "null", "JSON object"), ("{\"do\":", "null", "no JSON"),
            (#"{"id":3}"#, "3", "\"do\""), (#"{"id":"x","do":4}"#, "\"x\"", "\"do\""),
            (#"{"id":1.5,"do":"devices"}"#, "null", "an id is"), (#"{"do":"devices","id":[1]}"#, "null", "an id is"),
            (#"{"id":1e40,"do":"devices"}"#, "null", "an id is"), (#"{"do":"a"} {"do":"b"}"#, "null", "no JSON"),
            (String(repeating: "[", count: 5000), "null", "deep"),
            (#"{"do":"a","b":"# + String(repeating: "{\"c\":", count: 5000), "null", "deep"),
        ])
    func refused(line: String, id: String, reason: String) throws {
        let incoming = read(line)
        #expect(incoming.id.text == id)
        let error = #expect(throws: ControlError.self) { try incoming.request.get() }
        #expect(error?.code == .invalid)
        #expect(error?.message.contains(reason) == true, "\(error?.message ?? "")")
    }

    @Test("with bytes that are no UTF-8 are refused")
    func encoding() {
        let line: [UInt8] = Array(#"{"do":"type","text":""#.utf8) + [0xc3, 0x28] + Array("\"}".utf8)
        let error = #expect(throws: ControlError.self) { try ControlMessage.Incoming(line: line[...]).request.get() }
        #expect(error?.message.contains("UTF-8") == true)
    }

    @Test("arguments count as numbers, times and truths when they are texts as well")
    func arguments() throws {
        let request = ControlRequest(
            "x",
            [
                ("a", .number(5)), ("b", .string("5")), ("t", .decimal(2.5, digits: 1)), ("u", .string("2.5")),
                ("y", .bool(true)), ("z", .string("no")), ("n", .null), ("d", .number(1)), ("d", .number(2)),
            ])
        #expect(try request.integer("a", in: 0...9) == 5 && request.integer("b", in: 0...9) == 5)
        #expect(try request.seconds("t") == .seconds(2.5) && request.seconds("u") == .seconds(2.5))
        #expect(try request.bool("y", default: false) && !request.bool("z", default: true))
        #expect(try request.string("n") == nil && request.bool("n", default: true))
        #expect(try request.integer("d", in: 0...9) == 2)
    }

    @Test("arguments that cannot be are named, with what can")
    func wrongArguments() {
        let request = ControlRequest("wait", [("n", .number(70)), ("s", .number(-1)), ("b", .string("maybe"))])
        let errors: [ControlError?] = [
            #expect(throws: ControlError.self) { try request.integer("n", in: 0...64) },
            #expect(throws: ControlError.self) { try request.seconds("s") },
            #expect(throws: ControlError.self) { try request.bool("b", default: true) },
            #expect(throws: ControlError.self) { try request.string("n") },
            #expect(throws: ControlError.self) { try request.busID() },
            #expect(throws: ControlError.self) { try request.allow(only: ["n", "s"]) },
        ]
        #expect(errors.allSatisfy { $0?.code == .invalid })
        #expect(errors.map { $0?.message.contains(/n=70|s=-1|b="maybe"|busid|argument 'b'/) == true }.allSatisfy { $0 })
    }

    @Test("answers have the request's id, and a result or an error")
    func answers() {
        let good = ControlMessage.answer(.success([("keys", .number(3))]), id: .string("a"))
        #expect(good.text == #"{"id":"a","ok":true,"result":{"keys":3}}"#)
        let bad = ControlMessage.answer(.failure(ControlError(.timeout, "not \"yet\"")), id: .null)
        #expect(bad.text == #"{"id":null,"ok":false,"error":{"code":"timeout","message":"not \"yet\""}}"#)
        #expect(!bad.line.dropLast().contains(UInt8(ascii: "\n")) && bad.line.last == UInt8(ascii: "\n"))
    }
}
