import Testing
import USBCapture
import USBCore

@testable import CaptureTraces

@Suite("Submissions and their ends")
struct PairingTests {
    private let request = SetupPacket(requestType: 0xc0, request: 1, length: 4)

    @Test("belong together by their name, whatever comes between")
    func interleaved() throws {
        var script = Script()
        script.add(.submission, .bulk, 0x81, urb: 1, length: 64)
        script.add(.submission, .bulk, 0x02, urb: 2, data: [9, 8])
        script.add(.completion, .bulk, 0x81, urb: 1, data: [1, 2, 3])
        script.add(.completion, .bulk, 0x02, urb: 2, length: 2)

        let trace = try script.trace()
        #expect(trace.transfers.map(\.submissionNumber) == [1, 2])
        #expect(trace.transfers.map(\.completionNumber) == [3, 4])
        #expect(trace.transfers.map(\.requested) == [64, 2])
        #expect(trace.transfers.map(\.actual) == [3, 2])
        #expect(try trace.bytes(trace.transfers[0].input) == [1, 2, 3])
        #expect(try trace.bytes(trace.transfers[1].output) == [9, 8])
        #expect(trace.transfers.allSatisfy { $0.marks.isEmpty && $0.status == .success })
    }

    @Test("that are named again have lost their ends")
    func reuse() throws {
        var script = Script()
        script.add(.submission, .bulk, 0x81, urb: 1, length: 64)
        script.add(.submission, .bulk, 0x81, urb: 1, length: 32)
        script.add(.completion, .bulk, 0x81, urb: 1, data: [7])

        let trace = try script.trace()
        #expect(trace.transfers.map(\.marks) == [.noCompletion, []])
        #expect(trace.transfers.map(\.status) == [.abandoned, .success])
        #expect(trace.device.unanswered == 1)
        #expect(trace.device.submissions == 2)
    }

    @Test("can lack the submission")
    func unasked() throws {
        var script = Script()
        script.add(.completion, .interrupt, 0x81, urb: 9, data: [1])

        let trace = try script.trace()
        #expect(trace.transfers.map(\.marks) == [.noSubmission])
        #expect(trace.transfers[0].submitted == trace.transfers[0].completed)
        #expect(try trace.bytes(trace.transfers[0].input) == [1])
        #expect(trace.device.unasked == 1)
    }

    @Test("can lack the end at the capture's end")
    func waiting() throws {
        var script = Script()
        script.add(.submission, .interrupt, 0x81, urb: 9, length: 8)
        #expect(try script.trace().transfers[0].marks == .noCompletion)
        #expect(script.summary.devices[0].unanswered == 1)
        #expect(script.summary.devices[0].endpoints.map(\.transfers) == [1])
    }

    @Test("of equal names on other buses and channels are others")
    func places() throws {
        var script = Script()
        script.add(.submission, .bulk, 0x81, urb: 1, length: 1)
        script.bus = 2
        script.add(.submission, .bulk, 0x81, urb: 1, length: 2)
        script.channel = 1
        script.add(.submission, .bulk, 0x81, urb: 1, length: 3)
        script.add(.completion, .bulk, 0x81, urb: 1, data: [3, 3, 3])
        script.channel = 0
        script.add(.completion, .bulk, 0x81, urb: 1, data: [2, 2])
        script.bus = 1
        script.add(.completion, .bulk, 0x81, urb: 1, data: [1])

        let traces = try script.traces()
        #expect(traces.map { $0.transfers.map(\.actual) } == [[1], [2], [3]])
    }

    @Test("are refused by the controller: that says nothing of the device")
    func refusal() throws {
        var script = Script()
        script.add(.submission, .bulk, 0x02, urb: 1, data: [1, 2])
        script.add(.refusal, .bulk, 0x02, urb: 1, status: TransferStatus(rawValue: -19), length: 2)
        let transfer = try script.trace().transfers[0]
        #expect(transfer.marks == .isCancelled)
        #expect(transfer.actual == 0)
    }

    @Test("are taken back by the driver", arguments: [-2, -104, -108])
    func cancelled(status: Int32) throws {
        var script = Script()
        script.add(.submission, .interrupt, 0x81, urb: 1, length: 8)
        script.add(.completion, .interrupt, 0x81, urb: 1, status: TransferStatus(rawValue: status))
        #expect(try script.trace().transfers[0].marks == .isCancelled)
    }

    @Test("of control transfers may have their data in a record of their own")
    func dataStage() throws {
        var script = Script()
        let sent = SetupPacket(requestType: 0x40, request: 1, length: 3)
        script.add(.submission, .control, 0x00, urb: 1, setup: sent, length: 3)
        script.add(.submission, .control, 0x00, urb: 1, data: [4, 5, 6])
        script.add(.completion, .control, 0x00, urb: 1, length: 3)
        script.add(.submission, .control, 0x80, urb: 2, setup: request, length: 4)
        script.add(.submission, .control, 0x00, urb: 2, data: [1, 2, 3, 4])
        script.add(.completion, .control, 0x80, urb: 2, length: 4)

        let trace = try script.trace()
        #expect(trace.transfers.count == 2)
        #expect(try trace.bytes(trace.transfers[0].output) == [4, 5, 6])
        #expect(try trace.bytes(trace.transfers[1].input) == [1, 2, 3, 4])
        #expect(trace.device.unanswered == 0)
    }

    @Test("keep isochronous packets as they were submitted and as they ended")
    func isochronous() throws {
        func packets(_ lengths: [UInt32], _ status: TransferStatus = .success) -> [CapturedPacket] {
            lengths.enumerated().map { CapturedPacket(status: status, offset: UInt32($0 * 100), length: $1) }
        }
        var script = Script()
        script.add(.submission, .isochronous, 0x81, urb: 1, length: 200, packets: packets([100, 100]))
        script.add(.submission, .isochronous, 0x81, urb: 2, length: 100, packets: packets([100]))
        script.add(.completion, .isochronous, 0x81, urb: 1, length: 30, packets: packets([10, 20]))
        script.add(.completion, .isochronous, 0x81, urb: 2, length: 9, packets: packets([4, 5], .missed))

        let trace = try script.trace()
        func kept(_ place: Int, _ list: [CapturedPacket]) -> [UInt32] {
            let first = Int(trace.transfers[place].firstPacket)
            return list[first..<first + Int(trace.transfers[place].packetCount)].map(\.length)
        }
        #expect(kept(0, trace.submittedPackets) == [100, 100])
        #expect(kept(0, trace.packets) == [10, 20])
        // An end with more packets than were submitted has them all.
        #expect(kept(1, trace.submittedPackets) == [100, 5])
        #expect(kept(1, trace.packets) == [4, 5])
    }

    @Test("are waited for up to a limit; then the oldest is given up")
    func limit() {
        var table = OutstandingTable(limit: 3)
        func transfer(_ urb: UInt64) -> OutstandingTransfer {
            OutstandingTransfer(
                channel: 0, urb: urb, setup: 0, place: 0, requested: 0, slot: 0, bus: 1, endpoint: 0, type: .bulk,
                hasSetup: false, isCut: false)
        }
        #expect((1...3).allSatisfy { table.insert(transfer($0)) == nil })
        #expect(table.insert(transfer(4))?.urb == 1)
        #expect(table.remove(channel: 0, bus: 1, urb: 3)?.urb == 3)
        #expect(table.insert(transfer(5)) == nil)
        #expect(table.insert(transfer(6))?.urb == 2)
        #expect([4, 5, 6].map { _ in table.removeOldest()?.urb } == [4, 5, 6])
        #expect(table.removeOldest() == nil)
    }

    @Test("are found as a dictionary would find them", arguments: 1...4)
    func model(seed: UInt64) {
        var dice = Dice(seed: seed)
        var table = OutstandingTable()
        var model: [UInt64: UInt32] = [:]
        for step in 0..<20_000 {
            let urb = dice.next() % 700 * 64
            if dice.next() & 1 == 0, model[urb] == nil {
                model[urb] = UInt32(step)
                let transfer = OutstandingTransfer(
                    channel: 0, urb: urb, setup: 0, place: UInt32(step), requested: 0, slot: 0, bus: 1, endpoint: 0,
                    type: .bulk, hasSetup: false, isCut: false)
                #expect(table.insert(transfer) == nil)
            } else {
                #expect(table.remove(channel: 0, bus: 1, urb: urb)?.place == model.removeValue(forKey: urb))
            }
            #expect(table.count == model.count)
        }
    }
}
