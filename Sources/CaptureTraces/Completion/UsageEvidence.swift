internal import USBCapture
internal import USBCore

/// What a capture shows of a device beside its descriptors, for those that are missing.
struct UsageEvidence {
    /// The device.
    let device: CapturedDevice
    /// The endpoints that carry Bulk-Only commands, where they were seen.
    var storage: BulkOnlyReader.Pipe?
    /// What its reports look like.
    var input: HIDKind?
    /// The endpoints whose reports look like a tablet's.
    var tablets: Set<EndpointAddress> = []
    /// The value that the host selected a configuration with.
    var configurationValue: UInt8?

    /// What a device with reports may be.
    enum HIDKind {
        case keyboard
        case mouse
        /// Buttons, two positions of 16 bits, a wheel.
        case tablet
    }

    /// Takes what was counted.
    ///
    /// Reports of 8 bytes are taken for a keyboard's, shorter ones for a mouse's.
    init(_ device: CapturedDevice) {
        self.device = device
        guard let report = Self.onlyReport(device), (3...8).contains(report.largest) else { return }
        input = report.largest == 8 ? .keyboard : .mouse
    }

    /// Takes what was counted, and looks at some transfers.
    init(_ trace: Trace) throws(CaptureError) {
        self.init(trace.device)
        storage = try BulkOnlyReader.pipes(of: trace).first
        for transfer in trace.transfers {
            guard let setup = transfer.setup, setup.requestType == 0,
                setup.request == StandardRequest.setConfiguration.rawValue, setup.value & 0xff != 0
            else { continue }
            configurationValue = UInt8(truncatingIfNeeded: setup.value)
        }
        for use in device.endpoints
        where use.type == .interrupt && use.endpoint.direction == .in && use.largest == Self.tabletSize {
            if try Self.isTablet(trace, use.endpoint) { tablets.insert(use.endpoint) }
        }
        guard input != nil, let report = Self.onlyReport(device) else { return }
        input = try Self.kind(of: trace, report.endpoint)
    }

    /// The interrupt IN endpoint of a device that uses no other endpoint.
    private static func onlyReport(_ device: CapturedDevice) -> CapturedDevice.EndpointUse? {
        let used = device.endpoints.filter { $0.type != .control }
        guard used.count == 1, used[0].type == .interrupt, used[0].endpoint.direction == .in else { return nil }
        return used[0]
    }

    /// The bytes of a tablet's report.
    private static let tabletSize = 6
    /// How many reports are looked at.
    private static let looks = 256

    /// Virtual machines' tablets report buttons, X and Y from 0 to 32767, and a wheel.
    private static func isTablet(_ trace: Trace, _ endpoint: EndpointAddress) throws(CaptureError) -> Bool {
        var positions: Set<UInt32> = []
        var looked = 0
        for transfer in trace.transfers where transfer.endpoint == endpoint && transfer.input.count > 0 {
            let report = try trace.bytes(transfer.input)
            guard report.count == tabletSize, report[0] < 0x20, report[2] < 0x80, report[4] < 0x80 else { return false }
            positions.insert(report[1...4].reduce(0) { $0 << 8 | UInt32($1) })
            looked += 1
            if looked == looks { break }
        }
        return positions.count >= 4
    }

    /// A boot keyboard's reports have 8 bytes of which the second is 0 (HID 1.11 Appendix B.1); a mouse's do not.
    private static func kind(of trace: Trace, _ endpoint: EndpointAddress) throws(CaptureError) -> HIDKind {
        var looked = 0
        for transfer in trace.transfers where transfer.endpoint == endpoint && transfer.input.count > 0 {
            let report = try trace.bytes(transfer.input)
            if report.count != 8 || report[1] != 0 { return .mouse }
            looked += 1
            if looked == looks { break }
        }
        return looked > 0 ? .keyboard : .mouse
    }
}
