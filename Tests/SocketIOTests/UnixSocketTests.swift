import Glibc
import SocketIO
import Synchronization
import TestSupport
import Testing

@Suite("Unix sockets", .timeLimit(.minutes(10)))
final class UnixSocketTests {
    private let folder: String

    init() throws {
        var template = Array("/tmp/ghostplug-test-XXXXXX".utf8CString)
        try #require(unsafe mkdtemp(&template) != nil)
        folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        for name in ["a.sock", "b.sock", "link"] { unsafe unlink("\(folder)/\(name)") }
        unsafe rmdir(folder)
    }

    private var path: String { folder + "/a.sock" }

    private func status(_ path: String) -> stat? {
        var status = stat()
        return unsafe lstat(path, &status) == 0 ? status : nil
    }

    private func message(_ body: () throws -> UnixSocketListener) -> String {
        #expect(throws: SocketError.self) { try body() }?.description ?? ""
    }

    /// A socket file as a killed server leaves it behind.
    private func leaveBehind(_ path: String) throws {
        let listener = try UnixSocketListener(path: folder + "/b.sock")
        try #require(unsafe Glibc.link(folder + "/b.sock", path) == 0)
        listener.stop()
    }

    @Test("bytes go both ways, and each end knows who the other is")
    func connection() throws {
        let listener = try UnixSocketListener(path: path)
        let client = try StreamSocket.connect(toUnixSocket: path)
        let server = try #require(try listener.accept())
        try client.sendAll([1, 2, 3])
        #expect(try server.receiveExactly(3) == [1, 2, 3])
        try server.sendAll([4])
        #expect(try client.receiveExactly(1) == [4])
        for peer in [server.peerCredentials, client.peerCredentials] {
            #expect(peer?.processID == getpid() && peer?.userID == geteuid() && peer?.groupID == getegid())
        }
    }

    @Test("only the user can connect")
    func mode() throws {
        let listener = try UnixSocketListener(path: path)
        #expect(status(path).map { $0.st_mode & 0o7777 } == 0o600)
        withExtendedLifetime(listener) {}
    }

    @Test("a file that a killed server left is replaced")
    func leftover() throws {
        try leaveBehind(path)
        #expect(status(path) != nil)
        #expect(throws: SocketError.self) { try StreamSocket.connect(toUnixSocket: path) }
        let listener = try UnixSocketListener(path: path)
        let client = try StreamSocket.connect(toUnixSocket: path)
        #expect(try listener.accept() != nil)
        withExtendedLifetime(client) {}
    }

    @Test("one behind which a server listens is not, and the error names the process")
    func taken() throws {
        let first = try UnixSocketListener(path: path)
        #expect(message { try UnixSocketListener(path: self.path) }.contains("process \(getpid())"))
        let client = try StreamSocket.connect(toUnixSocket: path)
        // The attempt to find out was a connection as well.
        #expect(try first.accept() != nil && first.accept() != nil)
        withExtendedLifetime(client) {}
    }

    @Test("a file that is no socket stays as it is")
    func otherFile() throws {
        let file = unsafe open(path, O_CREAT | O_WRONLY, 0o600)
        close(file)
        #expect(message { try UnixSocketListener(path: self.path) }.contains("no socket"))
        #expect(!UnixSocketListener.removeIfAbandoned(path))
        #expect(status(path).map { $0.st_mode & S_IFMT == S_IFREG } == true)
    }

    @Test("a link is not followed")
    func link() throws {
        let listener = try UnixSocketListener(path: folder + "/b.sock")
        try #require(unsafe symlink(folder + "/b.sock", folder + "/link") == 0)
        #expect(message { try UnixSocketListener(path: self.folder + "/link") }.contains("no socket"))
        #expect(!UnixSocketListener.removeIfAbandoned(folder + "/link"))
        withExtendedLifetime(listener) {}
    }

    @Test("stopping removes the file, wakes who accepts, and refuses who comes")
    func stop() throws {
        let listener = try UnixSocketListener(path: path)
        let woken = Flag()
        try startThread("accept") { if (try? listener.accept()) == nil { woken.raise() } }
        listener.stop()
        #expect(settles { woken.isRaised })
        #expect(status(path) == nil)
        let error = #expect(throws: SocketError.self) { try StreamSocket.connect(toUnixSocket: self.path) }
        #expect(error?.code == ENOENT)
    }

    @Test("stopping leaves the file of somebody who took its place")
    func stopOther() throws {
        let first = try UnixSocketListener(path: path)
        try #require(unsafe unlink(path) == 0)
        let second = try UnixSocketListener(path: path)
        first.stop()
        #expect(status(path) != nil)
        let client = try StreamSocket.connect(toUnixSocket: path)
        #expect(try second.accept() != nil)
        withExtendedLifetime(client) {}
    }

    @Test("abandoned ones are removed, live ones are not")
    func abandoned() throws {
        try leaveBehind(path)
        #expect(UnixSocketListener.removeIfAbandoned(path) && status(path) == nil)
        let listener = try UnixSocketListener(path: path)
        #expect(!UnixSocketListener.removeIfAbandoned(path) && status(path) != nil)
        withExtendedLifetime(listener) {}
    }

    @Test("paths that the kernel has no room for are errors that say so", arguments: [108, 200, 5000])
    func tooLong(count: Int) {
        let path = "/tmp/" + String(repeating: "x", count: count - 5)
        #expect(message { try UnixSocketListener(path: path) }.contains("107"))
        #expect(throws: SocketError.self) { try StreamSocket.connect(toUnixSocket: path) }
    }

    @Test("the longest path works; none and one with a zero byte do not")
    func edges() throws {
        let path = folder + "/" + String(repeating: "y", count: 107 - folder.utf8.count - 1)
        let listener = try UnixSocketListener(path: path)
        #expect(status(path) != nil)
        listener.stop()
        #expect(status(path) == nil)
        #expect(throws: SocketError.self) { try UnixSocketListener(path: "") }
        #expect(throws: SocketError.self) { try UnixSocketListener(path: "/tmp/a\0b") }
    }

    @Test("of many servers that begin at once at the same place, one gets it")
    func race() throws {
        try leaveBehind(path)
        let results = Results()
        for _ in 0..<8 {
            try startThread("server") { [path] in results.add(try? UnixSocketListener(path: path)) }
        }
        #expect(settles { results.count == 8 })
        #expect(results.listeners.count == 1)
        let client = try StreamSocket.connect(toUnixSocket: path)
        withExtendedLifetime(client) {}
    }

    @Test("who is done with sending is still there; who has closed is gone")
    func hangUp() throws {
        let listener = try UnixSocketListener(path: path)
        var client: StreamSocket? = try StreamSocket.connect(toUnixSocket: path)
        let server = try #require(try listener.accept())
        let flag = Flag()
        let watch = try #require(UnixSocketHangUps.shared.watch(server) { flag.raise() })
        try client?.sendAll([1])
        client?.shutdownWriting()
        #expect(!server.hasHungUp && !flag.isRaised)
        client = nil
        #expect(server.hasHungUp)
        server.waitForHangUp()
        #expect(settles { flag.isRaised })
        UnixSocketHangUps.shared.unwatch(watch)
    }

    @Test("a watch that has ended calls nobody, and another can begin")
    func unwatch() throws {
        let listener = try UnixSocketListener(path: path)
        var client: StreamSocket? = try StreamSocket.connect(toUnixSocket: path)
        let server = try #require(try listener.accept())
        let (first, second) = (Flag(), Flag())
        let watch = try #require(UnixSocketHangUps.shared.watch(server) { first.raise() })
        UnixSocketHangUps.shared.unwatch(watch)
        client = nil
        // What is there already is noticed, too.
        #expect(UnixSocketHangUps.shared.watch(server) { second.raise() } != nil)
        #expect(settles { second.isRaised } && !first.isRaised)
        withExtendedLifetime(client) {}
    }
}

private final class Flag: Sendable {
    private let raised = Atomic(false)
    var isRaised: Bool { raised.load(ordering: .acquiring) }
    func raise() { raised.store(true, ordering: .releasing) }
}

private final class Results: Sendable {
    private let results = Mutex<[UnixSocketListener?]>([])
    var count: Int { results.withLock { $0.count } }
    var listeners: [UnixSocketListener] { results.withLock { $0.compactMap { $0 } } }
    func add(_ listener: UnixSocketListener?) { results.withLock { $0.append(listener) } }
}
