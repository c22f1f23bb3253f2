import Synchronization
import USBCore

extension RemoteDevice {
    /// Carries out a transfer, and waits for its end.
    ///
    /// Where ``TransferRequest/timeout`` passes the transfer is taken back and ends with
    /// ``USBCore/TransferStatus/timedOut``; a server that does not answer that either, for ``HostLimits/unlinkGrace``,
    /// has its connection closed. Must not be called from a completion.
    ///
    /// - Returns: the result, whatever its status.
    /// - Throws: ``HostError/invalidRequest(_:)``, or why the connection has ended.
    public func transfer(_ request: TransferRequest) throws(HostError) -> TransferResult {
        guard !connection.isReader else {
            throw .invalidRequest("a completion cannot wait for another transfer: submit it instead")
        }
        let waiter = ResultWaiter()
        let deadline = request.timeout.map { Deadline(after: $0) }
        let id = try submit(request, SendPatience(until: deadline)) { waiter.fulfil($0) }
        if let result = waiter.wait(until: deadline) { return try result.connected() }
        let grace = Deadline(after: limits.unlinkGrace)
        connection.cancel(id)
        guard var result = waiter.wait(until: grace) else { throw giveUp(on: request.endpoint) }
        // Otherwise it ended after all, before the server heard of the unlink.
        if result.status == .cancelled { result.status = .timedOut }
        return try result.connected()
    }

    private func giveUp(on endpoint: EndpointAddress) -> HostError {
        let error = HostError.unresponsive("an unlink of a transfer on \(endpoint) for \(limits.unlinkGrace)")
        connection.end(error)
        return connection.error ?? error
    }

    /// Carries out a transfer; cancelling the task takes it back.
    ///
    /// The task's thread never waits, not even for a server that does not read.
    ///
    /// Timeouts are as in the blocking form. A cancelled transfer's result has the status
    /// ``USBCore/TransferStatus/cancelled``, or what it became when that came too late.
    ///
    /// - Throws: ``HostError/invalidRequest(_:)``, or why the connection has ended.
    public func transfer(_ request: TransferRequest) async throws(HostError) -> TransferResult {
        let flight = AsyncFlight(self, request)
        let outcome = await withTaskCancellationHandler {
            await flight.run()
        } onCancel: {
            flight.cancel()
        }
        return try outcome.get().connected()
    }
}

extension TransferResult {
    /// The result itself, unless the connection ended first.
    fileprivate func connected() throws(HostError) -> TransferResult {
        if let connectionError { throw connectionError }
        return self
    }
}

/// A transfer that a task waits for.
private final class AsyncFlight: Sendable {
    private struct State {
        var id: TransferID?
        var isCancelled = false
        var isTimedOut = false
        var isOver = false
        /// Watches the timeout, then the answer to the unlink.
        var watchdog: Task<Void, Never>?
    }

    private let device: RemoteDevice
    private let request: TransferRequest
    private let state = Mutex(State())

    init(_ device: RemoteDevice, _ request: TransferRequest) {
        self.device = device
        self.request = request
    }

    func run() async -> Result<TransferResult, HostError> {
        await unsafe withUnsafeContinuation { continuation in
            do throws(HostError) {
                let id = try device.submit(request, .none) { result in
                    var result = result
                    if self.finish(), result.status == .cancelled { result.status = .timedOut }
                    unsafe continuation.resume(returning: .success(result))
                }
                submitted(id)
            } catch {
                unsafe continuation.resume(returning: .failure(error))
            }
        }
    }

    private func submitted(_ id: TransferID) {
        let isCancelled = state.withLock { state in
            state.id = id
            if !state.isOver, !state.isCancelled, let timeout = request.timeout {
                state.watchdog = Task { [weak self] in
                    guard (try? await Task.sleep(for: timeout)) != nil else { return }
                    self?.timeOut()
                }
            }
            return state.isCancelled && !state.isOver
        }
        if isCancelled { takeBack(id) }
    }

    /// The transfer has ended.
    ///
    /// - Returns: whether its time had passed before.
    private func finish() -> Bool {
        let (watchdog, isTimedOut) = state.withLock { state in
            state.isOver = true
            return (state.watchdog.take(), state.isTimedOut)
        }
        watchdog?.cancel()
        return isTimedOut
    }

    /// The task was cancelled, perhaps before the transfer was submitted.
    func cancel() {
        let id = state.withLock { state in
            state.isCancelled = true
            return state.isOver ? nil : state.id
        }
        if let id { takeBack(id) }
    }

    private func timeOut() {
        let id: TransferID? = state.withLock { state in
            guard !state.isOver, !state.isCancelled else { return nil }
            state.isTimedOut = true
            return state.id
        }
        if let id { takeBack(id) }
    }

    private func takeBack(_ id: TransferID) {
        let grace = device.limits.unlinkGrace
        let endpoint = request.endpoint
        let watchdog = Task { [weak self, device] in
            guard (try? await Task.sleep(for: grace)) != nil, let self, !self.isOver else { return }
            device.connection.end(.unresponsive("an unlink of a transfer on \(endpoint) for \(grace)"))
        }
        let old = state.withLock { state in
            let old = state.watchdog.take()
            if state.isOver { watchdog.cancel() } else { state.watchdog = watchdog }
            return old
        }
        old?.cancel()
        device.connection.cancel(id)
    }

    private var isOver: Bool { state.withLock { $0.isOver } }
}
