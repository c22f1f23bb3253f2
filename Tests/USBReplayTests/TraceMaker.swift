import CaptureTraces
import DirectHost
import USBCapture
import USBCore
import USBDeviceKit
import USBReplay

/// Makes a recording by hand: transfers one after another, a millisecond apart.
final class TraceMaker {
    /// What the recording knows of the device.
    var device: CapturedDevice
    /// The time of the next submission, in nanoseconds of the recording.
    var time: Int64 = 1_000_000_000
    /// How long a transfer takes.
    var latency: Int64 = 250_000
    /// Whether the capture's file can be read; else it is as if it had been cut while it is served.
    var isReadable: Bool {
        get { memory.isReadable }
        set { memory.isReadable = newValue }
    }
    private let memory = PayloadMemory()
    private var transfers: [TracedTransfer] = []
    private var packets: [CapturedPacket] = []
    private var number: UInt32 = 0

    /// Begins the recording of a device of one configuration.
    init(speed: Speed = .high, @DescriptorBuilder<ConfigurationPart> _ parts: () -> [ConfigurationPart]) {
        let made = parts()
        let description = DeviceDescription(
            speed: speed, vendorID: 0x1209, productID: 0xdb42, manufacturer: "Maker", product: "Pill",
            serialNumber: "0001"
        ) {
            Configuration { made }
        }
        device = CapturedDevice(number: 1, channel: 0, bus: 1, address: 5, time: 0)
        device.speed = speed
        device.descriptors.device = description.deviceDescriptorBytes
        device.descriptors.configurations[0] = description.configurationBytes(index: 0) ?? []
        device.descriptors.strings[.init(index: 0, language: 0)] = description.strings.languageListBytes
        for index in description.strings.indices {
            device.descriptors.strings[.init(index: index, language: 0x0409)] =
                description.stringBytes(index: index, language: .englishUS)
        }
    }

    /// The recording.
    var trace: Trace {
        Trace(
            device: device, transfers: transfers, packets: packets, submittedPackets: packets, payloads: memory)
    }

    /// A device of the recording, and the host that has it, configured.
    func host(_ change: (inout ReplaySettings) -> Void = { _ in }) throws -> (DirectHost, ReplayDevice) {
        var settings = ReplaySettings()
        change(&settings)
        let device = try ReplayDevice(trace, settings)
        let host = DirectHost(device)
        device.configure(1)
        return (host, device)
    }

    /// A control transfer; without an answer the device takes what is sent.
    @discardableResult
    func control(
        _ setup: SetupPacket, _ sent: [UInt8] = [], answer: [UInt8] = [], status: TransferStatus = .success
    ) -> Self {
        add(
            .out(0), .control, setup: setup, sent: sent, answer: answer, requested: Int(setup.length), status: status)
        return self
    }

    /// A transfer to the device.
    @discardableResult
    func send(
        _ endpoint: UInt8, _ sent: [UInt8], _ type: TransferType = .bulk, status: TransferStatus = .success,
        marks: TracedTransfer.Marks = []
    ) -> Self {
        add(.out(endpoint), type, sent: sent, requested: sent.count, status: status, marks: marks)
        return self
    }

    /// A transfer from the device.
    @discardableResult
    func answer(
        _ endpoint: UInt8, _ answer: [UInt8], _ type: TransferType = .bulk, asked: Int = 512,
        status: TransferStatus = .success, moved: Int? = nil, marks: TracedTransfer.Marks = []
    ) -> Self {
        add(
            .in(endpoint), type, answer: answer, requested: asked, status: status, moved: moved, marks: marks)
        return self
    }

    /// An isochronous transfer from the device, packet by packet.
    func stream(_ endpoint: UInt8, _ parts: [(status: TransferStatus, bytes: [UInt8])]) {
        let first = UInt32(packets.count)
        var all: [UInt8] = []
        for part in parts {
            packets.append(
                CapturedPacket(status: part.status, offset: UInt32(all.count), length: UInt32(part.bytes.count)))
            all += part.bytes
        }
        add(.in(endpoint), .isochronous, answer: all, requested: all.count)
        transfers[transfers.count - 1].firstPacket = first
        transfers[transfers.count - 1].packetCount = UInt16(parts.count)
    }

    /// The packet that ended the last transfer.
    var lastPacket: Int { Int(number) }

    private func add(
        _ endpoint: EndpointAddress, _ type: TransferType, setup: SetupPacket? = nil, sent: [UInt8] = [],
        answer: [UInt8] = [], requested: Int, status: TransferStatus = .success, moved: Int? = nil,
        marks: TracedTransfer.Marks = []
    ) {
        let isIn = setup.map { $0.direction == .in } ?? (endpoint.direction == .in)
        transfers.append(
            TracedTransfer(
                submissionNumber: number + 1, completionNumber: number + 2, submitted: time, completed: time &+ latency,
                setup: setup, output: memory.keep(sent), input: memory.keep(answer), requested: UInt32(requested),
                actual: UInt32(moved ?? (isIn ? answer.count : sent.count)), status: status,
                endpoint: isIn ? EndpointAddress(rawValue: endpoint.rawValue | 0x80) : endpoint, type: type,
                marks: marks))
        number += 2
        time &+= 1_000_000
    }
}

/// The data of a recording that was made by hand.
private final class PayloadMemory: PayloadReader {
    var isReadable = true
    private var bytes: [UInt8] = []

    func keep(_ data: [UInt8]) -> PayloadReference {
        defer { bytes += data }
        return PayloadReference(place: Int64(bytes.count), count: UInt32(data.count))
    }

    func copy(
        _ reference: PayloadReference, from start: Int, into memory: UnsafeMutableRawBufferPointer
    ) throws(CaptureError) {
        guard isReadable else { throw CaptureError(.unreadable, "the file has been cut") }
        guard start >= 0, start + memory.count <= Int(reference.count) else {
            throw CaptureError(.cut, "there are fewer bytes")
        }
        let first = Int(reference.place) + start
        unsafe memory.copyBytes(from: bytes[first..<(first + memory.count)])
    }
}

extension SetupPacket {
    static func vendorIn(_ request: UInt8, value: UInt16 = 0, _ length: UInt16) -> SetupPacket {
        SetupPacket(requestType: 0xc0, request: request, value: value, length: length)
    }

    static func vendorOut(_ request: UInt8, value: UInt16 = 0, _ length: UInt16) -> SetupPacket {
        SetupPacket(requestType: 0x40, request: request, value: value, length: length)
    }

    static func descriptor(_ type: UInt16, index: UInt16 = 0, language: UInt16 = 0, _ length: UInt16) -> SetupPacket {
        SetupPacket(requestType: 0x80, request: 6, value: type << 8 | index, index: language, length: length)
    }
}
