public import Logging
public import SocketIO
import Synchronization
public import USBDeviceKit

/// Serves devices over USB/IP.
///
/// Make one, ``export(busID:device:options:onEvent:)`` devices, ``start()`` it, and ``stop()`` it.
public final class USBIPServer: Sendable {
    let configuration: ServerConfiguration
    /// Where the server tells what its user should know.
    public let logger: Logger
    let exports = ExportTable()

    private struct State {
        var listeners: [ListeningSocket] = []
        var connections: [ObjectIdentifier: Connection] = [:]
        var links: [ObjectIdentifier: SessionLink] = [:]
        /// Connections that have ended but for what their export does afterwards.
        var releasing = 0
        var isStopping = false
        var isOverLimit = false
    }

    private let state = Mutex(State())

    /// Makes a server that does not listen yet.
    public init(_ configuration: ServerConfiguration = ServerConfiguration(), logger: Logger) {
        self.configuration = configuration
        self.logger = logger
    }

    /// Offers a device.
    ///
    /// - Parameters:
    ///   - busID: 1 to 31 characters of `0-9 a-z A-Z . : _ -`; nil takes the first free of `1-1`, `1-2`, ….
    ///   - device: from now on touched only on the export's executor.
    ///   - options: what to know of it besides.
    ///   - onEvent: called on a connection's thread or the device's executor; must not block.
    /// - Throws: ``ExportError`` when the bus id is used or impossible.
    @discardableResult
    public func export(
        busID: String? = nil, device: sending any USBDevice, options: ExportOptions = ExportOptions(),
        onEvent: @escaping @Sendable (ExportEvent) -> Void = { _ in }
    ) throws(ExportError) -> Export {
        let box = Handover(device)
        let pace = options.pace ?? configuration.pace
        return try exports.add(busID: busID) { name, number in
            Export(busID: name, number: number, device: box.device, pace: pace, options: options, onEvent: onEvent)
        }
    }

    /// Offers a device no longer; a client that has it sees it pulled out.
    ///
    /// The client gets an answer for everything that waits before its connection ends, which takes a moment (see
    /// ``ServerConfiguration/drainTime``): Linux's can leave a task waiting for ever when a connection breaks under it.
    public func remove(_ export: Export) {
        exports.remove(export)
        disconnect(export)
    }

    /// Ends the connection of the client that has a device, as ``remove(_:)`` does; it may import the device again.
    public func disconnect(_ export: Export) {
        let links = state.withLock { state in state.links.values.filter { $0.export === export } }
        for link in links { link.drain() }
        if !links.isEmpty { pause(milliseconds: configuration.drainTime) }
        for link in links { link.socket.shutdown() }
    }

    /// Whether a client has a device, or what the export does after a client is not done.
    public func isTaken(_ export: Export) -> Bool { exports.isTaken(export) }

    /// Waits until nobody has a device any more, and what its export does after a client is done.
    ///
    /// - Parameter milliseconds: how long the client's connection may take to end; what the export does then, such as
    ///   copying files, may take as long as it needs.
    /// - Returns: false when the connection did not end in time.
    public func waitUntilReleased(_ export: Export, milliseconds: Int32) -> Bool {
        var left = milliseconds
        while exports.isTaken(export) {
            guard left > 0 else { return false }
            pause(milliseconds: 5)
            if !export.isReleasing.load(ordering: .acquiring) { left -= 5 }
        }
        return true
    }

    /// Takes every configured address; clients that come already wait for ``start()``.
    ///
    /// - Returns: the addresses, with the ports that the system chose.
    /// - Throws: ``SocketError`` when one of them cannot be had; then none is.
    @discardableResult
    public func listen() throws(SocketError) -> [SocketAddress] {
        var listeners: [ListeningSocket] = []
        for place in configuration.listen {
            for address in try SocketAddress.resolve(host: place.host, port: place.port) {
                listeners.append(try ListeningSocket(address))
            }
        }
        state.withLock { $0.listeners = listeners }
        return listeners.map(\.address)
    }

    /// Serves clients, on the addresses that ``listen()`` took or takes now.
    ///
    /// - Returns: the addresses.
    /// - Throws: ``SocketError`` as ``listen()``, or when there is no thread to be had.
    @discardableResult
    public func start() throws(SocketError) -> [SocketAddress] {
        var listeners = state.withLock { $0.listeners }
        if listeners.isEmpty {
            try listen()
            listeners = state.withLock { $0.listeners }
        }
        for listener in listeners {
            try startThread("accept") { [self] in acceptLoop(listener) }
        }
        return listeners.map(\.address)
    }

    private func acceptLoop(_ listener: ListeningSocket) {
        while true {
            do throws(SocketError) {
                guard let socket = try listener.accept() else { return }
                admit(socket)
            } catch {
                // Out of descriptors or memory: connections that end will give some back.
                logger.warning("\(error); trying again in a second")
                pause(milliseconds: 1000)
            }
        }
    }

    /// Serves one device to whoever has the other end of a socket, without a word before the first transfer.
    ///
    /// What Linux's virtual host controller is given: its end of a pair of sockets.
    ///
    /// - Parameters:
    ///   - peer: the other end's name, for the log.
    ///   - onEnd: called when the connection has ended and the device may be imported again.
    /// - Throws: ``ExportError`` when another client has the device, it is removed, or the server is being stopped.
    public func serve(
        _ export: Export, on socket: StreamSocket, peer: String, onEnd: @escaping @Sendable () -> Void = {}
    ) throws(ExportError) {
        switch exports.claim(export.busID) {
        case .granted(let claimed) where claimed === export: break
        case .granted(let other):
            exports.release(other)
            throw ExportError(description: "\(export.busID) is another device by now")
        case .busy: throw ExportError(description: "another client has \(export.busID)")
        case .unknown: throw ExportError(description: "\(export.busID) is no longer there")
        case .absent: throw ExportError(description: "\(export.busID) is not plugged in")
        }
        do throws(ImportRefusal) {
            try export.options.onImport?()
        } catch {
            exports.release(export)
            throw ExportError(description: "\(error)")
        }
        let connection = Connection(socket, self, peer: peer)
        let isAdmitted = state.withLock { state in
            guard !state.isStopping else { return false }
            state.connections[ObjectIdentifier(connection)] = connection
            return true
        }
        guard isAdmitted else {
            giveUp(export)
            throw ExportError(description: "the server is being stopped")
        }
        do throws(SocketError) {
            try startThread("usbip \(export.busID)") { [self] in
                connection.serve(export)
                exports.release(export)
                forget(connection)
                onEnd()
            }
        } catch {
            giveUp(export)
            forget(connection)
            throw ExportError(description: "\(error)")
        }
    }

    /// Undoes the import of a device that its client was never given.
    private func giveUp(_ export: Export) {
        releasing { export.released() }
        exports.release(export)
    }

    private func admit(_ socket: StreamSocket) {
        let peer = socket.peer
        guard configuration.allow.isEmpty || configuration.allow.contains(where: { $0.contains(peer) }) else {
            logger.warning("refused: not in an --allow range", metadata: ["peer": "\(peer)"])
            return
        }
        socket.tune()
        let connection = Connection(socket, self)
        let (isAdmitted, isNews) = state.withLock { state in
            guard !state.isStopping, state.connections.count < configuration.connections else {
                defer { state.isOverLimit = true }
                return (false, !state.isOverLimit && !state.isStopping)
            }
            state.isOverLimit = false
            state.connections[ObjectIdentifier(connection)] = connection
            return (true, false)
        }
        guard isAdmitted else {
            if isNews { logger.warning("refusing connections: the limit of \(configuration.connections) is reached") }
            return
        }
        do throws(SocketError) {
            try startThread("usbip \(peer.port)") { [self] in
                connection.run()
                forget(connection)
            }
        } catch {
            logger.warning("refused: \(error)", metadata: ["peer": "\(peer)"])
            forget(connection)
        }
    }

    private func forget(_ connection: Connection) {
        _ = state.withLock { $0.connections.removeValue(forKey: ObjectIdentifier(connection)) }
    }

    /// Files the link of a connection, from when its device is connected.
    ///
    /// Who stops the server or removes the device from now on finds it; whoever did before could not, so that the
    /// connection is ended here.
    func register(_ link: SessionLink, for connection: Connection) {
        let isStopping = state.withLock { state in
            state.links[ObjectIdentifier(connection)] = link
            return state.isStopping
        }
        if isStopping || !exports.offers(link.export) || !link.export.isPresent { end(link) }
    }

    /// Ends a connection as ``remove(_:)`` does, without waiting for it.
    func end(_ link: SessionLink) {
        guard link.beginEnd() else { return }
        link.drain()
        let (socket, milliseconds) = (link.socket, configuration.drainTime)
        do throws(SocketError) {
            try startThread("unplug") {
                pause(milliseconds: milliseconds)
                socket.shutdown()
            }
        } catch {
            socket.shutdown()
        }
    }

    func unregister(_ connection: Connection) {
        _ = state.withLock { $0.links.removeValue(forKey: ObjectIdentifier(connection)) }
    }

    /// Stops: no new connections, an answer for every transfer, then the end of every connection.
    ///
    /// Returns when no device is in use any more. A connection that does not end within five seconds is given up; what
    /// exports do after their clients, such as copying files, is waited for.
    ///
    /// - Returns: whether every connection has ended.
    @discardableResult
    public func stop() -> Bool {
        let (listeners, links) = state.withLock { state in
            state.isStopping = true
            return (state.listeners, Array(state.links.values))
        }
        listeners.forEach { $0.stop() }
        links.forEach { $0.drain() }
        if !links.isEmpty {
            // A client that is waiting for an answer when the connection breaks may wait for ever.
            _ = wait(milliseconds: configuration.drainTime) { self.connectionCount > 0 }
        }
        state.withLock { Array($0.connections.values) }.forEach { $0.shutdown() }
        let haveEnded = wait(milliseconds: 5000) { self.state.withLock { $0.connections.count > $0.releasing } }
        while state.withLock({ $0.releasing > 0 }) { pause(milliseconds: 20) }
        // The last moments of the connections' own threads.
        _ = wait(milliseconds: 1000) { self.connectionCount > 0 }
        if !haveEnded {
            let names = state.withLock { $0.links.values.map(\.export.busID) }.sorted().joined(separator: ", ")
            logger.error("\(connectionCount) connections did not end (\(names)): their devices do not return")
        }
        return haveEnded
    }

    /// Runs what follows a client's end, which ``stop()`` waits for.
    func releasing(_ body: () -> Void) {
        state.withLock { $0.releasing += 1 }
        body()
        state.withLock { $0.releasing -= 1 }
    }

    private var connectionCount: Int { state.withLock { $0.connections.count } }

    /// Waits while `condition` holds; false when it still does after the time.
    private func wait(milliseconds: Int32, while condition: () -> Bool) -> Bool {
        var left = milliseconds
        while condition() {
            guard left > 0 else { return false }
            pause(milliseconds: 5)
            left -= 5
        }
        return true
    }
}

/// Carries a device into a closure that runs before the carrier's creator goes on.
///
/// `@unchecked Sendable`: made and emptied on one thread.
private final class Handover: @unchecked Sendable {
    let device: any USBDevice
    init(_ device: any USBDevice) { self.device = device }
}
