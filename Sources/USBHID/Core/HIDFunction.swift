public import HIDReports

/// A keyboard, a mouse, or whatever else speaks in reports: what the author of a HID device writes.
///
/// A function says what it is (``interface``), sends input reports through its ``HIDLink``, and answers for its state.
/// ``HIDGadget`` does the rest: descriptors, the class's requests, idle rates, both protocols. Everything runs on the
/// device's executor.
///
/// Reports are as they stand on the wire: where the descriptor uses report ids, the first byte is the id.
public protocol HIDFunction: AnyObject {
    /// What the function is on the bus. Read once, when the gadget is made.
    var interface: HIDInterface { get }

    /// The function has become part of a device.
    ///
    /// - Parameter link: its way to the host, which may be kept.
    func attached(to link: HIDLink)

    /// The report as it now is: what GET_REPORT answers (HID 1.11 §7.2.1), and what an idle rate repeats.
    ///
    /// - Parameters:
    ///   - kind: input, output or feature.
    ///   - id: the report's id; 0 where the descriptor has none, and in the boot protocol.
    /// - Returns: the report in the form of the protocol that holds, relative fields at rest; nil stalls.
    func report(_ kind: ReportKind, id: UInt8) -> [UInt8]?

    /// What to tell a host whose knowledge is out of date, because reports were dropped that it did not fetch.
    ///
    /// Asked when a script has failed and when a host has configured the device. A function whose ``report(_:id:)`` is
    /// the whole of its state need not have this.
    ///
    /// - Parameters:
    ///   - told: the input report that the host fetched last; empty when that had the form of the other protocol.
    ///   - id: the report's id; 0 where the descriptor has none, and in the boot protocol.
    /// - Returns: a report to send; nil when the host knows the state.
    func correction(of told: [UInt8], id: UInt8) -> [UInt8]?

    /// Takes a report from the host, by SET_REPORT (HID 1.11 §7.2.2) or the interrupt OUT endpoint.
    ///
    /// - Parameters:
    ///   - kind: input, output or feature.
    ///   - id: the report's id; 0 where the descriptor has none.
    ///   - bytes: 1 byte to the length that the descriptor says, the id first where it has ids.
    /// - Returns: false to stall the request; a report from the interrupt endpoint is then ignored.
    func receive(_ kind: ReportKind, id: UInt8, _ bytes: [UInt8]) -> Bool

    /// The host chose the other protocol, or a reset brought back ``HIDProtocol/report``.
    ///
    /// Reports from now on have that form. What had not been fetched is replaced by ``report(_:id:)``.
    func protocolChanged(_ form: HIDProtocol)

    /// The bus was reset.
    func reset()

    /// A host has imported the device.
    func connected()

    /// The host has gone: the device is without power.
    func disconnected()

    /// The host has configured the device, or has taken the configuration back.
    func configured(_ isConfigured: Bool)
}

extension HIDFunction {
    /// The input report as it now is, where that is not what the host was told.
    public func correction(of told: [UInt8], id: UInt8) -> [UInt8]? {
        let report = report(.input, id: id)
        return report == told ? nil : report
    }
    /// Refuses.
    public func receive(_ kind: ReportKind, id: UInt8, _ bytes: [UInt8]) -> Bool { false }
    /// Does nothing.
    public func protocolChanged(_ form: HIDProtocol) {}
    /// Does nothing.
    public func reset() {}
    /// Does nothing.
    public func connected() {}
    /// Does nothing.
    public func disconnected() {}
    /// Does nothing.
    public func configured(_ isConfigured: Bool) {}
}
