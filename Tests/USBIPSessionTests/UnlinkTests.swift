import TestSupport
import Testing
import USBCore
import USBIPSession

@Suite("Unlinking")
struct UnlinkTests {
    let harness = SessionHarness()
    private var device: ScriptedDevice { harness.device }

    @Test("a transfer that waits is taken back: one answer to the unlink, none to the transfer")
    func kept() throws {
        #expect(try harness.exchange(harness.client.submit(1, .in(1), length: 8)) == [])
        #expect(try harness.exchange(harness.client.unlink(2, victim: 1)) == [.unlink(sequence: 2, status: -104)])
        #expect(device.cancels == [1])
        #expect(harness.session.keptCount == 0 && harness.client.unanswered == [])
    }

    @Test("an unlink of a transfer that was answered comes too late, and its answer comes after the transfer's")
    func answered() throws {
        device.react = { _ in .answer(.bytes([1, 2])) }
        let bytes = harness.client.submit(1, .in(1), length: 8) + harness.client.unlink(2, victim: 1)
        #expect(
            try harness.exchange(bytes) == [
                .submit(SubmitReply(1, actualLength: 2, data: [1, 2])), .unlink(sequence: 2, status: 0),
            ])
        #expect(device.cancels == [])
    }

    @Test("an unlink of a transfer that waited and was answered since comes too late")
    func answeredLater() throws {
        try harness.arrive(harness.client.submit(1, .in(1), length: 8))
        device.complete(1, .bytes([9]))
        #expect(
            try harness.exchange(harness.client.unlink(2, victim: 1)) == [
                .submit(SubmitReply(1, actualLength: 1, data: [9])), .unlink(sequence: 2, status: 0),
            ])
    }

    @Test(
        "an unlink that overtakes its submit waits for it, and the device never sees the transfer",
        arguments: [0, 8, 16 << 10, 40_000, 200_000])
    func overtaking(size: Int) throws {
        device.landsTransfers = true
        let payload = [UInt8](repeating: 0x55, count: size)
        #expect(try harness.exchange(harness.client.submit(1, .in(1), length: 1)) == [])
        #expect(try harness.exchange(harness.client.unlink(3, victim: 2)) == [])
        let submit = harness.client.submit(2, .out(1), payload: payload)
        #expect(try harness.exchange(submit) == [.unlink(sequence: 3, status: -104)])
        #expect(device.submissions.map(\.id) == [1])
        #expect(device.landings == [], "the bytes of a transfer that is not to happen must not reach the device")
        // In step: the next command is understood.
        device.react = { _ in .answer(.accept()) }
        #expect(
            try harness.exchange(harness.client.submit(4, .out(1), payload: [1]))
                == [.submit(SubmitReply(4, actualLength: 1))])
    }

    @Test("the first command of all may be an unlink that overtook its submit")
    func overtakingFirst() throws {
        #expect(try harness.exchange(harness.client.unlink(0x9000_0002, victim: 0x9000_0001)) == [])
        let submit = harness.client.submit(0x9000_0001, .in(1), length: 8)
        #expect(try harness.exchange(submit) == [.unlink(sequence: 0x9000_0002, status: -104)])
        #expect(device.submissions == [])
    }

    @Test("several unlinks can overtake their submits, in any order")
    func overtakingMany() throws {
        try harness.arrive(harness.client.submit(1, .in(1), length: 8))
        for (unlink, victim) in [(10, 4), (11, 2), (12, 3)] as [(UInt32, UInt32)] {
            #expect(try harness.exchange(harness.client.unlink(unlink, victim: victim)) == [])
        }
        var answers: [Reply] = []
        for submit in 2...5 as ClosedRange<UInt32> {
            answers += try harness.exchange(harness.client.submit(submit, .in(1), length: 8))
        }
        #expect(
            answers == [
                .unlink(sequence: 11, status: -104), .unlink(sequence: 12, status: -104),
                .unlink(sequence: 10, status: -104),
            ])
        #expect(device.submissions.map(\.id) == [1, 5])
    }

    @Test("a victim that never comes: a newer submit proves it, and the unlink came too late")
    func victimNeverComes() throws {
        try harness.arrive(harness.client.submit(1, .in(1), length: 8))
        #expect(try harness.exchange(harness.client.unlink(4, victim: 3)) == [])
        #expect(
            try harness.exchange(harness.client.submit(5, .in(1), length: 8)) == [.unlink(sequence: 4, status: 0)])
        #expect(device.submissions.map(\.id) == [1, 5])
    }

    @Test("an unlink of a number that is long past comes too late, at once")
    func pastVictim() throws {
        try harness.arrive(harness.client.submit(100, .in(1), length: 8))
        #expect(try harness.exchange(harness.client.unlink(101, victim: 50)) == [.unlink(sequence: 101, status: 0)])
    }

    @Test("an unlink that names itself, or another unlink, is answered at once")
    func notATransfer() throws {
        try harness.arrive(harness.client.submit(1, .in(1), length: 8))
        #expect(try harness.exchange(harness.client.unlink(5, victim: 5)) == [.unlink(sequence: 5, status: 0)])
        #expect(try harness.exchange(harness.client.unlink(6, victim: 5)) == [.unlink(sequence: 6, status: 0)])
        #expect(harness.client.unanswered == [1])
    }

    @Test("two unlinks of one transfer get an answer each; one of them took it back")
    func twice() throws {
        device.cancelling = .later
        try harness.arrive(harness.client.submit(1, .in(1), length: 8))
        let unlinks = harness.client.unlink(2, victim: 1) + harness.client.unlink(3, victim: 1)
        #expect(try harness.exchange(unlinks) == [])
        #expect(device.cancels == [1], "the device is asked once")
        device.finishCancels()
        #expect(try harness.news() == [.unlink(sequence: 2, status: -104), .unlink(sequence: 3, status: 0)])
    }

    @Test("two unlinks that overtake their submit get an answer each")
    func twiceOvertaking() throws {
        try harness.arrive(harness.client.submit(1, .in(1), length: 8))
        let early = harness.client.unlink(3, victim: 2) + harness.client.unlink(4, victim: 2)
        #expect(try harness.exchange(early) == [])
        let replies = try harness.exchange(harness.client.submit(2, .in(1), length: 8))
        #expect(Set(replies) == [.unlink(sequence: 3, status: -104), .unlink(sequence: 4, status: 0)])
    }

    @Test("a device that was finished already answers first, and the unlink came too late")
    func tooLate() throws {
        device.cancelling = .tooLate(.bytes([7, 7]))
        try harness.arrive(harness.client.submit(1, .in(1), length: 8))
        #expect(
            try harness.exchange(harness.client.unlink(2, victim: 1)) == [
                .submit(SubmitReply(1, actualLength: 2, data: [7, 7])), .unlink(sequence: 2, status: 0),
            ])
    }

    @Test(
        "a device that takes its time decides when it gives back, as cancelled or as finished",
        arguments: [true, false])
    func slowly(finishes: Bool) throws {
        device.cancelling = .later
        try harness.arrive(harness.client.submit(1, .in(1), length: 8) + harness.client.submit(2, .in(2), length: 8))
        #expect(try harness.exchange(harness.client.unlink(3, victim: 1)) == [])
        device.complete(2, .bytes([2]))
        #expect(try harness.news() == [.submit(SubmitReply(2, actualLength: 1, data: [2]))])
        if finishes {
            device.complete(1, .bytes([1]))
            #expect(
                try harness.news() == [
                    .submit(SubmitReply(1, actualLength: 1, data: [1])), .unlink(sequence: 3, status: 0),
                ])
        } else {
            device.finishCancels()
            #expect(try harness.news() == [.unlink(sequence: 3, status: -104)])
        }
    }

    @Test("sequence numbers wrap around", arguments: [true, false])
    func wrapAround(overtakes: Bool) throws {
        try harness.arrive(harness.client.submit(.max - 1, .in(1), length: 8))
        if overtakes {
            // The victim, 1, is newer than the newest submit although it is smaller.
            #expect(try harness.exchange(harness.client.unlink(2, victim: 1)) == [])
            #expect(try harness.exchange(harness.client.submit(.max, .in(1), length: 8)) == [])
            #expect(try harness.exchange(harness.client.submit(0, .in(1), length: 8)) == [])
            #expect(
                try harness.exchange(harness.client.submit(1, .in(1), length: 8))
                    == [.unlink(sequence: 2, status: -104)])
        } else {
            #expect(try harness.exchange(harness.client.submit(1, .in(1), length: 8)) == [])
            #expect(
                try harness.exchange(harness.client.unlink(2, victim: .max)) == [.unlink(sequence: 2, status: 0)])
        }
        #expect(
            try harness.exchange(harness.client.unlink(3, victim: .max - 1)) == [.unlink(sequence: 3, status: -104)])
    }

    @Test("unlinks that wait for their submits are limited; more come too late")
    func heldLimit() throws {
        var limits = SessionLimits()
        limits.heldUnlinks = 3
        let harness = SessionHarness(limits: limits)
        try harness.arrive(harness.client.submit(1, .in(1), length: 8))
        for (unlink, victim) in [(100, 10), (101, 10), (102, 11)] as [(UInt32, UInt32)] {
            #expect(try harness.exchange(harness.client.unlink(unlink, victim: victim)) == [])
        }
        #expect(try harness.exchange(harness.client.unlink(103, victim: 10)) == [.unlink(sequence: 103, status: 0)])
        #expect(try harness.exchange(harness.client.unlink(104, victim: 12)) == [.unlink(sequence: 104, status: 0)])
        // Room again once some were answered.
        #expect(Set(try harness.exchange(harness.client.submit(10, .in(1), length: 8)).map(\.sequence)) == [100, 101])
        #expect(try harness.exchange(harness.client.unlink(105, victim: 12)) == [])
    }

    @Test("unlinks of one waiting transfer are limited; more end the connection")
    func waitingLimit() throws {
        var limits = SessionLimits()
        limits.heldUnlinks = 3
        let harness = SessionHarness(limits: limits)
        harness.device.cancelling = .later
        try harness.arrive(harness.client.submit(1, .in(1), length: 8))
        for unlink in 2...4 as ClosedRange<UInt32> { try harness.arrive(harness.client.unlink(unlink, victim: 1)) }
        #expect(throws: ProtocolViolation.self) { try harness.arrive(harness.client.unlink(5, victim: 1)) }
    }
}
