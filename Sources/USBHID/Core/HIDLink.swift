import HIDReports
import USBCore
public import USBDeviceKit

/// A function's way to its host.
///
/// Used on the device's executor only. A function may keep its link: the link does not keep the function.
public final class HIDLink {
    /// The function's interface number; its endpoints have the number plus one.
    public let number: UInt8
    let interface: HIDInterface
    let sizes: ReportSizes
    let pipe: ReportPipe
    let output: OutPipe?
    weak var function: (any HIDFunction)?
    /// The gadget's way to the device; owned by the device.
    weak var gadgetLink: GadgetLink?
    /// Called when the host has fetched a report, or one is no longer to be waited for.
    var onFetched: () -> Void = {}

    /// Whether a host has configured the device: what is sent else is not kept.
    public private(set) var isConfigured = false
    /// The form that input reports must have now: see ``HIDFunction/protocolChanged(_:)``.
    public private(set) var form = HIDProtocol.report

    private var repeatAlarm: Alarm?
    private var repeatTime: UInt64?
    private var scriptAlarm: Alarm?
    private lazy var player = ScriptPlayer(
        now: { [unowned self] in now }, wake: { [unowned self] in scriptAlarm?.set(at: $0) })

    init(_ number: UInt8, _ function: any HIDFunction) {
        self.number = number
        self.function = function
        interface = function.interface
        sizes = ReportSizes(interface.reportDescriptor)
        pipe = ReportPipe(.in(number &+ 1))
        output = interface.hasOutEndpoint ? OutPipe(number &+ 1) : nil
        pipe.now = { [unowned self] in now }
        pipe.id = { [unowned self] in id(of: $0) }
        pipe.current = { [unowned self] in self.function?.report(.input, id: $0) }
        pipe.wake = { [unowned self] in setRepeatAlarm($0) }
        pipe.onFetched = { [unowned self] in onFetched() }
        output?.onReceive { [unowned self] in receive($0) }
    }

    // MARK: For functions

    /// Sends an input report, in the form of ``form``, the id first where the descriptor has ids.
    ///
    /// It waits until the host asks; of more than 1024 that wait, the oldest is lost. Without a configured device the
    /// report goes nowhere: the function's state is what a host finds when it comes.
    ///
    /// - Returns: whether it was sent.
    @discardableResult
    public func send(_ report: [UInt8]) -> Bool {
        guard isConfigured else { return false }
        pipe.send(report)
        return true
    }

    /// How many reports wait for the host to ask.
    public var unfetchedCount: Int { pipe.count }

    /// How many reports were lost, because the host did not ask for them in time.
    public var lostCount: UInt64 { pipe.lost }

    /// Whether input reports have the boot protocol's form.
    public var usesBootProtocol: Bool { form == .boot }

    /// The time that the device lives by, in nanoseconds; see ``BusClock/now``.
    public var now: UInt64 { gadgetLink?.now ?? 0 }

    /// Makes an alarm for work on the device's executor; nil before the device has been exported.
    ///
    /// - Parameter work: must not retain what owns the alarm.
    public func makeAlarm(_ work: @escaping @Sendable () -> Void) -> Alarm? { gadgetLink?.makeAlarm(work) }

    /// Plays a script, once those before it on this link have ended: scripts are never mixed.
    ///
    /// - Parameters:
    ///   - script: what to play.
    ///   - others: further links that the script sends through; its steps wait for their reports as well.
    ///   - completion: called on the device's executor when it has ended, which may be before this returns.
    public func play(
        _ script: InputScript, with others: [HIDLink] = [],
        completion: @escaping (Result<Void, InputScriptError>) -> Void
    ) {
        player.play(script, [self] + others, completion)
    }

    // MARK: For the gadget

    /// Forgets what the host has not fetched.
    func clear() { pipe.clear() }

    /// How many reports were sent; wraps around.
    var sentCount: UInt64 { pipe.sent }

    /// What the host was last told in a report; nil when nothing, empty when in the form of the other protocol.
    func told(_ id: UInt8) -> [UInt8]? { pipe.told[id] }

    /// Tells the host what it does not know because reports were dropped: that a key is up again, say.
    func settle() {
        guard isConfigured, let function else { return }
        for id in inputIDs {
            guard let told = pipe.told[id], !pipe.isQueued(id), let report = function.correction(of: told, id: id)
            else { continue }
            pipe.send(report)
        }
    }

    /// A report of a link was fetched, which may be what a script waits for.
    func continueScripts(_ link: HIDLink) { player.fetched(link) }

    func connected() {
        let reference = WeakLink(self)
        repeatAlarm = makeAlarm { reference.link?.ringRepeat() }
        scriptAlarm = makeAlarm { reference.link?.player.run() }
        function?.connected()
    }

    func disconnected() {
        end()
        pipe.forgetTold()
        repeatAlarm?.cancel()
        scriptAlarm?.cancel()
        function?.disconnected()
    }

    func configured(_ isConfigured: Bool) {
        let was = self.isConfigured
        self.isConfigured = isConfigured
        returnToDefault()
        if was || isConfigured { function?.configured(isConfigured) }
        settle()
    }

    func reset() {
        returnToDefault()
        function?.reset()
    }

    /// SET_PROTOCOL: what waits in the old form is replaced by the state in the new one.
    func setForm(_ new: HIDProtocol) {
        guard form != new else { return }
        form = new
        let hadReports = pipe.count > 0
        pipe.clear()
        pipe.changeForm(inputIDs)
        // The idle rate is not the protocol's: it stays.
        pipe.idle.change(ids: inputIDs, now: now)
        repeatTime = nil
        function?.protocolChanged(new)
        guard hadReports else { return }
        for id in inputIDs {
            if let report = function?.report(.input, id: id) { pipe.send(report) }
        }
        // Reports that were dropped without a successor are no longer waited for.
        onFetched()
    }

    /// The ids of input reports in the form that holds.
    private var inputIDs: [UInt8] { form == .boot ? [0] : sizes.inputIDs }

    /// The state at power-up: report protocol (HID 1.11 §7.2.6), default idle rates (§7.2.4), nothing to fetch.
    private func returnToDefault() {
        end()
        let was = form
        form = .report
        // 500 ms for keyboards, for ever for all else (HID 1.11 §7.2.4).
        pipe.idle = IdleRates(ids: inputIDs, duration: interface.boot == .keyboard ? 125 : 0, now: now)
        repeatTime = nil
        guard was != .report else { return }
        pipe.changeForm(inputIDs)
        function?.protocolChanged(.report)
    }

    /// Ends what was meant for a host that has gone or begins anew.
    private func end() {
        pipe.clear()
        player.abort()
    }

    private func setRepeatAlarm(_ time: UInt64) {
        guard repeatTime != time else { return }
        repeatTime = time
        repeatAlarm?.set(at: time)
    }

    private func ringRepeat() {
        repeatTime = nil
        pipe.serve()
    }

    // MARK: Reports

    /// A report's id, 0 where there are none.
    private func id(of report: [UInt8]) -> UInt8 {
        sizes.usesIDs && form == .report ? report.first ?? 0 : 0
    }

    /// A report by the interrupt OUT endpoint, which says no type and no id beside its bytes (HID 1.11 §4.4).
    ///
    /// What is refused is ignored rather than answered with a halt, which Linux's driver never clears.
    private func receive(_ span: RawSpan) {
        guard span.byteCount > 0, span.byteCount <= sizes.longest(.output) ?? ReportSizes.unknownLimit else { return }
        let bytes = [UInt8](copying: span)
        _ = accept(.output, id: sizes.usesIDs ? bytes[0] : 0, bytes)
    }

    /// Hands a report to the function; false when the descriptor has no such report, or the function refuses it.
    func accept(_ kind: ReportKind, id: UInt8, _ bytes: [UInt8]) -> Bool {
        guard let limit = sizes.limit(kind, id), (1...max(1, limit)).contains(bytes.count),
            !sizes.usesIDs || bytes.first == id
        else { return false }
        return function?.receive(kind, id: id, bytes) ?? false
    }

    /// What GET_REPORT answers; nil when there is no such report.
    func report(_ kind: ReportKind, id: UInt8) -> [UInt8]? {
        let isBootReport = form == .boot && id == 0 && kind != .feature
        guard isBootReport || sizes.limit(kind, id) != nil else { return nil }
        return function?.report(kind, id: id)
    }
}

/// Lets an alarm find its link without keeping it.
///
/// `@unchecked Sendable`: only used on the device's executor.
private final class WeakLink: @unchecked Sendable {
    weak var link: HIDLink?
    init(_ link: HIDLink) { self.link = link }
}
