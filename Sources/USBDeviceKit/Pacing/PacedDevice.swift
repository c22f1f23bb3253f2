public import USBCore

/// Puts a device on a bus that has a clock: periodic endpoints are served when a bus would serve them.
///
/// Neither USB/IP nor Linux's virtual host controller waits for frames, so without this a speaker plays as fast as the
/// network and a driver that polls takes a whole core. Isochronous transfers end with the last of their frames (USB 2.0
/// §5.6), an interrupt endpoint is asked once in its interval (§5.7.4), and one transfer at a time, as on a bus: what the
/// device says later waits for the next turn. Control and bulk transfers pass through.
///
/// All of a device's endpoints share one ``Alarm``; it rings only when one of them has something to do.
public final class PacedDevice: USBDevice, URBSink {
    private let device: any USBDevice
    private var port: (any DevicePort)?
    private var alarm: Alarm?
    /// When the alarm is set to ring.
    private var alarmTime = UInt64.max
    private var isRinging = false
    /// Whether whoever wants a transfer back is waiting for it now.
    private var isCancelling = false
    private var isConnected = false
    /// By table index.
    private var pipes: [PacedPipe?] = Array(repeating: nil, count: 32)
    private var activePipes: [PacedPipe] = []
    /// How long a frame is, or a microframe from high speed on.
    private let frame: UInt64

    /// How well time was kept since the device was made.
    public var statistics: PaceStatistics { measured }
    private var measured = PaceStatistics()

    /// Paces `device`.
    public init(_ device: any USBDevice) {
        self.device = device
        switch device.identity.speed {
        case .low, .full: frame = 1_000_000
        case .high, .super, .superPlus: frame = 125_000
        }
    }

    // MARK: What passes through

    /// See ``USBDevice/identity``.
    public var identity: DeviceIdentity { device.identity }

    /// See ``USBDevice/attach(to:)``.
    public func attach(to port: any DevicePort) {
        self.port = port
        let reference = WeakReference(self)
        alarm = Alarm(port) { reference.device?.ring() }
        device.attach(to: port)
    }

    /// See ``USBDevice/connect()``.
    public func connect() {
        isConnected = true
        device.connect()
    }

    /// See ``USBDevice/transferType(of:)``.
    public func transferType(of endpoint: EndpointAddress) -> TransferType? { device.transferType(of: endpoint) }

    /// See ``USBDevice/schedule(of:)``.
    public func schedule(of endpoint: EndpointAddress) -> PeriodicSchedule? { device.schedule(of: endpoint) }

    /// See ``USBDevice/landing(for:count:)``.
    ///
    /// None for periodic endpoints: their transfers wait here, while the next ones may already arrive.
    public func landing(for endpoint: EndpointAddress, count: Int) -> UnsafeMutableRawBufferPointer? {
        device.schedule(of: endpoint) == nil ? unsafe device.landing(for: endpoint, count: count) : nil
    }

    /// See ``USBDevice/disconnect()``.
    public func disconnect() {
        isConnected = false
        returnTransfers()
        device.disconnect()
    }

    /// See ``USBDevice/reset(_:)``.
    public func reset(_ cause: ResetCause) {
        returnTransfers()
        device.reset(cause)
    }

    private func returnTransfers() {
        alarm?.cancel()
        alarmTime = .max
        for pipe in activePipes { pipe.returnTransfers() }
    }

    // MARK: What waits

    /// See ``USBDevice/submit(_:)``.
    public func submit(_ urb: consuming URB) {
        switch urb.type {
        case .bulk: device.submit(urb)
        case .control: control(urb)
        case .isochronous, .interrupt:
            guard let schedule = device.schedule(of: urb.endpoint), let now = port?.clock.now else {
                device.submit(urb)
                return
            }
            let pipe = pipe(of: urb.endpoint)
            pipe.take(urb, schedule, now: now, frame: frame)
            arm(for: pipe)
        }
    }

    /// See ``USBDevice/cancel(_:)``.
    public func cancel(_ id: URB.ID) {
        let now = port?.clock.now ?? 0
        for pipe in activePipes where pipe.cancel(id, now: now) {
            arm(for: pipe)
            return
        }
        isCancelling = true
        device.cancel(id)
        isCancelling = false
    }

    private func control(_ urb: consuming URB) {
        let setup = urb.setup
        device.submit(urb)
        guard setup.kind == .standard else { return }
        switch StandardRequest(rawValue: setup.request) {
        case .setConfiguration, .setInterface:
            // What waits for an endpoint that has gone, or has changed, goes back as what the device had of it did.
            for pipe in activePipes where device.schedule(of: pipe.endpoint) != pipe.schedule { pipe.returnTransfers() }
        default: break
        }
    }

    private func pipe(of endpoint: EndpointAddress) -> PacedPipe {
        if let pipe = pipes[endpoint.tableIndex] { return pipe }
        let pipe = PacedPipe(endpoint)
        pipes[endpoint.tableIndex] = pipe
        activePipes.append(pipe)
        return pipe
    }

    /// Makes sure that the alarm rings when `pipe` has something to do.
    private func arm(for pipe: PacedPipe) {
        guard !isRinging, let time = pipe.deadline, time < alarmTime else { return }
        alarmTime = time
        alarm?.set(at: time)
    }

    private func ring() {
        guard let clock = port?.clock else { return }
        alarmTime = .max
        isRinging = true
        for pipe in activePipes {
            while let due = pipe.deadline {
                let now = clock.now
                guard due <= now else { break }
                if let urb = pipe.popFinished() {
                    measured.count(delay: now - due)
                    urb.giveBack()
                } else if let urb = pipe.popDue() {
                    urb.intercept(self)
                    device.submit(urb)
                    pipe.isServing = false
                }
            }
        }
        isRinging = false
        for pipe in activePipes { arm(for: pipe) }
    }

    /// The device has done with a transfer.
    public func completed(_ urb: consuming URB) {
        guard let pipe = pipes[urb.endpoint.tableIndex], let now = port?.clock.now else {
            urb.giveBack()
            return
        }
        if let finish = pipe.finish(of: urb, now: now) {
            if finish > now, isConnected, !isCancelling {
                pipe.park(urb, until: finish)
                arm(for: pipe)
                return
            }
            measured.count(delay: now - min(now, finish))
        }
        urb.giveBack()
        arm(for: pipe)
    }
}

/// Lets an alarm find its device without keeping it.
///
/// `@unchecked Sendable`: only used on the device's executor.
private final class WeakReference: @unchecked Sendable {
    weak var device: PacedDevice?
    init(_ device: PacedDevice) { self.device = device }
}
