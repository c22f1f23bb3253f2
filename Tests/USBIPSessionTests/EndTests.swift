import TestSupport
import Testing
import USBCore
import USBIPSession

@Suite("The end of a session")
struct EndTests {
    @Test("draining answers all that waits and all that comes with ESHUTDOWN, and unlinks as ever")
    func drain() throws {
        let harness = SessionHarness()
        try harness.arrive(
            harness.client.submit(1, .in(1), length: 8) + harness.client.submit(2, .out(1), payload: [1]))
        harness.session.drain()
        #expect(
            Set(try harness.news())
                == [.submit(SubmitReply(1, status: -108)), .submit(SubmitReply(2, status: -108))])
        #expect(
            try harness.exchange(harness.client.submit(3, .in(1), length: 8) + harness.client.unlink(4, victim: 3))
                == [.submit(SubmitReply(3, status: -108)), .unlink(sequence: 4, status: 0)])
        #expect(harness.device.submissions.count == 2, "the device gets nothing new")
    }

    @Test("a drain does not lose an unlink that waits for a slow device, nor one that comes after it")
    func drainWithUnlinks() throws {
        let harness = SessionHarness()
        harness.device.cancelling = .later
        try harness.arrive(
            harness.client.submit(1, .in(1), length: 8) + harness.client.submit(2, .in(1), length: 8)
                + harness.client.submit(3, .in(1), length: 8) + harness.client.unlink(4, victim: 1))
        harness.session.drain()
        #expect(try harness.exchange(harness.client.unlink(5, victim: 2)) == [])
        harness.device.finishCancels()
        #expect(
            Set(try harness.news()) == [
                .unlink(sequence: 4, status: -104), .unlink(sequence: 5, status: -104),
                .submit(SubmitReply(3, status: -108)),
            ])
    }

    @Test("a drain in the middle of a large transfer takes the rest of it off the stream", arguments: [true, false])
    func drainWhileArriving(lands: Bool) throws {
        let harness = SessionHarness()
        harness.device.landsTransfers = lands
        let large = harness.client.submit(1, .out(1), payload: [UInt8](repeating: 1, count: 100_000))
        try harness.arrive(Array(large[..<70_000]))
        harness.session.drain()
        let rest = large[70_000...] + harness.client.submit(2, .in(1), length: 8)
        #expect(
            try harness.exchange(Array(rest))
                == [.submit(SubmitReply(1, status: -108)), .submit(SubmitReply(2, status: -108))])
    }

    @Test("an overtaking unlink is answered during a drain, too")
    func drainOvertaken() throws {
        let harness = SessionHarness()
        try harness.arrive(harness.client.unlink(2, victim: 1))
        harness.session.drain()
        #expect(
            try harness.exchange(harness.client.submit(1, .in(1), length: 8)) == [.unlink(sequence: 2, status: -104)])
    }

    @Test("closing disconnects the device once and takes everything back without a word")
    func close() throws {
        let harness = SessionHarness()
        try harness.arrive(
            harness.client.submit(1, .in(1), length: 8) + harness.client.submit(2, .out(1), payload: [1]))
        harness.session.close()
        harness.session.close()
        #expect(harness.session.keptCount == 0 && harness.device.waiting == [])
        #expect(harness.device.disconnections == 1)
        #expect(try harness.news() == [])
    }

    @Test("closing in the middle of a large transfer forgets it", arguments: [true, false])
    func closeWhileArriving(lands: Bool) throws {
        let harness = SessionHarness()
        harness.device.landsTransfers = lands
        let large = harness.client.submit(1, .out(1), payload: [UInt8](repeating: 1, count: 100_000))
        try harness.arrive(Array(large[..<70_000]))
        #expect(unsafe harness.session.landing.count == 30_048)
        harness.session.close()
        #expect(unsafe harness.session.landing.isEmpty)
        #expect(harness.device.submissions == [])
    }

    @Test("a closed session is not drained: its device may have another host by now")
    func drainAfterClose() throws {
        let harness = SessionHarness()
        harness.device.cancelling = .later
        try harness.arrive(harness.client.submit(1, .in(1), length: 8))
        harness.session.close()
        let cancels = harness.device.cancels.count
        harness.session.drain()
        #expect(harness.device.cancels.count == cancels)
        harness.device.finishCancels()
    }

    @Test("a session and its output live until a slow device has given the last transfer back, and no longer")
    func lifetime() throws {
        let device = ScriptedDevice()
        device.cancelling = .later
        weak var session: URBSession?
        weak var output: OutputCollector?
        try {
            let collector = OutputCollector()
            let urbSession = URBSession(device: device, deviceID: 1, output: collector)
            session = urbSession
            output = collector
            var client = ClientModel()
            let bytes = (1...5 as ClosedRange<UInt32>).flatMap {
                client.submit($0, .out(1), payload: [UInt8](repeating: 1, count: 1000))
            }
            _ = unsafe try bytes.withUnsafeBytes { unsafe try urbSession.receive($0) }
            urbSession.close()
        }()
        #expect(session?.keptCount == 5)
        device.complete(3, .accept())
        device.complete(1, .status(.stalled))
        #expect(session?.keptCount == 3 && output?.bytes == [])
        device.finishCancels()
        #expect(device.waiting == [])
        #expect(session == nil && output == nil)
    }

    @Test("a device that gives everything back at once leaves no session behind")
    func lifetimeAtOnce() throws {
        let device = ScriptedDevice()
        weak var session: URBSession?
        try {
            let harness = SessionHarness(device)
            session = harness.session
            try harness.arrive(harness.client.submit(1, .in(1), length: 8))
        }()
        #expect(session == nil && device.disconnections == 1)
    }

    @Test("letting go of a session that was not closed is caught before memory is lost")
    func notClosed() async {
        await #expect(processExitsWith: .failure) {
            let device = ScriptedDevice()
            var client = ClientModel()
            let bytes = client.submit(1, .in(1), length: 8)
            do {
                let session = URBSession(device: device, deviceID: 1, output: OutputCollector())
                _ = unsafe try bytes.withUnsafeBytes { unsafe try session.receive($0) }
            }
        }
    }
}
