public import CaptureTraces
public import USBCore
public import USBDeviceKit

/// A recorded device that answers again.
///
/// - **Standard requests** are answered in any order and with any wLength from the recorded descriptors; configurations,
///   settings, halts and features are kept as every device keeps them. What the recorded device refused is refused.
/// - **Class and vendor requests** are known by their setup packet and data: see ``ReplaySettings/Match``. Several
///   answers to the same request play in order; the last one repeats.
/// - **Bulk and interrupt endpoints** of an interface belong together: a transfer to the device that matches the
///   recording makes available what followed it. What the host asks for beyond that waits.
/// - **Interrupt IN endpoints** of an interface without an OUT endpoint play by themselves, with the recorded gaps,
///   from the first poll on.
/// - **Isochronous IN** plays the recorded packets; **isochronous OUT** is taken.
/// - **A Bulk-Only disk** answers by command: what the recording knows of its blocks is served at any time, and what
///   the host writes is kept over it in memory until the next host.
/// - What the recorded host took back is not replayed; recorded stalls are, with the halt that follows them.
///
/// Every difference is told to ``onDivergence`` and counted in ``report``. A new host finds the device as it was when
/// the recording began; the report goes on.
public final class ReplayDevice: USBDevice, URBSink {
    private let inner: GadgetDevice
    private let gadget: ReplayGadget
    private let ledger: Ledger
    private let clock: ReplayClock
    private let descriptors: ReplayDescriptors
    private let standard: StandardRecord
    /// Whether this host has changed what GET_STATUS tells.
    private var hasChangedWakeup = false

    /// Makes a device of a recording.
    ///
    /// - Throws: ``ReplayError`` when too little is known of its descriptors.
    public init(_ trace: Trace, _ settings: ReplaySettings) throws(ReplayError) {
        let standard = StandardRecord(trace)
        let status = SetupPacket(requestType: 0x80, request: StandardRequest.getStatus.rawValue, length: 2)
        let isSelfPowered = standard.success(status).flatMap { index in
            (try? trace.bytes(trace.transfers[index].input))?.first.map { $0 & 1 == 1 }
        }
        descriptors = try ReplayDescriptors(trace, isSelfPowered: isSelfPowered)
        self.standard = standard
        let description = descriptors.description
        ledger = Ledger(trace, settings, subject: Self.subject(description))
        clock = ReplayClock()
        ledger.now = { [clock] in clock.now }
        for note in descriptors.notes { ledger.report.note(note) }
        for configuration in description.configurations {
            for setting in configuration.settings where ledger.interfaceClasses[setting.number] == nil {
                ledger.interfaceClasses[setting.number] = setting.interfaceClass.rawValue
            }
        }
        gadget = ReplayGadget(ledger, clock, description)
        do throws(DescriptorError) {
            inner = try GadgetDevice(gadget, allowingInvalid: true)
        } catch {
            throw ReplayError("the descriptors cannot be used: \(error)")
        }
    }

    private static func subject(_ description: DeviceDescription) -> String {
        let device = description.device
        let ids = hexadecimal(Int(device.vendorID), digits: 4) + ":" + hexadecimal(Int(device.productID), digits: 4)
        return ([ids] + [device.manufacturerIndex, device.productIndex].compactMap { description.strings[$0] })
            .joined(separator: " ")
    }

    /// Told of every divergence when it is found, on the device's executor; must not call the device.
    public var onDivergence: ((Divergence) -> Void)? {
        get { ledger.onDivergence }
        set { ledger.onDivergence = newValue }
    }

    /// How the replay has gone up to now, over all hosts; read on the device's executor.
    public var report: ReplayReport { ledger.snapshot }

    /// What is replayed: `1209:db42 Lupyuen BluePill`.
    public var subject: String { ledger.report.subject }

    /// What was filled in by rule, and what cannot be understood.
    public var notes: [String] { descriptors.notes }

    /// The disks' known ranges of blocks, by interface; empty for a device that is no disk.
    public var knownRanges: [UInt8: Int] { gadget.disks.mapValues(\.knownRangeCount) }

    // MARK: What passes through

    /// See ``USBDevice/identity``.
    public var identity: DeviceIdentity { inner.identity }

    /// See ``USBDevice/attach(to:)``.
    public func attach(to port: any DevicePort) {
        clock.attach(to: port)
        inner.attach(to: port)
    }

    /// See ``USBDevice/connect()``.
    public func connect() {
        if ledger.start == nil { ledger.start = clock.now }
        hasChangedWakeup = false
        inner.connect()
    }

    /// See ``USBDevice/disconnect()``.
    public func disconnect() { inner.disconnect() }

    /// See ``USBDevice/transferType(of:)``.
    public func transferType(of endpoint: EndpointAddress) -> TransferType? { inner.transferType(of: endpoint) }

    /// See ``USBDevice/schedule(of:)``.
    public func schedule(of endpoint: EndpointAddress) -> PeriodicSchedule? { inner.schedule(of: endpoint) }

    /// See ``USBDevice/cancel(_:)``.
    public func cancel(_ id: URB.ID) { inner.cancel(id) }

    /// See ``USBDevice/reset(_:)``.
    public func reset(_ cause: ResetCause) { inner.reset(cause) }

    /// See ``USBDevice/landing(for:count:)``.
    public func landing(for endpoint: EndpointAddress, count: Int) -> UnsafeMutableRawBufferPointer? {
        unsafe inner.landing(for: endpoint, count: count)
    }

    // MARK: Standard requests

    /// See ``USBDevice/submit(_:)``.
    public func submit(_ urb: consuming URB) {
        // Requests are answered in their order, as endpoint 0 is one pipe.
        if urb.endpoint.number == 0, urb.setup.kind == .standard, gadget.isControlWaiting {
            gadget.queueControl(urb) { [unowned self] in answer($0) }
        } else {
            answer(urb)
        }
    }

    private func answer(_ urb: consuming URB) {
        let setup = urb.setup
        guard urb.endpoint.number == 0, setup.kind == .standard,
            urb.requestedLength == 0 || urb.endpoint.direction == setup.direction
        else {
            inner.submit(urb)
            return
        }
        count(setup)
        if setup.request == StandardRequest.getDescriptor.rawValue, setup.direction == .in {
            let bytes = descriptors.answer(setup) ?? recorded(setup)
            if let bytes, !bytes.isEmpty {
                urb.complete(copying: Array(bytes.prefix(Int(setup.length))))
            } else {
                urb.stall()
            }
        } else if standard.onlyStalled(setup) {
            urb.stall()
        } else if isDeviceStatus(setup), !hasChangedWakeup, let bytes = recorded(setup) {
            urb.complete(copying: Array(bytes.prefix(Int(setup.length))))
        } else {
            if setup.requestType == 0x00, setup.value == 1,
                [StandardRequest.setFeature.rawValue, StandardRequest.clearFeature.rawValue].contains(setup.request)
            {
                hasChangedWakeup = true
            }
            urb.intercept(self)
            inner.submit(urb)
        }
    }

    /// Takes a standard request back from the kit, which may have refused what the recorded device did.
    public func completed(_ urb: consuming URB) {
        guard urb.status == .stalled, let index = standard.success(urb.setup) else {
            urb.giveBack()
            return
        }
        let setup = urb.setup
        if setup.direction == .in {
            guard let answer = ledger.answer(index) else {
                urb.complete(.protocolError)
                return
            }
            urb.complete(copying: Array(answer.prefix(Int(setup.length))))
        } else {
            urb.accept()
        }
    }

    /// GET_STATUS of the device: a capture that begins in the middle has a host that allowed it to wake before.
    private func isDeviceStatus(_ setup: SetupPacket) -> Bool {
        setup.requestType == 0x80 && setup.request == StandardRequest.getStatus.rawValue
    }

    private func recorded(_ setup: SetupPacket) -> [UInt8]? {
        standard.success(setup).flatMap { ledger.answer($0) }
    }

    private func count(_ setup: SetupPacket) {
        if standard.has(setup) {
            ledger.report.count(.out(0), .control) { $0.matched += 1 }
        } else {
            ledger.answerByRule(.out(0), .control)
        }
    }
}
