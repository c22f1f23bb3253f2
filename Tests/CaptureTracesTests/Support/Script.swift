import CaptureTraces
import Testing
import USBCapture
import USBCore

/// A capture that is written down as events.
struct Script {
    /// The events with their data.
    var events: [(event: CapturedEvent, data: [UInt8])] = []
    /// What is said of devices.
    var announcements: [DeviceAnnouncement] = []
    /// Where reading must end.
    var trouble: CaptureError?
    /// Whether data have a place in the file; else they are lent only.
    var hasPlaces = true
    /// Where the next events are.
    var channel = 0
    var bus: UInt16 = 1
    var device: UInt16 = 5
    private var lastURB: UInt64 = 0x1000

    /// Adds an event.
    mutating func add(
        _ kind: CapturedEvent.Kind, _ type: TransferType, _ endpoint: UInt8, urb: UInt64, setup: SetupPacket? = nil,
        status: TransferStatus = .success, length: Int? = nil, data: [UInt8] = [], packets: [CapturedPacket] = [],
        isCut: Bool = false, interval: Int32 = 0
    ) {
        let number = events.count + 1
        var event = CapturedEvent(
            kind, number: number, offset: Int64(number) << 20, time: Int64(number) * 1000, channel: channel, bus: bus,
            device: device, urb: urb, endpoint: EndpointAddress(rawValue: endpoint), type: type, setup: setup,
            status: status, length: length ?? data.count, dataCount: data.count,
            dataOffset: hasPlaces && !data.isEmpty ? Int64(number) << 20 : nil, isCut: isCut, packets: packets)
        event.interval = interval
        events.append((event, data))
    }

    /// Adds a control transfer.
    ///
    /// - Parameters:
    ///   - answer: what the device answers; nil for STALL.
    ///   - data: what the host sends.
    mutating func control(_ setup: SetupPacket, answer: [UInt8]? = [], data: [UInt8] = []) {
        let urb = nextURB()
        let endpoint: UInt8 = setup.direction == .in ? 0x80 : 0
        add(.submission, .control, endpoint, urb: urb, setup: setup, length: Int(setup.length), data: data)
        add(
            .completion, .control, endpoint, urb: urb, status: answer == nil ? .stalled : .success,
            length: setup.direction == .in ? answer?.count : data.count, data: answer ?? [])
    }

    /// Adds a request for a descriptor, and its answer cut to the length that was asked for.
    mutating func descriptor(
        _ type: UInt8, index: UInt8 = 0, language: UInt16 = 0, requestType: UInt8 = 0x80, length: UInt16 = 0xff,
        _ answer: [UInt8]?
    ) {
        control(
            SetupPacket(
                requestType: requestType, request: 6, value: UInt16(type) << 8 | UInt16(index), index: language,
                length: length), answer: answer.map { [UInt8]($0.prefix(Int(length))) })
    }

    /// Adds a bulk or interrupt IN.
    mutating func input(
        _ endpoint: UInt8, _ data: [UInt8], _ type: TransferType = .bulk, requested: Int? = nil,
        status: TransferStatus = .success, interval: Int32 = 0
    ) {
        let urb = nextURB()
        add(.submission, type, endpoint | 0x80, urb: urb, length: requested ?? data.count, interval: interval)
        add(.completion, type, endpoint | 0x80, urb: urb, status: status, data: data, interval: interval)
    }

    /// Adds a bulk or interrupt OUT.
    mutating func output(_ endpoint: UInt8, _ data: [UInt8], _ type: TransferType = .bulk) {
        let urb = nextURB()
        add(.submission, type, endpoint, urb: urb, data: data)
        add(.completion, type, endpoint, urb: urb, length: data.count)
    }

    private mutating func nextURB() -> UInt64 {
        lastURB += 0x40
        return lastURB
    }

    /// The capture to be read.
    var source: ScriptSource { ScriptSource(self) }

    /// What a survey finds.
    var summary: CaptureSummary { CaptureSurvey.run(source, progress: nil) }

    /// The traces of all devices.
    func traces() throws -> [Trace] { try TraceLoader.load(source, choice: nil).traces }

    /// The trace of the only device.
    func trace(_ context: SourceLocation = #_sourceLocation) throws -> Trace {
        let traces = try traces()
        #expect(traces.count == 1, sourceLocation: context)
        return try #require(traces.first, sourceLocation: context)
    }
}

/// Gives the events of a script.
final class ScriptSource: EventSource {
    private let script: Script
    private var given = 0

    /// The data by their places in the file.
    private let places: [Int64: [UInt8]]

    init(_ script: Script) {
        self.script = script
        var places: [Int64: [UInt8]] = [:]
        for (event, data) in script.events { if let offset = event.dataOffset { places[offset] = data } }
        self.places = places
    }

    var announcements: [DeviceAnnouncement] { script.announcements }

    func next() throws(CaptureError) -> CapturedEvent? {
        guard given < script.events.count else {
            if let trouble = script.trouble { throw trouble }
            return nil
        }
        given += 1
        return script.events[given - 1].event
    }

    func withData<R>(_ body: (RawSpan) -> R) -> R {
        let data = script.events[given - 1].data
        return unsafe data.withUnsafeBytes { unsafe body(RawSpan(_unsafeBytes: $0)) }
    }

    func read(at offset: Int64, into memory: UnsafeMutableRawBufferPointer) throws(CaptureError) {
        let start = Int(offset & 0xfffff)
        guard let data = places[offset - Int64(start)], start + memory.count <= data.count else {
            throw CaptureError(.damaged, "beyond the data")
        }
        unsafe memory.copyBytes(from: data[start..<start + memory.count])
    }
}

/// Numbers that are the same in every run (xorshift64*).
struct Dice: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

    mutating func next() -> UInt64 {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return state &* 0x2545_F491_4F6C_DD1D
    }
}
