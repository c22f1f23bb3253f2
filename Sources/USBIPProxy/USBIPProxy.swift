public import Logging
public import SocketIO
import Synchronization
public import USBRecording

/// Stands between USB/IP clients and a USB/IP server: passes every byte through unchanged, and records what it means.
///
/// Each client has a connection of its own to the server. Bytes go on as they come, whatever they are.
public final class USBIPProxy: Sendable {
    private struct State {
        var listeners: [ListeningSocket] = []
        var connections: [ObjectIdentifier: ProxyConnection] = [:]
        /// Connections that have been accepted and not ended.
        var count = 0
        var isStopping = false
    }

    /// The most connections at a time.
    public static let maximumConnections = 1024

    private let upstream: HostAndPort
    private let places: [HostAndPort]
    private let recording: ProxyRecording?
    private let logger: Logger
    private let state = Mutex(State())

    /// Makes a proxy that does not listen yet.
    ///
    /// - Parameters:
    ///   - upstream: the server.
    ///   - listen: where clients connect.
    ///   - writer: records what passes; nil for nothing. Whoever made it ends it, once the proxy was stopped.
    public init(upstream: HostAndPort, listen: [HostAndPort], writer: CaptureWriter? = nil, logger: Logger) {
        self.upstream = upstream
        places = listen
        recording = writer.map { ProxyRecording($0, logger: logger) }
        self.logger = logger
    }

    /// Begins to accept clients.
    ///
    /// - Returns: the addresses, with the ports that the system chose.
    /// - Throws: ``SocketError`` when one of them cannot be had; then none is.
    public func start() throws(SocketError) -> [SocketAddress] {
        var listeners: [ListeningSocket] = []
        for place in places {
            for address in try SocketAddress.resolve(host: place.host, port: place.port) {
                listeners.append(try ListeningSocket(address))
            }
        }
        state.withLock { $0.listeners = listeners }
        for listener in listeners {
            do throws(SocketError) {
                try startThread("proxy") { [self] in accept(listener) }
            } catch {
                stop()
                throw error
            }
        }
        return listeners.map(\.address)
    }

    /// How many clients are connected.
    public var connectionCount: Int { state.withLock { $0.count } }

    /// Accepts no more clients, and ends all connections.
    ///
    /// - Returns: whether all have ended, for which it waits a moment.
    @discardableResult
    public func stop() -> Bool {
        let (listeners, connections) = state.withLock { state in
            state.isStopping = true
            defer { state.listeners = [] }
            return (state.listeners, Array(state.connections.values))
        }
        for listener in listeners { listener.stop() }
        for connection in connections { connection.stop() }
        var patience = 500
        while connectionCount > 0, patience > 0 {
            pause(milliseconds: 10)
            patience -= 1
        }
        return patience > 0
    }

    private func accept(_ listener: ListeningSocket) {
        while true {
            do throws(SocketError) {
                guard let client = try listener.accept() else { return }
                guard admit() else {
                    logger.warning("a client was refused: \(Self.maximumConnections) are connected")
                    continue
                }
                do throws(SocketError) {
                    try startThread("proxy client") { [self] in
                        serve(client)
                        state.withLock { $0.count -= 1 }
                    }
                } catch {
                    state.withLock { $0.count -= 1 }
                    throw error
                }
            } catch {
                logger.error("\(error)")
                pause(milliseconds: 100)
            }
        }
    }

    private func admit() -> Bool {
        state.withLock { state in
            guard state.count < Self.maximumConnections, !state.isStopping else { return false }
            state.count += 1
            return true
        }
    }

    private func serve(_ client: StreamSocket) {
        client.tune()
        let peer = "\(client.peer)"
        let server: StreamSocket
        do throws(SocketError) {
            server = try StreamSocket.connect(to: upstream)
        } catch {
            logger.warning("the server cannot be reached: \(error)", metadata: ["peer": "\(peer)"])
            return
        }
        let connection = ProxyConnection(
            client, server, peer: peer, recording: recording.map { ConnectionRecording($0, peer: peer) },
            logger: logger)
        let identity = ObjectIdentifier(connection)
        let isStopping = state.withLock { state in
            if !state.isStopping { state.connections[identity] = connection }
            return state.isStopping
        }
        guard !isStopping else { return }
        logger.info("connected", metadata: ["peer": "\(peer)", "server": "\(upstream)"])
        do throws(SocketError) {
            try connection.run()
        } catch {
            logger.error("\(error)", metadata: ["peer": "\(peer)"])
        }
        _ = state.withLock { $0.connections.removeValue(forKey: identity) }
        logger.info("ended", metadata: ["peer": "\(peer)"])
    }
}
