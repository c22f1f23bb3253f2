import ArgumentParser
import CommandSupport
import DeviceControl
import Testing

@testable import ghostplug

@Suite("What the commands of ctl ask for")
struct CtlRequestTests {
    private func request(_ arguments: [String]) throws -> ControlRequest {
        let command = try Ctl.parseAsRoot(arguments)
        return try #require(command as? any ControlCommand, "\(command)").request()
    }

    private func text(_ request: ControlRequest) -> String {
        JSON.object([("do", .string(request.command))] + request.members).text
    }

    @Test(
        "is the request of the documentation",
        arguments: [
            ("devices", #"{"do":"devices"}"#),
            ("add drive:size=1G", #"{"do":"add","device":"drive:size=1G"}"#),
            ("remove 1-2", #"{"do":"remove","busid":"1-2"}"#),
            ("actions", #"{"do":"actions"}"#),
            ("actions 1-2", #"{"do":"actions","busid":"1-2"}"#),
            ("do 1-1 resize size=2G lun=1", #"{"do":"resize","busid":"1-1","size":"2G","lun":"1"}"#),
            ("do 1-1 media", #"{"do":"media","busid":"1-1"}"#),
            ("do 1-1 x a== b=", #"{"do":"x","busid":"1-1","a":"=","b":""}"#),
            ("type 1-2 Hello", #"{"do":"type","busid":"1-2","text":"Hello"}"#),
            ("type 1-2 -- -l", #"{"do":"type","busid":"1-2","text":"-l"}"#),
            (
                "type 1-2 äß --layout de --rate 30",
                #"{"do":"type","busid":"1-2","text":"äß","layout":"de","rate":"30"}"#
            ),
            ("key 1-2 ctrl+alt+delete", #"{"do":"key","busid":"1-2","keys":["ctrl+alt+delete"]}"#),
            ("key 1-2 down enter --hold 1.5", #"{"do":"key","busid":"1-2","keys":["down","enter"],"hold":"1.5"}"#),
            ("key 1-2 --press shift", #"{"do":"key","busid":"1-2","keys":["shift"],"action":"press"}"#),
            ("key 1-2 --release shift", #"{"do":"key","busid":"1-2","keys":["shift"],"action":"release"}"#),
            ("mouse 1-3 dx=-40 click=left,right", #"{"do":"mouse","busid":"1-3","dx":"-40","click":"left,right"}"#),
            ("tablet 1-4 x=0.5 y=0.25", #"{"do":"tablet","busid":"1-4","x":"0.5","y":"0.25"}"#),
            ("touch 1-5 gesture=up", #"{"do":"touch","busid":"1-5","gesture":"up"}"#),
            ("pad 1-6 tap=a lx=-1", #"{"do":"pad","busid":"1-6","tap":"a","lx":"-1"}"#),
            ("eject 1-1", #"{"do":"eject","busid":"1-1"}"#),
            ("eject 1-1 --lun 2 --force", #"{"do":"eject","busid":"1-1","lun":"2","force":true}"#),
            ("insert 1-1", #"{"do":"insert","busid":"1-1"}"#),
            ("insert 1-1 image=/a=b.img", #"{"do":"insert","busid":"1-1","image":"/a=b.img"}"#),
            ("stats", #"{"do":"stats"}"#),
            ("stats 1-1 --json", #"{"do":"stats","busid":"1-1"}"#),
            ("unhandled 1-1", #"{"do":"unhandled","busid":"1-1"}"#),
            ("wait 1-1 configured", #"{"do":"wait","busid":"1-1","for":"configured"}"#),
            ("wait 1-1 detached --timeout 2.5", #"{"do":"wait","busid":"1-1","for":"detached","timeout":"2.5"}"#),
            ("stop --control /x.sock", #"{"do":"stop"}"#),
        ])
    func requests(line: String, json: String) throws {
        #expect(text(try request(line.split(separator: " ").map(String.init))) == json)
    }

    @Test("a text of - is standard input, as it is")
    func standardInput() throws {
        let command = try #require(try Ctl.parseAsRoot(["type", "1-2", "-"]) as? Ctl.TypeText)
        let request = try command.request { () throws(Failure) in Array("root\nüber\n".utf8) }
        #expect(try request.string("text") == "root\nüber\n")
        let failure = #expect(throws: Failure.self) { try command.request { () throws(Failure) in [0x61, 0xff] } }
        #expect(failure?.code == .validationFailure)
    }

    @Test(
        "arguments that make no request are errors before anybody is asked",
        arguments: [
            "do 1-1 resize size", "do 1-1 resize =5", "mouse 1-3 dx=1 dx=2", "mouse 1-3 busid=1-4", "do 1-1 x id=4",
            "pad 1-6 do=x", "key 1-2 a --press --release", "key 1-2 a --press --hold 1",
        ])
    func mistakes(line: String) throws {
        let failure = #expect(throws: Failure.self) { try request(line.split(separator: " ").map(String.init)) }
        #expect(failure?.code == .validationFailure)
    }

    @Test(
        "commands that lack what they need are refused",
        arguments: ["mouse 1-3", "key 1-2", "do 1-1", "wait 1-1", "add"])
    func incomplete(line: String) {
        #expect(throws: (any Error).self) { try Ctl.parseAsRoot(line.split(separator: " ").map(String.init)) }
    }

    @Test("events: which ones")
    func events() throws {
        let all = try #require(try Ctl.parseAsRoot(["events"]) as? Ctl.Events)
        #expect(!all.follow && all.members.isEmpty)
        let some = try #require(
            try Ctl.parseAsRoot(["events", "--follow", "--since", "7", "--busid", "1-1"]) as? Ctl.Events)
        #expect(some.follow && JSON.object(some.members).text == #"{"since":"7","busid":"1-1"}"#)
    }

    @Test("every command shows examples of itself in its help")
    func help() {
        for command in Ctl.configuration.subcommands {
            let name = command._commandName
            let text = Ctl.helpMessage(for: command, columns: 100)
            #expect(text.contains("EXAMPLES:") && text.contains("ghostplug ctl \(name)"), "\(name)")
            #expect(text.contains("--control <path>"), "\(name)")
            #expect(Ctl.helpMessage(columns: 100).contains("\n  \(name) "), "\(name)")
        }
    }
}
