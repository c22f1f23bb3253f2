import USBCapture
import USBCore

@testable import CaptureTraces

/// A capture made by hand: packets in the order in which a test writes them down, one each millisecond.
final class Recording {
    /// A transfer's place in the trace.
    typealias Place = Int

    private var transfers: [TracedTransfer] = []
    private var packet: UInt32 = 0
    private let payloads = MemoryPayloads()
    private var packets: [CapturedPacket] = []
    private var submittedPackets: [CapturedPacket] = []
    /// The time of the next packet, in nanoseconds.
    var time: Int64 = 1_000_000_000
    var descriptors = KnownDescriptors()
    var speed = Speed.full

    private func tick() -> (number: UInt32, time: Int64) {
        packet += 1
        defer { time += 1_000_000 }
        return (packet, time)
    }

    /// The number of the packet that was written down last.
    var lastPacket: Int { Int(packet) }

    // MARK: Submissions

    func submit(_ setup: SetupPacket, _ output: [UInt8] = []) -> Place {
        let (number, time) = tick()
        let isIn = setup.direction == .in && setup.length > 0
        transfers.append(
            TracedTransfer(
                submissionNumber: number, submitted: time, completed: time, setup: setup,
                output: payloads.keep(output), requested: UInt32(setup.length), status: .abandoned,
                endpoint: isIn ? .in(0) : .out(0), type: .control, marks: .noCompletion))
        return transfers.count - 1
    }

    func submitIn(_ endpoint: UInt8, _ type: TransferType = .bulk, room: Int = 64) -> Place {
        let (number, time) = tick()
        transfers.append(
            TracedTransfer(
                submissionNumber: number, submitted: time, completed: time, requested: UInt32(room),
                status: .abandoned, endpoint: .in(endpoint), type: type, marks: .noCompletion))
        return transfers.count - 1
    }

    func submitOut(_ endpoint: UInt8, _ output: [UInt8], _ type: TransferType = .bulk) -> Place {
        let (number, time) = tick()
        transfers.append(
            TracedTransfer(
                submissionNumber: number, submitted: time, completed: time, output: payloads.keep(output),
                requested: UInt32(output.count), status: .abandoned, endpoint: .out(endpoint), type: type,
                marks: .noCompletion))
        return transfers.count - 1
    }

    /// An isochronous IN of packets of 8 bytes.
    func submitIsochronousIn(_ endpoint: UInt8, packets count: Int) -> Place {
        let place = submitIn(endpoint, .isochronous, room: count * 8)
        transfers[place].firstPacket = UInt32(packets.count)
        transfers[place].packetCount = UInt16(count)
        for index in 0..<count {
            let packet = CapturedPacket(status: .success, offset: UInt32(index * 8), length: 8)
            packets.append(packet)
            submittedPackets.append(packet)
        }
        return place
    }

    // MARK: Ends

    /// The end of a transfer; `actual` is what was answered, or all that was sent.
    @discardableResult
    func complete(_ place: Place, _ input: [UInt8] = [], status: TransferStatus = .success) -> Int {
        let (number, time) = tick()
        transfers[place].completionNumber = number
        transfers[place].completed = time
        transfers[place].status = status
        transfers[place].marks.remove(.noCompletion)
        transfers[place].input = payloads.keep(input)
        let isOut = transfers[place].output.count > 0
        transfers[place].actual = isOut ? transfers[place].output.count : UInt32(input.count)
        return Int(number)
    }

    /// The end of an isochronous IN: each packet's bytes in its 8 of the buffer.
    func complete(_ place: Place, isochronous answers: [[UInt8]]) {
        let buffer = answers.flatMap { $0 + [UInt8](repeating: 0, count: 8 - $0.count) }
        complete(place, buffer)
        for (index, answer) in answers.enumerated() {
            packets[Int(transfers[place].firstPacket) + index].length = UInt32(answer.count)
        }
        transfers[place].actual = UInt32(answers.joined().count)
    }

    /// A request with its answer, one behind the other.
    @discardableResult
    func control(
        _ setup: SetupPacket, out: [UInt8] = [], in input: [UInt8] = [], status: TransferStatus = .success
    ) -> Place {
        let place = submit(setup, out)
        complete(place, input, status: status)
        return place
    }

    /// A bulk OUT with its end.
    @discardableResult
    func write(_ endpoint: UInt8, _ bytes: [UInt8]) -> Place {
        let place = submitOut(endpoint, bytes)
        complete(place)
        return place
    }

    /// A bulk IN with its answer.
    @discardableResult
    func read(_ endpoint: UInt8, _ bytes: [UInt8], room: Int = 64) -> Place {
        let place = submitIn(endpoint, room: room)
        complete(place, bytes)
        return place
    }

    /// Changes what is recorded of a transfer.
    func change(_ place: Place, _ body: (inout TracedTransfer) -> Void) { body(&transfers[place]) }

    /// Makes data unreadable, as those of a file that was cut since it was opened.
    func lose(_ reference: WritableKeyPath<TracedTransfer, PayloadReference>, of place: Place) {
        transfers[place][keyPath: reference].count += 1
    }

    var trace: Trace {
        var device = CapturedDevice(number: 1, channel: 0, bus: 1, address: 5, time: 0)
        device.descriptors = descriptors
        device.speed = speed
        return Trace(
            device: device, transfers: transfers, packets: packets, submittedPackets: submittedPackets,
            payloads: payloads)
    }
}

extension SetupPacket {
    /// SET_CONFIGURATION.
    static func configure(_ value: UInt16) -> SetupPacket { SetupPacket(requestType: 0, request: 9, value: value) }
    /// GET_DESCRIPTOR.
    static func descriptor(_ type: UInt16, _ index: UInt16 = 0, length: UInt16) -> SetupPacket {
        SetupPacket(requestType: 0x80, request: 6, value: type << 8 | index, length: length)
    }
    /// A vendor's request for data.
    static func ask(_ request: UInt8, length: UInt16) -> SetupPacket {
        SetupPacket(requestType: 0xc0, request: request, length: length)
    }
    /// A vendor's request that sends data.
    static func tell(_ request: UInt8, length: UInt16) -> SetupPacket {
        SetupPacket(requestType: 0x40, request: request, length: length)
    }
}

/// The data of a recording, in memory.
private final class MemoryPayloads: PayloadReader {
    private var all: [[UInt8]] = []

    func keep(_ bytes: [UInt8]) -> PayloadReference {
        guard !bytes.isEmpty else { return .none }
        all.append(bytes)
        return PayloadReference(place: Int64(all.count - 1), count: UInt32(bytes.count))
    }

    func copy(
        _ reference: PayloadReference, from start: Int, into memory: UnsafeMutableRawBufferPointer
    ) throws(CaptureError) {
        let bytes = all[Int(reference.place)]
        guard start >= 0, start <= bytes.count, memory.count <= bytes.count - start else {
            throw CaptureError(.cut, "there are only \(bytes.count) bytes")
        }
        unsafe memory.copyBytes(from: bytes[start..<start + memory.count])
    }
}
