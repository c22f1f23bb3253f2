import ArgumentParser
import DeviceModels
import Glibc
import Logging
import USBCore
import USBDeviceKit
import USBIPSession
import USBIPWire

/// `ghostbench transfers`: so many transfers through a session in memory, for tools that count what one costs.
///
/// Nothing in it depends on time, so two runs differ by exactly the transfers that one has more.
struct CountCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "transfers", shouldDisplay: false)

    @Argument var load: CountedLoad
    @Option var batches = 100

    func run() throws {
        let logger = Logger(label: "ghostbench") { _ in SwiftLogNoOpLogHandler() }
        let made = try ModelRegistry.make(
            DeviceSpecification(parsing: load.device), ModelContext(index: 0, logger: logger))
        let clock = SteppedClock()
        var device = made.device
        for _ in 0..<load.decorators { device = ForwardingDevice(device) }
        if load.isPaced { device = PacedDevice(device) }
        device.attach(to: DeviceExecutor(clock: clock))
        let output = ByteCounter()
        // As the server does it: see SessionLink.
        let traffic = Traffic(clock: clock)
        let session = URBSession(device: device, deviceID: 0x10002, output: output, traffic: traffic)
        device.connect()
        defer { session.close() }
        var script = TransferScript()
        for setup in load.preparation {
            script.add(.out(0), length: 0, setup: setup)
            try script.play(into: session)
            script.clear()
        }
        load.fill(&script)
        output.count = 0
        for _ in 0..<batches {
            traffic.begin()
            try script.play(into: session)
            if load.isPaced { clock.advance(by: CountedLoad.batchTime) }
            session.flush()
            traffic.end()
        }
        let expected = batches * load.answeredBytes
        guard output.count == expected else {
            throw Failure("\(load.rawValue): \(output.count) bytes were answered where \(expected) were expected")
        }
        print(batches * load.transfers)
    }
}

/// Commands, encoded once and sent again and again under new sequence numbers.
@safe struct TransferScript: ~Copyable {
    private var bytes: [UInt8] = []
    private var headers: [Int] = []
    private var sequence: UInt32 = 0

    mutating func clear() {
        bytes = []
        headers = []
    }

    mutating func add(
        _ endpoint: EndpointAddress, length: Int, setup: SetupPacket = SetupPacket(littleEndian: 0),
        payload: [UInt8] = [], packets: [PacketDescriptor] = []
    ) {
        let command = SubmitCommand(
            sequence: 0, deviceID: 0x10002, direction: endpoint.direction == .in ? 1 : 0,
            endpoint: UInt32(endpoint.number), length: Int32(length), packetCount: Int32(packets.count), setup: setup)
        headers.append(bytes.count)
        var frame = [UInt8](repeating: 0, count: URBWire.headerSize + payload.count + packets.count * 16)
        unsafe frame.withUnsafeMutableBytes { memory in
            guard let base = memory.baseAddress else { return }
            unsafe command.encode(to: base)
            for (index, byte) in payload.enumerated() { unsafe memory[URBWire.headerSize + index] = byte }
            let start = unsafe base + URBWire.headerSize + payload.count
            for (index, packet) in packets.enumerated() { unsafe packet.encode(to: start + index * 16) }
        }
        bytes += frame
    }

    mutating func play(into session: URBSession) throws {
        let taken = try unsafe bytes.withUnsafeMutableBytes { memory in
            guard let base = memory.baseAddress else { return 0 }
            for header in headers {
                sequence &+= 1
                unsafe (base + header).setWord(1, sequence)
            }
            return unsafe try session.receive(UnsafeRawBufferPointer(memory))
        }
        guard taken == bytes.count else { throw Failure("the session took \(taken) of \(bytes.count) bytes") }
        session.flush()
    }
}

/// Counts what a session sends.
private final class ByteCounter: SessionOutput {
    var count = 0
    func send(_ head: UnsafeRawBufferPointer, _ tail: UnsafeRawBufferPointer) { count += head.count + tail.count }
}

/// A clock that moves when it is told to.
///
/// `@unchecked Sendable`: used on one thread.
private final class SteppedClock: BusClock, @unchecked Sendable {
    private(set) var now: UInt64 = 1_000_000_000
    private var alarms = AlarmQueue()

    func set(_ alarm: Alarm, at time: UInt64) { alarms.set(alarm, at: time) }
    func cancel(_ alarm: Alarm) { alarms.remove(alarm) }

    func advance(by time: UInt64) {
        let end = now + time
        while let earliest = alarms.earliest, earliest <= end {
            now = max(now, earliest)
            while let alarm = alarms.popDue(at: now) { alarm.ring() }
        }
        now = end
    }
}

/// A decorator with nothing to do at the moment, such as a recorder or a fault that is not armed.
private final class ForwardingDevice: USBDevice {
    private let device: any USBDevice

    init(_ device: any USBDevice) { self.device = device }

    var identity: DeviceIdentity { device.identity }
    func attach(to port: any DevicePort) { device.attach(to: port) }
    func connect() { device.connect() }
    func disconnect() { device.disconnect() }
    func transferType(of endpoint: EndpointAddress) -> TransferType? { device.transferType(of: endpoint) }
    func schedule(of endpoint: EndpointAddress) -> PeriodicSchedule? { device.schedule(of: endpoint) }
    func submit(_ urb: consuming URB) { device.submit(urb) }
    func cancel(_ id: URB.ID) { device.cancel(id) }
    func reset(_ cause: ResetCause) { device.reset(cause) }
    func landing(for endpoint: EndpointAddress, count: Int) -> UnsafeMutableRawBufferPointer? {
        unsafe device.landing(for: endpoint, count: count)
    }
}
