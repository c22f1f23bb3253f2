import CommandSupport
import DeviceModels
import Logging
import SocketIO
import Testing
import USBIPServer
import USBIPSession

@testable import ghostplug

@Suite("The settings of serve")
struct ServeSettingsTests {
    private func settings(_ yaml: String) throws -> ServeSettings {
        var settings = ServeSettings()
        try settings.read(yaml: yaml, from: "bench.yaml")
        return settings
    }

    @Test("are the same from a file as from the command line")
    func sameAsCommandLine() throws {
        let fromFile = try settings(
            """
            listen: ["127.0.0.1:3241", "[::1]:3241"]
            allow: 10.0.0.0/8
            log-level: debug
            log-format: json
            max-waiting: 64
            handshake-timeout: 3
            devices:
              - drive:size=1G,readonly
              - model: drive
                busid: 1-7
                image: [a.img, b.img]
            """)
        var fromLine = ServeSettings()
        try fromLine.override(
            devices: ["drive:size=1G,readonly", "drive:busid=1-7,image=a.img,image=b.img"],
            listen: ["127.0.0.1:3241", "[::1]:3241"], allow: ["10.0.0.0/8"],
            scalars: ["log-level": "debug", "log-format": "json", "max-waiting": "64", "handshake-timeout": "3"])
        #expect(fromFile.devices.map(\.specification) == fromLine.devices.map(\.specification))
        #expect(fromFile.server.listen == fromLine.server.listen)
        #expect(fromFile.server.allow == fromLine.server.allow)
        #expect(fromFile.logLevel == .debug && fromLine.logLevel == .debug)
        #expect(fromFile.server.session.keptBytes == 64 << 20 && fromLine.server.session.keptBytes == 64 << 20)
        #expect(fromFile.server.handshakeTimeout == 3000 && fromLine.server.handshakeTimeout == 3000)
        #expect(fromFile.logFormat == .json && fromLine.logFormat == .json)
    }

    @Test("listen on loopback unless told otherwise")
    func safeByDefault() {
        #expect(ServeSettings().server.listen == [HostAndPort(host: "127.0.0.1", port: 3240)])
    }

    @Test("of the command line replace the file's, but add devices")
    func precedence() throws {
        var both = try settings("listen: 127.0.0.1:1\ndevices: [drive]")
        try both.override(
            devices: ["drive:size=1M"], listen: ["127.0.0.1:2"])
        #expect(both.devices.map(\.specification.description) == ["drive", "drive:size=1M"])
        #expect(both.server.listen.map(\.port) == [2])
    }

    @Test(
        "that are wrong are met with file, line and key",
        arguments: [
            ("devices: [drive]\nlisten: 'a b'", "bench.yaml:2", "listen"),
            ("lisetn: x", "bench.yaml:1", "lisetn"),
            ("log-level: loud", "bench.yaml:1", "loud"),
            ("max-connections: 0", "bench.yaml:1", "1 to 100000"),
            ("log-format: xml", "bench.yaml:1", "xml"),
            ("allow: [10.0.0.0/33]", "bench.yaml:1", "10.0.0.0/33"),
            ("devices:\n  - model: drive\n    siez: 1G", "bench.yaml:3", "siez"),
            ("devices:\n  - size: 1G", "bench.yaml:2", "model"),
            ("devices:\n  - model: toaster", "bench.yaml:2", "toaster"),
            ("- drive", "bench.yaml:1", "mapping"),
            ("devices: [drive", "bench.yaml", "YAML"),
        ])
    func mistakes(_ yaml: String, place: String, word: String) {
        let error = #expect(throws: ConfigurationError.self) { try settings(yaml) }
        let line = error?.description ?? ""
        #expect(line.contains(place) && line.contains(word), "expected \(place) and '\(word)' in: \(line)")
    }

    @Test("may be empty")
    func empty() throws { #expect(try settings("# nothing\n").devices.isEmpty) }
}

@Suite("JSON that we write")
struct JSONTests {
    @Test("escapes what must be escaped and keeps the order of members")
    func text() {
        let value = JSON.object([("b", .string("a\"\\\n\u{1}é")), ("a", .array([.number(-1), .bool(true)]))])
        #expect(value.text == #"{"b":"a\"\\\n\u0001é","a":[-1,true]}"#)
    }
}
