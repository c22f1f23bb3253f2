import DirectHost
import HIDReports
import Testing
import USBCore
import USBDeviceKit
import USBHID

/// A host that has configured a function, and asks for its reports all the time.
final class PointerHost {
    let host: DirectHost
    let layout: ReportLayout
    /// The reports that have come.
    private(set) var reports: [[UInt8]] = []
    /// When each came, in milliseconds since the host began.
    private(set) var times: [Int] = []
    /// How the scripts have ended.
    private(set) var results: [Result<Void, InputScriptError>] = []
    private let start: UInt64
    private var isAsking = false

    init(_ function: any HIDFunction, asking: Bool = true) throws {
        #expect(function.interface.reportDescriptor.issues.isEmpty)
        layout = try function.interface.reportDescriptor.layout()
        let device = try GadgetDevice(HIDGadget(HIDGadget.Configuration(), functions: [function]))
        host = DirectHost(device)
        start = host.clock.now
        host.onCompletion = { [unowned self] in completed($0) }
        #expect(host.control(SetupPacket(requestType: 0, request: 9, value: 1))?.status == .success)
        if asking { ask() }
    }

    func ask() {
        isAsking = true
        host.submitIn(.in(1), 256)
    }

    /// Answers the script's end; given to `play` as its completion.
    var completion: (Result<Void, InputScriptError>) -> Void { { [unowned self] in results.append($0) } }

    /// Runs what was begun for so long.
    func run(milliseconds: Int = 60_000) { host.clock.advance(by: UInt64(milliseconds) * 1_000_000) }

    /// Takes the reports that have come.
    func take() -> [[UInt8]] {
        defer {
            reports = []
            times = []
        }
        return reports
    }

    /// The values of a report, as its descriptor says them.
    func values(_ report: [UInt8]) throws -> [Usage: [Int]] {
        let values = try #require(layout.report(.input, of: report)).decode(report)
        return Dictionary(grouping: values) { $0.0 }.mapValues { $0.map { Int($0.1) } }
    }

    func getReport(_ kind: ReportKind, _ id: UInt8) -> [UInt8]? {
        let value = UInt16(kind.rawValue) << 8 | UInt16(id)
        let answer = host.control(SetupPacket(requestType: 0xa1, request: 1, value: value, length: 256))
        return answer?.status == .success ? answer?.data : nil
    }

    @discardableResult
    func setReport(_ kind: ReportKind, _ id: UInt8, _ bytes: [UInt8]) -> Bool {
        let value = UInt16(kind.rawValue) << 8 | UInt16(id)
        let setup = SetupPacket(requestType: 0x21, request: 9, value: value, length: UInt16(bytes.count))
        return host.control(setup, bytes)?.status == .success
    }

    func setProtocol(_ form: HIDProtocol) {
        let setup = SetupPacket(requestType: 0x21, request: 0x0b, value: UInt16(form.rawValue))
        #expect(host.control(setup)?.status == .success)
    }

    private func completed(_ transfer: DirectHost.Completion) {
        guard transfer.endpoint == .in(1), transfer.status == .success else { return }
        reports.append(transfer.data)
        times.append(Int((host.clock.now - start) / 1_000_000))
        if isAsking { host.submitIn(.in(1), 256) }
    }
}

extension Result<Void, InputScriptError> {
    var error: InputScriptError? {
        if case .failure(let error) = self { error } else { nil }
    }
}
