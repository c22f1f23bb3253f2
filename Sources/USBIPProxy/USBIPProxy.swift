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
    private let silence: Int32
    private let logger: Logger
    private let state = Mutex(State())

    /// Makes a proxy that does not listen yet.
    ///
    /// - Parameters:
    ///   - upstream: the server.
    ///   - listen: where clients connect.
    ///   - writer: records what passes; nil for nothing. Whoever made it ends it, once the proxy was stopped.
    ///   - silence: milliseconds for which one end may be silent after the other has said that it is done.
    public init(
        upstream: HostAndPort, listen: [HostAndPort], writer: CaptureWriter? = nil, silence: Int32 = 60_000,
        logger: Logger
    ) {
        self.upstream = upstream
        places = listen
        self.silence = silence
        recording = writer.map { ProxyRecording($0, logger: logger) }
        self.logger = logger
    }

    /// Begins to accept clients.
    ///
    /// - Returns: the addresses, with the ports that the system chose.
    /// - Throws: ``SocketError`` when one of them cannot be had, or is the server's own; then none is.
    public func start() throws(SocketError) -> [SocketAddress] {
        var listeners: [ListeningSocket] = []
        for place in places {
            for address in try SocketAddress.resolve(host: place.host, port: place.port) {
                listeners.append(try ListeningSocket(address))
            }
        }
        // A server whose name means nothing yet is looked for again with each client.
        for address in (try? SocketAddress.resolve(host: upstream.host, port: upstream.port)) ?? [] {
            try refuseItself(address, listeners)
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

    /// Makes sure that a server is not this proxy, which would connect to itself until nothing is left.
    private func refuseItself(_ server: SocketAddress, _ listeners: [ListeningSocket]) throws(SocketError) {
        for listener in listeners.map(\.address) where listener.port == server.port {
            let (own, its) = (listener.addressBytes, server.addressBytes)
            // Whoever listens on all addresses is reached by each of this machine, and 0.0.0.0 is this machine.
            let isCaught = own.allSatisfy { $0 == 0 } && own.count == its.count && server.isLoopback
            let isHere = its.allSatisfy { $0 == 0 } && own.count == its.count && listener.isLoopback
            guard own == its || isCaught || isHere else { continue }
            throw SocketError(
                "the server \(upstream) would be this proxy itself, which listens on \(listener); choose another port "
                    + "for one of them")
        }
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
            // What its name means may have changed.
            try refuseItself(server.peer, state.withLock { $0.listeners })
        } catch {
            logger.warning("no connection to the server: \(error)", metadata: ["peer": "\(peer)"])
            return
        }
        let connection = ProxyConnection(
            client, server, peer: peer, recording: recording.map { ConnectionRecording($0, peer: peer) },
            silence: silence, logger: logger)
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
