import CommandSupport
import Glibc
package import Logging
package import SocketIO

/// Serves the control interface on a Unix socket.
///
/// Each client has a thread that does what it asks for, one request after the other; no client waits for another.
package final class ControlServer: Sendable {
    /// The most clients at once.
    package static let connectionLimit = 64
    /// How long a client may take to read its last answer when the server ends, in milliseconds.
    private static let patience = 1000

    private struct State {
        var connections: [ObjectIdentifier: ControlConnection] = [:]
        var isStopping = false
    }

    private let listener: UnixSocketListener
    private let target: any ControlTarget
    private let greeting: JSON
    private let logger: Logger
    private let state = Monitor(State())

    /// Listens; clients are served from ``start()`` on, and wait until then.
    ///
    /// - Parameters:
    ///   - path: where; see ``ControlFolder/makeSocketPath()`` for the usual place.
    ///   - target: what is controlled.
    ///   - version: the program's, for the greeting.
    /// - Throws: ``SocketError`` that says what is in the way.
    package init(
        path: String, target: any ControlTarget, version: String, logger: Logger
    ) throws(SocketError) {
        listener = try UnixSocketListener(path: path)
        self.target = target
        self.logger = logger
        greeting = ControlMessage.greeting(version: version, processID: getpid())
    }

    /// Where it listens.
    package var path: String { listener.path }

    /// Begins to serve clients.
    ///
    /// - Throws: ``SocketError`` when the system has no thread left.
    package func start() throws(SocketError) {
        try startThread("ctl-accept") { [self] in accept() }
    }

    /// Ends: accepts nobody, removes the socket's file, gives up what is being done and lets clients read their last
    /// answers and events.
    ///
    /// Not to be called from within ``ControlTarget/perform(_:_:)``: it waits for that to end, for two seconds at most.
    ///
    /// - Returns: whether every connection has ended.
    @discardableResult
    package func stop() -> Bool {
        listener.stop()
        let connections = state.change { state in
            state.isStopping = true
            return Array(state.connections.values)
        }
        for connection in connections { connection.end() }
        if waitForEnd() { return true }
        for connection in connections { connection.abort() }
        return waitForEnd()
    }

    private func waitForEnd() -> Bool {
        state.wait(until: .now.advanced(by: .milliseconds(Self.patience))) { $0.connections.isEmpty ? true : nil }
            ?? false
    }

    private func accept() {
        while true {
            do throws(SocketError) {
                guard let socket = try listener.accept() else { return }
                admit(socket)
            } catch {
                logger.warning("the control interface: \(error)")
                // Without a descriptor left, the connection would be offered again at once, for ever.
                pause(milliseconds: 100)
            }
        }
    }

    private func admit(_ socket: StreamSocket) {
        // The file's mode keeps others out already, but it can be changed.
        guard let peer = socket.peerCredentials, peer.userID == geteuid() || peer.userID == 0 else {
            return refuse(socket, ControlError(.denied, "only the server's user and root may control its devices"))
        }
        let connection = ControlConnection(socket, target)
        let isAdmitted = state.change { state in
            guard !state.isStopping, state.connections.count < Self.connectionLimit else { return false }
            state.connections[ObjectIdentifier(connection)] = connection
            return true
        }
        guard isAdmitted else {
            return refuse(
                socket, ControlError(.busy, "\(Self.connectionLimit) clients are connected already; end one of them"))
        }
        do throws(SocketError) {
            // What makes devices runs there, too, and some of it is deep.
            try startThread("ctl-client", stackSize: 2 << 20) { [self] in
                connection.run(greeting: greeting)
                remove(connection)
            }
        } catch {
            logger.warning("the control interface: \(error)")
            remove(connection)
        }
    }

    private func remove(_ connection: ControlConnection) {
        state.change { $0.connections[ObjectIdentifier(connection)] = nil }
    }

    /// Says why in two lines, for which a new socket has room.
    private func refuse(_ socket: StreamSocket, _ error: ControlError) {
        try? socket.sendAll(greeting.line + ControlMessage.answer(.failure(error), id: .null).line)
        socket.shutdown()
    }
}
