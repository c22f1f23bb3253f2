import CaptureTraces
import Testing
import USBCore
import USBIPClient
import USBReplay
import USBReplayHost

@Suite("What cannot be made again is left out and counted")
struct SkipTests {
    private func expect(
        _ reason: SkipReason, _ recording: Recording, _ place: Int, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let replayed = recording.replay()
        #expect(!replayed.order.contains(place), sourceLocation: sourceLocation)
        #expect(replayed.replay.skipped == [reason: 1], sourceLocation: sourceLocation)
        #expect(
            replayed.report.notes.contains { $0.hasPrefix("1 transfer not made again") }, sourceLocation: sourceLocation
        )
        #expect(replayed.report.passed, sourceLocation: sourceLocation)
        #expect(replayed.order.count == recording.trace.transfers.count - 1, sourceLocation: sourceLocation)
    }

    private func configured() -> Recording {
        let recording = Recording()
        recording.control(.configure(1))
        return recording
    }

    @Test("SET_ADDRESS")
    func address() {
        let recording = Recording()
        let place = recording.control(SetupPacket(requestType: 0, request: 5, value: 7))
        recording.control(.configure(1))
        expect(.address, recording, place)
    }

    @Test("What the recorded host took back")
    func cancelled() {
        let recording = configured()
        let place = recording.submitIn(1)
        recording.complete(place, status: TransferStatus(rawValue: -2))
        recording.change(place) { $0.marks.insert(.isCancelled) }
        recording.read(1, [1])
        expect(.cancelled, recording, place)
    }

    @Test("What had not ended when the capture did")
    func unended() {
        let recording = configured()
        let place = recording.submitIn(1, .interrupt)
        recording.control(.ask(1, length: 1), in: [1])
        expect(.unended, recording, place)
    }

    @Test("Requests of which the capture has only the end")
    func unasked() {
        let recording = configured()
        let place = recording.control(.ask(1, length: 1), in: [1])
        recording.change(place) { transfer in
            transfer.submissionNumber = 0
            transfer.marks = .noSubmission
        }
        expect(.unasked, recording, place)
    }

    @Test("A read that waited when the capture began waits when the replay begins")
    func parked() {
        let recording = Recording()
        recording.control(.configure(1))
        let first = recording.submitIn(1, .interrupt)
        let second = recording.submitIn(1, .interrupt)
        let third = recording.submitIn(1, .interrupt)
        for (index, place) in [first, second, third].enumerated() { recording.complete(place, [UInt8(index)]) }
        for place in [first, second] {
            recording.change(place) { transfer in
                transfer.submissionNumber = 0
                transfer.marks = .noSubmission
            }
        }
        let replayed = recording.replay { $0.delay = { _ in 5 } }
        #expect(replayed.order == [first, second, 0, third])
        #expect(replayed.report.passed)
        #expect(replayed.replay.skipped.isEmpty)
    }

    @Test("A read whose submission the capture has lost is made where it ended")
    func lost() {
        let recording = configured()
        recording.read(1, [1])
        let place = recording.read(1, [2])
        recording.change(place) { transfer in
            transfer.submissionNumber = 0
            transfer.requested = 1
            transfer.marks = .noSubmission
        }
        let replayed = recording.replay()
        #expect(replayed.order == [0, 1, place])
        #expect(replayed.target.requests[place]?.room == 1)
    }

    @Test("Data to the device of which the capture lacks a part, for requests and for endpoints")
    func cutOutput() {
        let bulk = configured()
        let write = bulk.write(1, [1, 2, 3])
        bulk.change(write) { $0.requested = 512 }
        expect(.cutOutput, bulk, write)
        let control = configured()
        expect(.cutOutput, control, control.control(.tell(1, length: 8), out: [1, 2]))
    }

    @Test("What the capturing program made up")
    func injected() {
        let recording = configured()
        let place = recording.control(.descriptor(1, length: 18), in: [18, 1])
        recording.change(place) { $0.marks.insert(.isInjected) }
        expect(.injected, recording, place)
    }

    @Test("A hub's requests and its reports")
    func hub() {
        let recording = configured()
        recording.descriptors.device = [18, 1, 0, 2, 9, 0, 1, 64, 0x6b, 0x1d, 2, 0, 0, 0, 0, 0, 0, 1]
        recording.control(SetupPacket(requestType: 0x23, request: 3, value: 4, index: 1))
        recording.complete(recording.submitIn(1, .interrupt, room: 1), [2])
        let replayed = recording.replay()
        #expect(replayed.order == [0])
        #expect(replayed.replay.skipped == [.hub: 2])
    }

    @Test("Where nothing can be made again, nothing has passed")
    func nothingCompared() {
        let recording = Recording()
        recording.control(SetupPacket(requestType: 0, request: 5, value: 7))
        let replayed = recording.replay()
        #expect(replayed.order.isEmpty)
        #expect(!replayed.report.passed)
        #expect(replayed.report.divergences.first?.detail.contains("nothing was compared") == true)
        #expect(replayed.report.junit(name: "nothing.pcapng").contains("<failure"))
    }

    @Test("What is larger than a transfer over USB/IP can be")
    func tooLarge() {
        let recording = configured()
        let place = recording.read(1, [1], room: 65 << 20)
        expect(.tooLarge, recording, place)
    }
}

@Suite("Requests are as they were recorded")
struct RequestTests {
    @Test("Control requests with their data and their length")
    func control() {
        let recording = Recording()
        recording.control(.configure(1))
        let told = recording.control(.tell(3, length: 2), out: [8, 9])
        let asked = recording.control(.descriptor(2, length: 9), in: [9, 2])
        let requests = recording.replay().target.requests
        #expect(requests[told]?.payload == [8, 9])
        #expect(requests[told]?.endpoint == .out(0))
        #expect(requests[asked]?.setup == .descriptor(2, length: 9))
        #expect(requests[asked]?.room == 9)
    }

    @Test("Reads with the recorded room; whole packets where the capture does not say")
    func room() {
        let recording = Recording()
        recording.speed = .high
        recording.control(.configure(1))
        let said = recording.read(1, [1], room: 4096)
        let nothing = recording.read(1, [], room: 0)
        let some = recording.read(1, [UInt8](repeating: 1, count: 513), room: 0)
        let full = recording.read(1, [UInt8](repeating: 1, count: 512), room: 0)
        let requests = recording.replay().target.requests
        #expect([said, nothing, some, full].map { requests[$0]?.room } == [4096, 512, 1024, 512])
    }

    @Test("Periodic endpoints have the interval that Linux makes of the descriptor's")
    func interval() {
        let recording = Recording()
        recording.descriptors.configurations[0] = [
            9, 2, 32, 0, 1, 1, 0, 0x80, 50, 9, 4, 0, 0, 2, 3, 0, 0, 0, 7, 5, 0x81, 3, 8, 0, 10, 7, 5, 0x02, 2, 64, 0, 0,
        ]
        recording.control(.configure(1))
        let report = recording.submitIn(1, .interrupt, room: 8)
        recording.complete(report, [1])
        let write = recording.write(2, [1])
        let requests = recording.replay().target.requests
        #expect(requests[report]?.interval == 8)
        #expect(requests[write]?.interval == 0)
    }

    @Test("A capture that begins after SET_CONFIGURATION has it made first, and the alternate settings it needs")
    func begunInTheMiddle() {
        let recording = Recording()
        recording.descriptors.configurations[0] = [
            9, 2, 41, 0, 1, 3, 0, 0x80, 50, 9, 4, 0, 0, 0, 255, 0, 0, 0, 9, 4, 0, 1, 2, 255, 0, 0, 0, 7, 5, 0x81, 2, 64,
            0, 0, 7, 5, 0x02, 2, 64, 0, 0,
        ]
        recording.write(2, [1])
        let replayed = recording.replay()
        #expect(replayed.order == [-1, -1, 0])
        #expect(replayed.target.requests[-1]?.setup == SetupPacket(requestType: 1, request: 11, value: 1))
        #expect(replayed.report.passed)
        #expect(
            replayed.report.notes == [
                "the capture begins after SET_CONFIGURATION; configuration 3 was selected first, and setting 1 of "
                    + "interface 0"
            ])
    }

    @Test("A capture of which the device is only asked what it is has nothing selected")
    func enumerationOnly() {
        let recording = Recording()
        recording.control(.descriptor(1, length: 18), in: [18, 1])
        #expect(recording.replay().order == [0])
    }
}
