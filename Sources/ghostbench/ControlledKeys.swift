import CBenchReference
import CommandSupport
import DeviceControl
import Glibc
import SocketIO
import Statistics
import Synchronization
import USBCore
import USBIPClient

/// Two hundred attached keyboards: how long a key takes from the control interface to the host.
///
/// A key is pressed, or let go of, on one keyboard after the other, in no order. Both ways through sockets and the
/// wake-ups of both processes count, so the server's own time is less than what is measured.
enum ControlledKeys {
    static let count = 200
    /// Milliseconds from one question of the host to the next, where the bus has a pace.
    static let interval = 1

    /// How the keyboards are asked.
    enum Pacing: CaseIterable {
        /// Whenever the host asks.
        case free
        /// Once in each polling interval.
        case bus

        var name: String { self == .free ? "free" : "\(ControlledKeys.interval) ms" }
        var device: String {
            self == .free ? "keyboard:pace=free" : "keyboard:pace=bus,speed=full,interval=\(ControlledKeys.interval)"
        }
        /// Presses and releases that are measured.
        var keys: Int { self == .free ? 4000 : 3000 }
    }

    /// Attaches all keyboards to their server, and measures with either pacing.
    ///
    /// - Throws: ``Failure`` when a keyboard cannot be had, or a report is missing or wrong.
    static func measure() throws -> Report.Keys {
        Report.Keys(free: try measure(.free), bus: try measure(.bus))
    }

    private static func measure(_ pacing: Pacing) throws -> Report.Keys.Figures {
        let folder = try TemporaryFolder()
        defer { withExtendedLifetime(folder) {} }
        let path = folder.path + "/control"
        let server = try ChildProcess(
            ["serve", pacing.device, "--count", "\(count)", "--control", path], timeout: 600_000)
        defer { withExtendedLifetime(server) {} }
        var keyboards: [HostedKeyboard] = []
        defer { keyboards.forEach { $0.close() } }
        do throws(HostError) {
            for index in 1...count { keyboards.append(try HostedKeyboard(server, busID: "1-\(index)")) }
        } catch {
            throw Failure("keyboards: \(error)")
        }
        do {
            let hands = Hands(try ControlClient(path: path), keyboards)
            // Each keyboard's first key finds nothing warm.
            for index in keyboards.indices {
                try hands.move(index)
                try hands.move(index)
            }
            hands.forget()
            var random = SystemRandomNumberGenerator()
            for _ in 0..<pacing.keys {
                // A report comes with the bus's turn: whoever goes on at once would always wait for a whole interval.
                if pacing == .bus { usleep(UInt32.random(in: 0..<UInt32(interval * 1000), using: &random)) }
                try hands.move(Int.random(in: keyboards.indices, using: &random))
            }
            guard !keyboards.contains(where: \.hasFailed) else { throw Failure("keyboards: transfers failed") }
            return hands.figures
        } catch let error as ControlError {
            throw Failure("keyboards: \(error)")
        }
    }
}

/// What presses keys: one at a time, all over the keyboards.
private final class Hands {
    /// How long a report may take, in nanoseconds.
    private static let patience: Int64 = 5_000_000_000

    private let client: ControlClient
    private let keyboards: [HostedKeyboard]
    private var isDown: [Bool]
    private var toHost = Histogram()
    private var roundTrip = Histogram()

    init(_ client: ControlClient, _ keyboards: [HostedKeyboard]) {
        self.client = client
        self.keyboards = keyboards
        isDown = Array(repeating: false, count: keyboards.count)
    }

    var figures: Report.Keys.Figures { Report.Keys.Figures(toHost: toHost, roundTrip: roundTrip) }

    /// Begins to count anew.
    func forget() {
        toHost = Histogram()
        roundTrip = Histogram()
    }

    /// Presses a key of a keyboard, or lets go of the one that is down, and waits for the report.
    func move(_ index: Int) throws {
        let keyboard = keyboards[index]
        let before = keyboard.reportCount
        let wanted = !isDown[index]
        let request = ControlRequest(
            "key",
            [
                ("busid", .string(keyboard.busID)), ("keys", .string("a")),
                ("action", .string(wanted ? "press" : "release")),
            ])
        let started = bench_now()
        _ = try client.perform(request, timeout: .seconds(5))
        let answered = bench_now()
        // The server has sent the report, but the host may still have to read it.
        while keyboard.reportCount == before {
            guard bench_now() - answered < Self.patience else {
                throw Failure("keyboard \(keyboard.busID): the report of a key did not come")
            }
            usleep(20)
        }
        isDown[index] = wanted
        let report = keyboard.lastReport
        guard keyboard.reportCount == before + 1, report.isDown == wanted else {
            throw Failure("keyboard \(keyboard.busID): the host did not get what was pressed")
        }
        toHost.record(UInt64(clamping: report.time - started))
        roundTrip.record(UInt64(clamping: answered - started))
    }
}

/// A keyboard as its host has it: configured, never to repeat itself, and asked for reports by both its interfaces.
private final class HostedKeyboard: Sendable {
    /// A report of the keys.
    struct KeyReport {
        /// When it came.
        var time: Int64 = 0
        /// Whether any key is down.
        var isDown = false
    }

    let busID: String
    private let device: RemoteDevice
    private let last = Mutex(KeyReport())
    private let count = Atomic(0)
    private let failed = Atomic(false)
    private let isEnding = Atomic(false)

    init(_ server: ChildProcess, busID: String) throws(HostError) {
        self.busID = busID
        device = try RemoteDevice.attach(to: HostAndPort(host: "127.0.0.1", port: server.number), busID: busID)
        try device.select(configuration: 1)
        for interface in UInt16(0)...1 {
            // SET_IDLE, as Linux sends it: a report for each change, and no other (HID 1.11 §7.2.4).
            try device.controlOut(SetupPacket(requestType: 0x21, request: 0x0a, value: 0, index: interface))
            _ = try device.submitRepeatedly(.in(UInt8(interface) + 1, room: 64)) { [weak self] completion in
                self?.take(completion) ?? .done
            }
        }
    }

    var reportCount: Int { count.load(ordering: .acquiring) }
    var lastReport: KeyReport { last.withLock { $0 } }
    var hasFailed: Bool { failed.load(ordering: .relaxed) }

    func close() {
        isEnding.store(true, ordering: .relaxed)
        device.close()
    }

    private func take(_ completion: borrowing TransferCompletion) -> TransferStep {
        let time = bench_now()
        guard completion.status == .success else {
            if !isEnding.load(ordering: .relaxed) { failed.store(true, ordering: .relaxed) }
            return .done
        }
        let isDown = completion.withBytes { bytes in
            unsafe bytes.withUnsafeBytes { unsafe $0.contains { $0 != 0 } }
        }
        last.withLock { $0 = KeyReport(time: time, isDown: isDown) }
        count.add(1, ordering: .releasing)
        return .resubmit
    }
}

/// A folder that nobody else can look into, and that goes with this object.
private final class TemporaryFolder {
    let path: String

    init() throws {
        var template = Array("/tmp/ghostbench-XXXXXX".utf8CString)
        guard unsafe mkdtemp(&template) != nil else {
            throw Failure("cannot make a folder: \(unsafe String(cString: strerror(errno)))")
        }
        path = String(decoding: template.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        // Whoever served there was killed, and could not tidy up.
        unsafe unlink(path + "/control")
        unsafe rmdir(path)
    }
}
