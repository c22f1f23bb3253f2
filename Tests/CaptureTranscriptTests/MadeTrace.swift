import CaptureTraces
import CaptureTranscript
import USBCapture
import USBCore

/// A trace made by hand: transfers one after another, each a millisecond long.
struct MadeTrace {
    /// Keeps the data of transfers in memory.
    private final class Memory: PayloadReader {
        var bytes: [UInt8] = []

        func copy(
            _ reference: PayloadReference, from start: Int, into memory: UnsafeMutableRawBufferPointer
        ) throws(CaptureError) {
            let first = Int(reference.place) + start
            guard start >= 0, first + memory.count <= bytes.count else {
                throw CaptureError(.unreadable, "the file has been cut since")
            }
            unsafe memory.copyBytes(from: bytes[first..<first + memory.count])
        }
    }

    var device: CapturedDevice
    private var transfers: [TracedTransfer] = []
    private var packets: [CapturedPacket] = []
    private let memory = Memory()
    private var number: UInt32 = 0
    fileprivate var tag: UInt8 = 0

    init(number: Int = 1) { device = CapturedDevice(number: number, channel: 0, bus: 1, address: 5, time: 0) }

    private func keep(_ bytes: [UInt8]) -> PayloadReference {
        guard !bytes.isEmpty else { return .none }
        let reference = PayloadReference(place: Int64(memory.bytes.count), count: UInt32(bytes.count))
        memory.bytes += bytes
        return reference
    }

    mutating func control(
        _ requestType: UInt8, _ request: UInt8, value: UInt16 = 0, index: UInt16 = 0, length: UInt16 = 0,
        _ data: [UInt8] = [], status: TransferStatus = .success
    ) {
        let isIn = requestType & 0x80 != 0
        add(
            isIn ? .in(0) : .out(0), .control,
            setup: SetupPacket(requestType: requestType, request: request, value: value, index: index, length: length),
            data, requested: Int(length), status: status)
    }

    mutating func data(
        _ endpoint: EndpointAddress, _ bytes: [UInt8], _ type: TransferType = .bulk, requested: Int? = nil,
        status: TransferStatus = .success, marks: TracedTransfer.Marks = []
    ) {
        add(endpoint, type, setup: nil, bytes, requested: requested ?? bytes.count, status: status, marks: marks)
    }

    mutating func isochronous(_ endpoint: EndpointAddress, _ bytes: [UInt8], statuses: [TransferStatus]) {
        let first = packets.count
        packets += statuses.map { CapturedPacket(status: $0, offset: 0, length: 0) }
        add(endpoint, .isochronous, setup: nil, bytes, requested: bytes.count, status: .success)
        transfers[transfers.count - 1].firstPacket = UInt32(first)
        transfers[transfers.count - 1].packetCount = UInt16(statuses.count)
    }

    private mutating func add(
        _ endpoint: EndpointAddress, _ type: TransferType, setup: SetupPacket?, _ data: [UInt8], requested: Int,
        status: TransferStatus, marks: TracedTransfer.Marks = []
    ) {
        let reference = keep(data)
        let isIn = endpoint.direction == .in
        let start = Int64(number) * 500_000
        number += 2
        transfers.append(
            TracedTransfer(
                submissionNumber: marks.contains(.noSubmission) ? 0 : number - 1,
                completionNumber: marks.contains(.noCompletion) ? 0 : number, submitted: start,
                completed: start + 500_000, setup: setup, output: isIn ? .none : reference,
                input: isIn ? reference : .none, requested: UInt32(requested), actual: UInt32(data.count),
                status: status, endpoint: endpoint, type: type, marks: marks))
    }

    /// Changes the transfer added last.
    mutating func change(_ body: (inout TracedTransfer) -> Void) { body(&transfers[transfers.count - 1]) }

    /// Forgets data, as if the file had been cut since.
    func loseData() { memory.bytes = [] }

    var trace: Trace {
        Trace(device: device, transfers: transfers, packets: packets, submittedPackets: packets, payloads: memory)
    }

    /// The words of all entries.
    func words(limit: DataLimit = .usual) throws -> [String] { try entries(limit: limit).map(\.words) }

    /// All entries.
    func entries(limit: DataLimit = .usual, filter: String? = nil) throws -> [TranscriptEntry] {
        try MadeTrace.entries([trace], limit: limit, filter: filter)
    }

    static func entries(
        _ traces: [Trace], limit: DataLimit = .usual, filter: String? = nil
    ) throws -> [TranscriptEntry] {
        let filter = try filter.map { try TranscriptFilter(parsing: $0) }
        let transcript = try Transcript(traces, origin: 0, limit: limit, filter: filter)
        var entries: [TranscriptEntry] = []
        while let entry = try transcript.entry() { entries.append(entry) }
        return entries
    }
}

/// Descriptors for tests.
enum MadeDescriptors {
    /// A device descriptor with the ids 1209:db42, and strings 1 to 3.
    static func device(class code: UInt8 = 0) -> [UInt8] {
        [18, 1, 0, 2, code, 0, 0, 64, 0x09, 0x12, 0x42, 0xdb, 0, 1, 1, 2, 3, 1]
    }

    static func configuration(_ body: [[UInt8]], interfaces: UInt8) -> [UInt8] {
        let bytes = body.flatMap(\.self)
        let total = UInt16(9 + bytes.count)
        return [9, 2, UInt8(total & 0xff), UInt8(total >> 8), interfaces, 1, 0, 0x80, 50] + bytes
    }

    static func interface(_ number: UInt8, _ code: UInt8, _ subclass: UInt8, _ protocol: UInt8) -> [UInt8] {
        [9, 4, number, 0, 2, code, subclass, `protocol`, 0]
    }

    static func endpoint(_ address: UInt8, _ attributes: UInt8) -> [UInt8] { [7, 5, address, attributes, 64, 0, 1] }

    static func string(_ text: String) -> [UInt8] {
        let units = Array(text.utf16)
        return [UInt8(2 + units.count * 2), 3] + units.flatMap { [UInt8($0 & 0xff), UInt8($0 >> 8)] }
    }

    /// The keyboard of HID 1.11 appendix B.1.
    static let bootKeyboard: [UInt8] = [
        0x05, 0x01, 0x09, 0x06, 0xa1, 0x01, 0x05, 0x07, 0x19, 0xe0, 0x29, 0xe7, 0x15, 0x00, 0x25, 0x01, 0x75, 0x01,
        0x95, 0x08, 0x81, 0x02, 0x95, 0x01, 0x75, 0x08, 0x81, 0x01, 0x95, 0x05, 0x75, 0x01, 0x05, 0x08, 0x19, 0x01,
        0x29, 0x05, 0x91, 0x02, 0x95, 0x01, 0x75, 0x03, 0x91, 0x01, 0x95, 0x06, 0x75, 0x08, 0x15, 0x00, 0x25, 0x65,
        0x05, 0x07, 0x19, 0x00, 0x29, 0x65, 0x81, 0x00, 0xc0,
    ]

    /// The mouse of HID 1.11 appendix B.2.
    static let bootMouse: [UInt8] = [
        0x05, 0x01, 0x09, 0x02, 0xa1, 0x01, 0x09, 0x01, 0xa1, 0x00, 0x05, 0x09, 0x19, 0x01, 0x29, 0x03, 0x15, 0x00,
        0x25, 0x01, 0x95, 0x03, 0x75, 0x01, 0x81, 0x02, 0x95, 0x01, 0x75, 0x05, 0x81, 0x01, 0x05, 0x01, 0x09, 0x30,
        0x09, 0x31, 0x15, 0x81, 0x25, 0x7f, 0x75, 0x08, 0x95, 0x02, 0x81, 0x06, 0xc0, 0xc0,
    ]
}

extension MadeTrace {
    /// A device with the interfaces of a keyboard (0, EP 1 IN), a mouse (1, EP 2 IN), a serial port (2 and 3, EP 3 IN,
    /// 4 IN, 4 OUT) and a disk (4, EP 5 IN, 5 OUT).
    static var composite: MadeTrace {
        var made = MadeTrace()
        made.device.descriptors.device = MadeDescriptors.device()
        made.device.descriptors.configurations[0] = MadeDescriptors.configuration(
            [
                MadeDescriptors.interface(0, 3, 1, 1), MadeDescriptors.endpoint(0x81, 3),
                MadeDescriptors.interface(1, 3, 1, 2), MadeDescriptors.endpoint(0x82, 3),
                MadeDescriptors.interface(2, 2, 2, 1), MadeDescriptors.endpoint(0x83, 3),
                MadeDescriptors.interface(3, 10, 0, 0), MadeDescriptors.endpoint(0x84, 2),
                MadeDescriptors.endpoint(0x04, 2), MadeDescriptors.interface(4, 8, 6, 0x50),
                MadeDescriptors.endpoint(0x85, 2), MadeDescriptors.endpoint(0x05, 2),
            ], interfaces: 5)
        made.device.descriptors.reports = [0: MadeDescriptors.bootKeyboard, 1: MadeDescriptors.bootMouse]
        return made
    }

    /// A SCSI command with all its stages.
    mutating func command(
        _ cdb: [UInt8], expected: Int, input: [UInt8]? = nil, output: [UInt8]? = nil, status: UInt8? = 0,
        lun: UInt8 = 0, residue: UInt32 = 0
    ) {
        tag &+= 1
        let flags: UInt8 = input == nil ? 0 : 0x80
        let wrapper: [UInt8] =
            [0x55, 0x53, 0x42, 0x43, tag, 0, 0, 0] + (0..<4).map { UInt8(truncatingIfNeeded: expected >> ($0 * 8)) }
            + [flags, lun, UInt8(cdb.count)] + cdb + [UInt8](repeating: 0, count: 16 - cdb.count)
        data(.out(5), wrapper)
        if let input { data(.in(5), input, requested: expected) }
        if let output { data(.out(5), output) }
        guard let status else { return }
        data(
            .in(5),
            [0x55, 0x53, 0x42, 0x53, tag, 0, 0, 0] + (0..<4).map { UInt8(truncatingIfNeeded: residue >> ($0 * 8)) }
                + [status])
    }
}
