import CommandSupport
import Glibc
import SocketIO
import Synchronization

/// One client of the control interface, on a thread of its own.
final class ControlConnection: Sendable {
    private let socket: StreamSocket
    private let target: any ControlTarget
    private let cancellation: Cancellation
    private let follower = Mutex<Follower?>(nil)
    /// Lines of two threads do not mix: this one's answers and the follower's events.
    private let sending = Mutex(())

    /// An `events` request that goes on.
    private struct Follower {
        let subscription: EventSubscription
        let hasEnded: SocketIO.Semaphore
    }

    init(_ socket: StreamSocket, _ target: any ControlTarget) {
        self.socket = socket
        self.target = target
        cancellation = Cancellation(.hangUp(of: socket))
    }

    /// Serves the client until it goes, or ``end()``.
    func run(greeting: JSON) {
        guard send(greeting.line) else { return }
        var reader = LineReader(limit: ControlMessage.requestLimit)
        while true {
            switch reader.next(from: socket) {
            case .line(let line):
                guard !line.allSatisfy({ $0 == 0x20 || $0 == 0x0d || $0 == 0x09 }) else { continue }
                guard handle(ControlMessage.Incoming(line: line)) else { return close() }
            case .tooLong:
                let error = ControlError(.invalid, "a line has at most \(ControlMessage.requestLimit) bytes")
                _ = send(ControlMessage.answer(.failure(error), id: .null).line)
                return close()
            case .end(let code):
                // Who is done with sending may still want to read.
                if code == 0 { finishFollowing() }
                return close()
            }
        }
    }

    /// Ends the connection in order: what is being done is given up, and its answer still sent.
    func end() {
        cancellation.cancel()
        socket.shutdownReading()
        follower.withLock { $0 }?.subscription.close()
    }

    /// Ends the connection at once.
    func abort() { socket.shutdown() }

    private func close() {
        socket.shutdown()
        guard let follower = follower.withLock({ $0 }) else { return }
        follower.subscription.close()
        follower.hasEnded.wait()
    }

    private func send(_ line: [UInt8]) -> Bool {
        sending.withLock { _ in (try? socket.sendAll(line)) != nil }
    }

    /// - Returns: false when the client is gone.
    private func handle(_ incoming: ControlMessage.Incoming) -> Bool {
        let outcome: Result<[(String, JSON)], ControlError>
        do throws(ControlError) {
            let request = try incoming.request.get()
            if request.command == "events" { return try events(request, incoming.id) }
            outcome = .success(try target.perform(request, cancellation))
        } catch {
            outcome = .failure(error)
        }
        return send(ControlMessage.answer(outcome, id: incoming.id).line)
    }

    // MARK: Events

    private func events(_ request: ControlRequest, _ id: JSON) throws(ControlError) -> Bool {
        try request.allow(only: ["follow", "since", "busid"])
        let busID = try request.string("busid")
        let since = try request.integer("since", in: 0...Int.max).map(UInt64.init)
        guard try request.bool("follow", default: false) else {
            let (events, last) = target.events.recent(since: since)
            let chosen = events.filter { $0.concerns(busID) }.map(\.json)
            let result: [(String, JSON)] = [("events", .array(chosen)), ("seq", .number(Int(clamping: last)))]
            return send(ControlMessage.answer(.success(result), id: id).line)
        }
        guard follower.withLock({ $0 == nil }) else {
            throw ControlError(.invalid, "this connection follows events already; make another connection")
        }
        let subscription = target.events.follow(
            since: since, frequent: busID.map { .of(busID: $0) } ?? .all)
        // Nobody else sends yet, so the answer comes before the first event.
        let result: [(String, JSON)] = [("seq", .number(Int(clamping: subscription.beginning)))]
        guard send(ControlMessage.answer(.success(result), id: id).line) else { return false }
        let hasEnded = SocketIO.Semaphore()
        follower.withLock { $0 = Follower(subscription: subscription, hasEnded: hasEnded) }
        // The server may have ended before it could see the follower.
        if cancellation.isCancelled { subscription.close() }
        do throws(SocketError) {
            try startThread("ctl-events") { [self] in
                pass(subscription, busID)
                hasEnded.signal()
            }
        } catch {
            hasEnded.signal()
            return false
        }
        return true
    }

    private func pass(_ subscription: EventSubscription, _ busID: String?) {
        while true {
            let events = subscription.next()
            guard !events.isEmpty else { return }
            let lines = events.filter { $0.concerns(busID) }.flatMap(\.json.line)
            guard lines.isEmpty || send(lines) else {
                subscription.close()
                return
            }
        }
    }

    /// Goes on with the events for a client that has said all it had to.
    private func finishFollowing() {
        guard let follower = follower.withLock({ $0 }) else { return }
        let watch = UnixSocketHangUps.shared.watch(socket) { follower.subscription.close() }
        follower.hasEnded.wait()
        // Who waits for it next does not wait either.
        follower.hasEnded.signal()
        if let watch { UnixSocketHangUps.shared.unwatch(watch) }
    }
}

extension PublishedEvent {
    /// Whether a follower of one device wants to know; what was lost may have been that device's.
    fileprivate func concerns(_ busID: String?) -> Bool { busID == nil || self.busID == busID || kind == "lost" }
}

extension Cancellation.Source {
    /// A client that has gone needs no answer.
    fileprivate static func hangUp(of socket: StreamSocket) -> Self {
        let current = WatchBox()
        return Self(
            hasGone: { socket.hasHungUp },
            watch: { handler in
                let watch = UnixSocketHangUps.shared.watch(socket, handler)
                current.watch.withLock { $0 = watch }
            },
            unwatch: {
                let watch = current.watch.withLock { watch in
                    defer { watch = nil }
                    return watch
                }
                if let watch { UnixSocketHangUps.shared.unwatch(watch) }
            })
    }
}

private final class WatchBox: Sendable {
    let watch = Mutex<UInt64?>(nil)
}
