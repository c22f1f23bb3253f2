import DirectHost
import HIDReports
import Testing
import USBCore
import USBDeviceKit
import USBHID

/// A HID device with a host that has configured it, and asks for reports when told to.
final class HIDTestHost {
    let device: GadgetDevice
    let host: DirectHost
    /// What polling has brought, by endpoint number.
    private(set) var reports: [UInt8: [[UInt8]]] = [:]
    private var polled: Set<UInt8> = []

    init(_ functions: [any HIDFunction], speed: Speed = .full, isConfigured: Bool = true) throws {
        var configuration = HIDGadget.Configuration()
        configuration.speed = speed
        device = try GadgetDevice(HIDGadget(configuration, functions: functions))
        host = DirectHost(device)
        if isConfigured { try configure() }
        host.onCompletion = { [unowned self] completion in
            let number = completion.endpoint.number
            guard completion.endpoint.direction == .in, polled.contains(number) else { return }
            // As Linux does: an error that is not known to pass ends the polling.
            guard completion.status == .success else { return }
            reports[number, default: []].append(completion.data)
            host.submitIn(.in(number), 64)
        }
    }

    func configure(_ value: UInt16 = 1) throws {
        try #require(
            host.control(.init(requestType: 0x00, request: 9, value: value))?.status == .success)
    }

    // MARK: Reports

    /// Asks for reports as a driver does, again after each answer.
    func poll(_ number: UInt8 = 1) {
        polled.insert(number)
        host.submitIn(.in(number), 64)
    }

    func stopPolling() {
        polled = []
        for id in host.waiting { host.cancel(id) }
    }

    /// Takes what polling has brought.
    func take(_ number: UInt8 = 1) -> [[UInt8]] { reports.removeValue(forKey: number) ?? [] }

    /// Asks once; nil when there is nothing, and the question is taken back.
    func read(_ number: UInt8 = 1, _ count: Int = 64) -> [UInt8]? {
        let id = host.submitIn(.in(number), count)
        if let outcome = host.outcome(id) { return outcome.data }
        host.cancel(id)
        return nil
    }

    // MARK: Requests

    func getReport(_ type: UInt8, _ id: UInt8 = 0, length: UInt16 = 64, interface: UInt16 = 0) -> [UInt8]? {
        data(
            .init(
                requestType: 0xa1, request: 1, value: UInt16(type) << 8 | UInt16(id), index: interface, length: length))
    }

    func setReport(
        _ type: UInt8, _ id: UInt8, _ bytes: [UInt8], interface: UInt16 = 0, length: UInt16? = nil
    ) -> Bool {
        isAccepted(
            .init(
                requestType: 0x21, request: 9, value: UInt16(type) << 8 | UInt16(id), index: interface,
                length: length ?? UInt16(bytes.count)), bytes)
    }

    func setIdle(_ duration: UInt8, _ id: UInt8 = 0, interface: UInt16 = 0, length: UInt16 = 0) -> Bool {
        isAccepted(
            .init(
                requestType: 0x21, request: 10, value: UInt16(duration) << 8 | UInt16(id), index: interface,
                length: length), [UInt8](repeating: 0, count: Int(length)))
    }

    func getIdle(_ id: UInt16 = 0, interface: UInt16 = 0, length: UInt16 = 1) -> [UInt8]? {
        data(.init(requestType: 0xa1, request: 2, value: id, index: interface, length: length))
    }

    func setProtocol(_ value: UInt16, interface: UInt16 = 0, length: UInt16 = 0) -> Bool {
        isAccepted(
            .init(requestType: 0x21, request: 11, value: value, index: interface, length: length),
            [UInt8](repeating: 0, count: Int(length)))
    }

    func getProtocol(_ value: UInt16 = 0, interface: UInt16 = 0) -> [UInt8]? {
        data(.init(requestType: 0xa1, request: 3, value: value, index: interface, length: 1))
    }

    func getDescriptor(_ type: UInt8, index: UInt8 = 0, interface: UInt16 = 0, length: UInt16 = 4096) -> [UInt8]? {
        data(
            .init(
                requestType: 0x81, request: 6, value: UInt16(type) << 8 | UInt16(index), index: interface,
                length: length))
    }

    /// What a request brought; nil for a stall.
    func data(_ setup: SetupPacket) -> [UInt8]? {
        let outcome = host.control(setup)
        return outcome?.status == .success ? outcome?.data : nil
    }

    /// Whether a request was taken rather than stalled.
    func isAccepted(_ setup: SetupPacket, _ bytes: [UInt8] = []) -> Bool {
        host.control(setup, bytes)?.status == .success
    }
}

let millisecond: UInt64 = 1_000_000

/// A function with reports of all three types, with ids or without, that records what reaches it.
final class ProbeFunction: HIDFunction {
    let interface: HIDInterface
    private(set) var link: HIDLink?
    /// What GET_REPORT answers, by type and id.
    var answers: [[UInt8]: [UInt8]] = [:]
    /// What the host has sent: type and id, then the bytes.
    private(set) var received: [[UInt8]] = []
    private(set) var calls: [String] = []
    var refuses = false
    /// Whether what GET_REPORT answers is the state, which hosts must know.
    var corrects = false

    init(_ descriptor: ReportDescriptor, boot: HIDInterface.Boot = .none, hasOutEndpoint: Bool = false) {
        interface = HIDInterface(descriptor, boot: boot, hasOutEndpoint: hasOutEndpoint, name: "Probe")
    }

    /// Inputs 1 (2 bytes) and 2 (1 byte), output 3 (2 bytes), feature 4 (3 bytes), each and its id.
    static func withIDs(boot: HIDInterface.Boot = .none, hasOutEndpoint: Bool = false) -> ProbeFunction {
        let probe = ProbeFunction(
            ReportDescriptor {
                ReportCollection(.application, .vendor(page: 0xff00, id: 1)) {
                    ReportID(1)
                    Input(.vendor(page: 0xff00, id: 2), logical: 0...255, size: 8, count: 2)
                    ReportID(2)
                    Input(.vendor(page: 0xff00, id: 3), logical: 0...255, size: 8)
                    ReportID(3)
                    Output(.vendor(page: 0xff00, id: 4), logical: 0...255, size: 8, count: 2)
                    ReportID(4)
                    Feature(.vendor(page: 0xff00, id: 5), logical: 0...255, size: 8, count: 3)
                }
            }, boot: boot, hasOutEndpoint: hasOutEndpoint)
        probe.answers = [[1, 1]: [1, 10, 11], [1, 2]: [2, 20], [2, 3]: [3, 30, 31], [3, 4]: [4, 40, 41, 42]]
        return probe
    }

    /// Input of 4, output of 2, feature of 1 byte.
    static func withoutIDs(boot: HIDInterface.Boot = .none, hasOutEndpoint: Bool = false) -> ProbeFunction {
        let probe = ProbeFunction(
            ReportDescriptor {
                ReportCollection(.application, .vendor(page: 0xff00, id: 1)) {
                    Input(.vendor(page: 0xff00, id: 2), logical: 0...255, size: 8, count: 4)
                    Output(.vendor(page: 0xff00, id: 4), logical: 0...255, size: 8, count: 2)
                    Feature(.vendor(page: 0xff00, id: 5), logical: 0...255, size: 8)
                }
            }, boot: boot, hasOutEndpoint: hasOutEndpoint)
        probe.answers = [[1, 0]: [10, 11, 12, 13], [2, 0]: [20, 21], [3, 0]: [30]]
        return probe
    }

    func attached(to link: HIDLink) { self.link = link }

    func report(_ kind: ReportKind, id: UInt8) -> [UInt8]? {
        if link?.usesBootProtocol == true, kind == .input { return [0xb0] }
        return answers[[kind.rawValue, id]]
    }

    func correction(of told: [UInt8], id: UInt8) -> [UInt8]? {
        guard corrects, let report = report(.input, id: id), report != told else { return nil }
        return report
    }

    func receive(_ kind: ReportKind, id: UInt8, _ bytes: [UInt8]) -> Bool {
        received.append([kind.rawValue, id] + bytes)
        return !refuses
    }

    func takeCalls() -> [String] {
        defer { calls = [] }
        return calls
    }

    func protocolChanged(_ form: HIDProtocol) { calls.append("\(form)") }
    func reset() { calls.append("reset") }
    func connected() { calls.append("connected") }
    func disconnected() { calls.append("disconnected") }
    func configured(_ isConfigured: Bool) { calls.append(isConfigured ? "configured" : "unconfigured") }
}
