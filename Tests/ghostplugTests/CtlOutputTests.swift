import ArgumentParser
import CommandSupport
import DeviceControl
import Testing

@testable import ghostplug

@Suite("What the commands of ctl print")
struct CtlOutputTests {
    private func text(_ line: String, _ answer: String) throws -> String? {
        let arguments = line.split(separator: " ").map(String.init)
        let command = try #require(try Ctl.parseAsRoot(arguments) as? any ControlCommand)
        return command.text(for: try JSON(parsing: answer.utf8))
    }

    @Test("devices: a line each")
    func devices() throws {
        let answer = """
            {"devices":[
            {"busid":"1-1","model":"drive","device":"drive:size=1G","name":"Ghostplug Drive","idVendor":"1209",
             "idProduct":"6770","speed":"high","state":"configured","actions":["eject"]},
            {"busid":"1-10","model":"keyboard","device":"keyboard","name":"Ghostplug Keyboard","idVendor":"1209",
             "idProduct":"6771","speed":"full","state":"detached","actions":[]}]}
            """
        #expect(
            try text("devices", answer) == """
                BUSID  STATE       ID         SPEED  DEVICE         NAME
                1-1    configured  1209:6770  high   drive:size=1G  Ghostplug Drive
                1-10   detached    1209:6771  full   keyboard       Ghostplug Keyboard
                """)
        #expect(
            try text("devices", #"{"devices":[{"busid":"1-1","nodes":["/dev/sda","/dev/sg0"]}]}"#) == """
                BUSID  ID  NODES
                1-1    :   /dev/sda /dev/sg0
                """)
        #expect(try text("devices", #"{"devices":[]}"#)?.contains("ghostplug ctl add") == true)
    }

    @Test("add: the bus id, for scripts")
    func add() throws {
        #expect(try text("add drive", #"{"busid":"1-3","device":{"busid":"1-3"}}"#) == "1-3")
        #expect(try text("remove 1-3", #"{"busid":"1-3"}"#) == nil)
    }

    @Test("actions: what each takes")
    func actions() throws {
        let answer = """
            {"devices":[{"busid":"1-1","actions":[
            {"action":"eject","summary":"take the medium out","parameters":[
             {"name":"lun","values":"0 to 15","default":"0","summary":"the unit"},
             {"name":"size","values":"BYTES","default":null,"summary":"the capacity"}]},
            {"action":"media","summary":"say what is in","parameters":[]}]},
            {"busid":"1-2","actions":[]}]}
            """
        #expect(
            try text("actions", answer) == """
                1-1:
                  eject  take the medium out
                    lun=  the unit (0 to 15; default: 0)
                    size=  the capacity (BYTES; needed)
                  media  say what is in

                1-2: nothing
                """)
    }

    @Test("stats: a line for each device and endpoint")
    func stats() throws {
        let answer = """
            {"devices":[{"busid":"1-1","state":"configured","urbs":1203,"bytes_in":1536,"bytes_out":3221225472,
            "errors":0,"cancelled":2,"in_flight":1,"endpoints":[
            {"endpoint":"0x81","urbs":1000,"bytes":1536,"errors":0,"cancelled":2,
             "latency_us":{"min":1.0,"mean":7.0,"p50":12.345,"p90":20.0,"p99":4500.0,"max":2000000.0}},
            {"endpoint":"0x02","urbs":203,"bytes":512,"errors":0,"cancelled":0,
             "latency_us":{"min":1.0,"mean":7.0,"p50":9.0,"p90":20.0,"p99":30.0,"max":999.94}}]}]}
            """
        #expect(
            try text("stats", answer) == """
                DEVICE  URBS       IN      OUT  ERRORS  TAKEN BACK  WAITING   MEDIAN     99 %   LONGEST
                1-1     1203  1.5 KiB  3.0 GiB       0           2        1
                  0x81  1000  1.5 KiB                0           2           12.3 µs   4.5 ms     2.0 s
                  0x02   203             512 B       0           0            9.0 µs  30.0 µs  999.9 µs
                """)
    }

    @Test("unhandled: a line for each request")
    func unhandled() throws {
        let answer = #"""
            {"devices":[{"busid":"1-1","requests":[{"request":"GET_STATUS","count":12,"hint":"usual"}]},
            {"busid":"1-2","requests":[]}]}
            """#
        #expect(
            try text("unhandled", answer) == """
                BUSID  TIMES  REQUEST     WHAT TO DO
                1-1       12  GET_STATUS  usual
                """)
        #expect(try text("unhandled", #"{"devices":[]}"#) == "every request was answered")
    }

    @Test("an action: what it tells")
    func action() throws {
        #expect(
            try text("do 1-1 media", #"{"bytes":512,"medium":"a.img","on":["caps"]}"#) == """
                bytes: 512
                medium: a.img
                on: ["caps"]
                """)
        #expect(try text("type 1-2 a", "{}") == nil)
    }

    @Test(
        "exit status follows the error",
        arguments: [
            (.invalid, 64), (.unknownCommand, 64), (.unknownDevice, 69), (.unreachable, 69), (.busy, 69), (.denied, 69),
            (.timeout, 75), (.failed, 1), (.cancelled, 1), (ErrorCode(rawValue: "from-the-future"), 1),
        ] as [(ErrorCode, Int32)])
    func status(code: ErrorCode, status: Int32) {
        let failure = Failure(ControlError(code, "why"))
        #expect(failure.code.rawValue == status && failure.description == "why")
    }
}
