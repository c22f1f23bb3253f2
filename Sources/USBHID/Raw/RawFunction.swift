public import HIDReports

/// A function that knows nothing of what its reports mean: any report descriptor, and reports as bytes.
public final class RawFunction: HIDFunction {
    /// See ``HIDFunction/interface``.
    public let interface: HIDInterface
    /// What the report descriptor says; nil when it cannot be read.
    public let layout: ReportLayout?
    /// Called for each report from the host, with the id first where there are ids.
    public var onReport: (_ kind: ReportKind, _ id: UInt8, _ bytes: [UInt8]) -> Void = { _, _, _ in }
    /// The way to the host; nil before the function is part of a device.
    public private(set) var link: HIDLink?

    private struct Name: Hashable {
        let kind: ReportKind
        let id: UInt8
    }

    /// What GET_REPORT answers, where it is not a report at rest.
    private var reports: [Name: [UInt8]] = [:]
    /// What a host has set, which is answered instead.
    private var received: [Name: [UInt8]] = [:]

    /// Makes a function.
    public init(_ interface: HIDInterface) {
        self.interface = interface
        layout = try? interface.reportDescriptor.layout()
    }

    /// Sets what GET_REPORT answers from now on.
    ///
    /// - Parameters:
    ///   - kind: input, output or feature.
    ///   - bytes: the report, the id first where there are ids.
    public func set(_ kind: ReportKind, _ bytes: [UInt8]) {
        let name = Name(kind: kind, id: id(of: bytes))
        reports[name] = bytes
        received[name] = nil
    }

    /// Sends an input report, which is what GET_REPORT answers from then on.
    ///
    /// - Parameter bytes: the report, the id first where there are ids.
    public func send(_ bytes: [UInt8]) {
        set(.input, bytes)
        link?.send(bytes)
    }

    /// A report's id, 0 where there are none.
    private func id(of bytes: [UInt8]) -> UInt8 {
        layout?.usesReportIDs == true && link?.usesBootProtocol != true ? bytes.first ?? 0 : 0
    }

    // MARK: HIDFunction

    /// See ``HIDFunction/attached(to:)``.
    public func attached(to link: HIDLink) { self.link = link }

    /// See ``HIDFunction/report(_:id:)``: what was set or received last, else a report at rest.
    public func report(_ kind: ReportKind, id: UInt8) -> [UInt8]? {
        let name = Name(kind: kind, id: id)
        return received[name] ?? reports[name] ?? layout?.report(kind, id: id)?.resting
    }

    /// See ``HIDFunction/correction(of:id:)``: nothing, since what a report means is not known.
    public func correction(of told: [UInt8], id: UInt8) -> [UInt8]? { nil }

    /// See ``HIDFunction/receive(_:id:_:)``: every report is taken.
    public func receive(_ kind: ReportKind, id: UInt8, _ bytes: [UInt8]) -> Bool {
        // What a host sets as input is no state of the device.
        if kind != .input {
            let missing = (layout?.report(kind, id: id)?.byteCount ?? 0) - bytes.count
            received[Name(kind: kind, id: id)] = bytes + [UInt8](repeating: 0, count: max(0, missing))
        }
        onReport(kind, id, bytes)
        return true
    }

    /// See ``HIDFunction/disconnected()``: what hosts have set is forgotten with the power.
    public func disconnected() {
        received = [:]
        reports = reports.filter { $0.key.kind == .feature }
    }
}
