import TestSupport
import Testing
import USBCore
import USBIPClient

@Suite("Taking transfers back", .timeLimit(.minutes(10)))
struct CancelTests {
    @Test("a transfer that waits is cancelled")
    func cancel() throws {
        let device = try HostedServer().attachScripted()
        let inbox = Inbox()
        let id = try device.remote.submit(.in(1, room: 8)) { inbox.add($0) }
        #expect(device.hasWaiting(1))
        device.remote.cancel(id)
        device.remote.cancel(id)
        #expect(try inbox.first(1).map(\.status) == [.cancelled])
        #expect(settles { device.remote.transfersInFlight == 0 && device.remote.unansweredCommands == 0 })
        #expect(device.on { $0.cancels.count } == 1, "it is asked for once")
        device.remote.cancel(id)
        #expect(device.remote.unansweredCommands == 0, "nothing is left to take back")
    }

    @Test("a transfer that ended before its unlink arrived keeps its result")
    func tooLate() throws {
        let device = try HostedServer().attachScripted()
        device.on { $0.cancelling = .tooLate(.bytes([1, 2, 3])) }
        let inbox = Inbox()
        let id = try device.remote.submit(.in(1, room: 8)) { inbox.add($0) }
        #expect(device.hasWaiting(1))
        device.remote.cancel(id)
        let results = try inbox.first(1)
        #expect(results.map(\.status) == [.success])
        #expect(results[0].data == [1, 2, 3])
        #expect(settles { device.remote.unansweredCommands == 0 })
        #expect(inbox.all.count == 1)
    }

    @Test("a name does not reach the transfer that has taken its place")
    func reuse() throws {
        let device = try HostedServer().attachScripted()
        device.on { $0.react = { $0.endpoint == .in(1) ? .answer(.bytes([])) : .keep } }
        let inbox = Inbox()
        let old = try device.remote.submit(.in(1, room: 8)) { inbox.add($0) }
        #expect(settles { device.remote.transfersInFlight == 0 })
        try device.remote.submit(.in(2, room: 8)) { inbox.add($0) }
        device.remote.cancel(old)
        #expect(device.hasWaiting(1))
        #expect(device.on { $0.cancels.isEmpty })
        device.on { $0.completeAll(.success) }
        #expect(try inbox.first(2).map(\.status) == [.success, .success])
    }

    @Test("a repeating transfer hears of its end once, though it says that it goes on")
    func repeating() throws {
        let device = try HostedServer().attachScripted()
        device.on { $0.react = { _ in .answer(.bytes([1])) } }
        let rounds = Tally()
        let ends = Tally()
        let id = try device.remote.submitRepeatedly(.in(1, room: 1)) { completion in
            rounds.add()
            if completion.status == .cancelled { ends.add() }
            return .resubmit
        }
        #expect(settles { rounds.value > 10 })
        device.remote.cancel(id)
        #expect(settles { device.remote.transfersInFlight == 0 && device.remote.unansweredCommands == 0 })
        #expect(ends.value == 1)
    }

    @Test("a transfer whose time passes is taken back, and the connection goes on")
    func timeout() throws {
        let device = try HostedServer().attachScripted()
        device.on { $0.react = { $0.endpoint == .in(1) ? .keep : .answer(.bytes([5])) } }
        #expect(throws: HostError.transferFailed(TransferFailure(endpoint: .in(1), status: .timedOut))) {
            try device.remote.read(1, room: 8, timeout: .milliseconds(20))
        }
        #expect(device.on { $0.waiting.isEmpty })
        #expect(try device.remote.read(2, room: 1) == [5])
    }

    @Test("a transfer that ends while its time passes keeps its result")
    func timeoutTooLate() throws {
        let device = try HostedServer().attachScripted()
        device.on { $0.cancelling = .tooLate(.bytes([1, 2, 3])) }
        #expect(try device.remote.read(1, room: 8, timeout: .milliseconds(20)) == [1, 2, 3])
    }

    @Test("a server that does not answer an unlink either loses the connection")
    func unresponsive() throws {
        let peer = try HostilePeer(limits: HostLimits(unlinkGrace: .milliseconds(50)))
        let error = #expect(throws: HostError.self) {
            _ = try peer.device.read(1, room: 8, timeout: .milliseconds(20))
        }
        guard case .unresponsive(let words) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(words.contains("EP 1 IN"))
        _ = try (peer.submit(), peer.unlink())
        #expect(peer.isAtEnd)
        #expect(peer.device.connectionError == error)
        #expect(throws: HostError.self) { try peer.device.submit(.in(1, room: 1)) { _ in } }
    }

    @Test("a server that does not even read cannot make a transfer outlast its time")
    func fullSocket() throws {
        let peer = try HostilePeer(limits: HostLimits(unlinkGrace: .milliseconds(50)))
        let error = #expect(throws: HostError.self) {
            _ = try peer.device.write(1, counting(8 << 20), timeout: .milliseconds(20))
        }
        guard case .unresponsive = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test("cancelling a task takes its transfer back")
    func taskCancellation() async throws {
        let device = try HostedServer().attachScripted()
        let task = Task { try await device.remote.transfer(.in(1, room: 8)) }
        #expect(try await device.comesToWait(1))
        task.cancel()
        #expect(try await task.value.status == .cancelled)
        #expect(device.on { $0.waiting.isEmpty })
        #expect(try await comesTrue { device.remote.transfersInFlight == 0 && device.remote.unansweredCommands == 0 })
    }

    @Test("a task that was cancelled before takes its transfer back as well")
    func cancelledBefore() async throws {
        let device = try HostedServer().attachScripted()
        let task = Task {
            unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
            return try await device.remote.transfer(.in(1, room: 8))
        }
        #expect(try await task.value.status == .cancelled)
    }

    @Test("asynchronous transfers bring bytes, and time out")
    func asynchronous() async throws {
        let device = try HostedServer().attachScripted()
        device.on { $0.react = { $0.endpoint == .in(1) ? .keep : .answer(.bytes([5])) } }
        #expect(try await device.remote.transfer(.in(2, room: 1)).data == [5])
        #expect(try await device.remote.transfer(.in(1, room: 1, timeout: .milliseconds(20))).status == .timedOut)
        #expect(device.on { $0.waiting.isEmpty })
        #expect(try await comesTrue { device.remote.transfersInFlight == 0 })
    }

    @Test("a server that ignores the unlink of a cancelled task loses the connection")
    func unresponsiveToTask() async throws {
        let peer = try HostilePeer(limits: HostLimits(unlinkGrace: .milliseconds(50)))
        let device = peer.device
        let task = Task { () -> HostError? in
            do throws(HostError) {
                _ = try await device.transfer(.in(1, room: 8))
                return nil
            } catch {
                return error
            }
        }
        #expect(try await comesTrue { device.unansweredCommands == 1 })
        task.cancel()
        guard case .unresponsive = await task.value else {
            Issue.record("\(String(describing: device.connectionError))")
            return
        }
    }
}
