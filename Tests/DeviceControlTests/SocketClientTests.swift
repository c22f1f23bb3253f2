import CommandSupport
import DeviceModels
import Glibc
import SocketIO
import Testing

@testable import DeviceControl

@Suite("The control client", .timeLimit(.minutes(10)))
struct SocketClientTests {
    @Test("knows the server, and gets results and errors")
    func requests() throws {
        let harness = try SocketHarness()
        let client = try harness.client()
        #expect(client.version == "9.8.7" && client.processID == Int(getpid()) && client.path == harness.server.path)
        #expect(try client.perform(ControlRequest("echo", [("a", .string("ä\n"))]))["a"] == .string("ä\n"))
        let error = #expect(throws: ControlError.self) {
            try client.perform(ControlRequest("refuse", [("busid", .string("7"))]))
        }
        #expect(error == ControlError(.unknownDevice, "there is no device '7'"))
        #expect(try client.perform(ControlRequest("echo")).text == "{}")
    }

    @Test("follows events until it has enough")
    func events() throws {
        let harness = try SocketHarness()
        for kind in ["a", "b", "c"] { harness.target.events.publish(DeviceEvent(kind), busID: "1-1") }
        var kinds: [JSON?] = []
        try harness.client().follow([("since", .number(1))]) { event in
            kinds.append(event["event"])
            return kinds.count < 2
        }
        #expect(kinds == [.string("b"), .string("c")])
    }

    @Test("a server that ends is the end of the events, and an error for a request")
    func serverEnds() throws {
        let harness = try SocketHarness()
        let client = try harness.client()
        harness.target.events.publish(DeviceEvent("first"), busID: nil)
        try client.follow([("since", .number(0))]) { _ in
            // From here on the server knows that it is followed.
            let server = harness.server
            do throws(SocketError) {
                try startThread("stop") { server.stop() }
            } catch {
                Issue.record("\(error)")
                return false
            }
            return true
        }
        let error = #expect(throws: ControlError.self) { try client.perform(ControlRequest("echo")) }
        #expect(error?.code == .unreachable)
    }

    @Test("no server, or something else, is an error that says so")
    func noServer() throws {
        let folder = try SocketFolder()
        let none = #expect(throws: ControlError.self) { try ControlClient(path: folder.socket) }
        #expect(none?.code == .unreachable && none?.message.contains("ghostplug serve") == true)
        for answer in ["", "HTTP/1.1 400\r\n", "{}\n", "{\"ghostplug\":\"3\",\"protocol\":2,\"pid\":1}\n"] {
            let listener = try UnixSocketListener(path: folder.socket)
            try startThread("peer") {
                guard let peer = try? listener.accept() else { return }
                try? peer.sendAll(Array(answer.utf8))
                peer.shutdown()
            }
            let error = #expect(throws: ControlError.self) { try ControlClient(path: folder.socket) }
            #expect(error?.code == .unreachable)
            #expect(!answer.contains("2") || error?.message.contains("another protocol") == true)
            listener.stop()
        }
    }

    @Test("a request that is too long is not sent")
    func tooLong() throws {
        let harness = try SocketHarness()
        let client = try harness.client()
        let text = String(repeating: "x", count: ControlMessage.requestLimit)
        let error = #expect(throws: ControlError.self) {
            try client.perform(ControlRequest("echo", [("t", .string(text))]))
        }
        #expect(error?.code == .invalid)
        #expect(try client.perform(ControlRequest("echo")).text == "{}")
    }
}

@Suite("Where control sockets are", .timeLimit(.minutes(10)))
struct SocketFolderTests {
    private let scratch: SocketFolder
    private var folder: ControlFolder { ControlFolder(path: scratch.path + "/own", userID: geteuid()) }

    init() throws { scratch = try SocketFolder() }

    @Test("root's are in /run, others' in their runtime folder, or in /tmp")
    func usual() {
        #expect(ControlFolder(userID: 0) { _ in "/x" }.path == "/run/ghostplug")
        #expect(
            ControlFolder(userID: 1000) { $0 == "XDG_RUNTIME_DIR" ? "/run/user/1000" : nil }.path
                == "/run/user/1000/ghostplug")
        #expect(ControlFolder(userID: 1000) { _ in nil }.path == "/tmp/ghostplug-1000")
        // Relative ones do not count (XDG Base Directory Specification).
        #expect(ControlFolder(userID: 1000) { _ in "run" }.path == "/tmp/ghostplug-1000")
    }

    @Test("the folder is made for its user alone, and used again")
    func made() throws {
        #expect(try folder.makeSocketPath(processID: 12) == folder.path + "/12.sock")
        var status = stat()
        #expect(unsafe lstat(folder.path, &status) == 0 && status.st_mode & 0o7777 == 0o700)
        #expect(try folder.makeSocketPath(processID: 13) == folder.path + "/13.sock")
        #expect(try folder.sockets().isEmpty)
    }

    @Test("one that others could have put there is refused", arguments: ["link", "writable", "foreign", "file"])
    func unsafeFolder(kind: String) throws {
        var checked = folder
        switch kind {
        case "link":
            try #require(unsafe mkdir(scratch.path + "/elsewhere", 0o700) == 0)
            try #require(unsafe symlink(scratch.path + "/elsewhere", folder.path) == 0)
        case "writable":
            try #require(unsafe mkdir(folder.path, 0o700) == 0)
            try #require(unsafe chmod(folder.path, 0o770) == 0)
        case "foreign":
            try #require(unsafe mkdir(folder.path, 0o700) == 0)
            checked = ControlFolder(path: folder.path, userID: geteuid() &+ 1)
        default: close(unsafe open(folder.path, O_CREAT | O_WRONLY, 0o600))
        }
        let error = #expect(throws: SocketError.self) { try checked.makeSocketPath() }
        #expect(error?.description.contains("not safe") == true)
        #expect(throws: SocketError.self) { try checked.sockets() }
        let client = #expect(throws: ControlError.self) {
            try ControlEndpoint.connect(to: nil, in: checked) { _ in nil }
        }
        #expect(client?.code == .unreachable)
    }

    @Test("what killed servers left is removed, what runs and what is not ours stays")
    func abandoned() throws {
        _ = try folder.makeSocketPath()
        let live = try SocketHarness(scratch, path: folder.path + "/5.sock")
        let dead = try UnixSocketListener(path: folder.path + "/x")
        try #require(unsafe Glibc.link(folder.path + "/x", folder.path + "/6.sock") == 0)
        dead.stop()
        for name in ["7.sock", "notes.txt"] { close(unsafe open("\(folder.path)/\(name)", O_CREAT | O_WRONLY, 0o600)) }
        #expect(try folder.sockets().map { $0.split(separator: "/").last } == ["5.sock", "6.sock", "7.sock"])
        _ = try folder.makeSocketPath()
        #expect(SocketFolder.names(folder.path) == ["5.sock", "7.sock", "notes.txt"])
        withExtendedLifetime(live) {}
    }

    @Test("the only server that runs is found; of several, one has to be chosen")
    func search() throws {
        let none = #expect(throws: ControlError.self) {
            try ControlEndpoint.connect(to: nil, in: self.folder) { _ in nil }
        }
        #expect(none?.code == .unreachable && none?.message.contains("ghostplug serve") == true)
        _ = try folder.makeSocketPath()
        let dead = try UnixSocketListener(path: folder.path + "/x")
        try #require(unsafe Glibc.link(folder.path + "/x", folder.path + "/6.sock") == 0)
        dead.stop()
        let first = try SocketHarness(scratch, path: folder.path + "/5.sock")
        #expect(try ControlEndpoint.connect(to: nil, in: folder) { _ in nil }.path == first.server.path)
        let second = try SocketHarness(scratch, path: folder.path + "/50.sock")
        let several = #expect(throws: ControlError.self) {
            try ControlEndpoint.connect(to: nil, in: self.folder) { _ in nil }
        }
        #expect(several?.code == .invalid)
        for part in [first.server.path, second.server.path, "drive 1-1", "process \(getpid())", "--control"] {
            #expect(several?.message.contains(part) == true)
        }
        #expect(
            try ControlEndpoint.connect(to: second.server.path, in: folder) { _ in "/none" }.path == second.server.path)
        let chosen = try ControlEndpoint.connect(to: nil, in: folder) {
            $0 == "GHOSTPLUG_CONTROL" ? second.server.path : nil
        }
        #expect(chosen.path == second.server.path)
    }
}
