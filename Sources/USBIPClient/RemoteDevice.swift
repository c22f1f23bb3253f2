public import SocketIO
import Synchronization
public import USBCore
public import USBIPWire

/// A device that this process has imported from a USB/IP server: a host without a kernel.
///
/// Any thread may submit. Handlers run on the device's reading thread, one at a time, so what they share among
/// themselves needs no lock. When the connection ends, for whatever reason, each transfer that waits is completed with
/// that reason, once, and nothing more can be submitted.
public final class RemoteDevice: Sendable {
    /// What the import reply said.
    public let record: DeviceRecord
    let connection: HostConnection
    let limits: HostLimits
    let known: Mutex<KnownEndpoints>

    private init(_ socket: StreamSocket, _ record: DeviceRecord, _ limits: HostLimits) throws(HostError) {
        self.record = record
        self.limits = limits
        known = Mutex(KnownEndpoints(speed: Speed(rawValue: record.speed) ?? .high))
        connection = HostConnection(socket, deviceID: record.deviceID, limits: limits)
        do {
            try connection.start()
        } catch {
            throw .socket(error)
        }
    }

    deinit { close() }

    /// Imports a device.
    ///
    /// - Parameters:
    ///   - busID: the device's name at the server, 1 to 31 bytes.
    ///   - timeout: for the connection, and for the import's answer.
    /// - Throws: ``HostError/refused(busID:status:)`` when the server does not give the device;
    ///   ``HostError/socket(_:)``, ``HostError/violation(_:)``, ``HostError/unresponsive(_:)`` or
    ///   ``HostError/disconnected`` when the server is none, or fails.
    public static func attach(
        to server: HostAndPort, busID: String, timeout: Duration = .seconds(10), limits: HostLimits = HostLimits()
    ) throws(HostError) -> RemoteDevice {
        let seconds = Int32(min(max(timeout.components.seconds, 1), 3600))
        let socket: StreamSocket
        do {
            socket = try StreamSocket.connect(to: server, timeout: seconds)
        } catch {
            throw .socket(error)
        }
        return try attach(over: socket, busID: busID, timeout: timeout, limits: limits)
    }

    /// Imports a device over a stream that is connected already, such as a tunnel or a socket pair.
    ///
    /// - Throws: as ``attach(to:busID:timeout:limits:)``.
    public static func attach(
        over socket: StreamSocket, busID: String, timeout: Duration = .seconds(10), limits: HostLimits = HostLimits()
    ) throws(HostError) -> RemoteDevice {
        let record = try ImportHandshake.run(socket, busID: busID, until: Deadline(after: timeout))
        return try RemoteDevice(socket, record, limits)
    }

    /// The device's speed; a number that is none counts as high.
    public var speed: Speed { known.withLock { $0.speed } }

    /// Why the connection has ended; nil while it lives.
    public var connectionError: HostError? { connection.error }

    /// How many transfers have not ended.
    public var transfersInFlight: Int { connection.counts.transfers }

    /// How many commands, unlinks included, the server has not answered.
    public var unansweredCommands: Int { connection.counts.unanswered }

    // MARK: Submitting

    /// Submits a transfer; several may be in flight, on one endpoint as well.
    ///
    /// Waits while the server does not read, unless called from a completion.
    ///
    /// - Parameter onComplete: called once, on the device's reading thread; it must not wait for another transfer.
    /// - Returns: the transfer's name, for ``cancel(_:)``.
    /// - Throws: ``HostError/invalidRequest(_:)``, or why the connection has ended; then `onComplete` is not called.
    @discardableResult
    public func submit(
        _ request: TransferRequest, onComplete: @escaping @Sendable (TransferResult) -> Void
    ) throws(HostError) -> TransferID {
        try submit(request, .unlimited, onComplete: onComplete)
    }

    func submit(
        _ request: TransferRequest, _ patience: SendPatience, onComplete: @escaping @Sendable (TransferResult) -> Void
    ) throws(HostError) -> TransferID {
        let command = try known.withLock { known throws(HostError) in try known.command(for: request) }
        return try connection.submit(command, request, patience) { completion in
            onComplete(completion.result())
            return .done
        }
    }

    /// Submits a transfer that is submitted again for as long as its handler says so: the way to load a device.
    ///
    /// Nothing is allocated or copied for a completion. The transfers that handlers submit are sent together, once for
    /// each read. A payload stays as it was, unless ``TransferCompletion/withPayload(_:)`` changes it.
    ///
    /// - Parameter handler: called for each completion, on the device's reading thread. Where it says
    ///   ``TransferStep/resubmit`` it is called again, if only to hear that the transfer was cancelled.
    /// - Throws: ``HostError/invalidRequest(_:)``, or why the connection has ended; then `handler` is not called.
    @discardableResult
    public func submitRepeatedly(
        _ request: TransferRequest, _ handler: @escaping TransferHandler
    ) throws(HostError) -> TransferID {
        let command = try known.withLock { known throws(HostError) in try known.command(for: request) }
        return try connection.submit(command, request, .unlimited, handler)
    }

    /// Asks the server to take a transfer back.
    ///
    /// It completes with ``USBCore/TransferStatus/cancelled``, or with what it became when that came too late. Nothing
    /// happens where it has ended. Does not wait, neither for the answer nor for a server that does not read; nor is
    /// the answer waited for in any time, as a `transfer` does: whoever needs that closes the
    /// connection.
    public func cancel(_ id: TransferID) { connection.cancel(id) }

    /// Ends the connection.
    ///
    /// Each transfer that waits is completed with ``HostError/closed``, on the reading thread, some time after this
    /// returns. It may be called twice, and is when the device is let go of.
    public func close() { connection.end(.closed) }
}
