import Synchronization
import USBCore
public import USBDeviceKit

extension LibUSBDevice {
    /// Makes a call that takes long on the device's own thread; what is submitted until it returns waits.
    ///
    /// - Parameters:
    ///   - slot: the request that asked for it, answered when the call returns.
    ///   - dooms: whether the system takes a transfer back for this call, without a word about it.
    ///   - then: what follows on the executor, given why the call failed, if it did.
    func call(
        _ device: OpenDevice, _ slot: UnsafeMutablePointer<URBSlot>?, dooms: (EndpointAddress) -> Bool = { _ in false },
        _ body: @escaping @Sendable (OpenDevice) throws(LibUSBError) -> Void,
        then: @escaping @Sendable (LibUSBDevice, LibUSBError?) -> Void
    ) {
        isCalling = true
        unsafe request = slot
        for flight in flights.values where dooms(flight.endpoint) { flight.isDoomed = true }
        let port = port
        let back: @Sendable (LibUSBError?) -> Void = { failure in
            port?.post { [self] in returned(from: device, failure, then) }
        }
        device.isUsed.store(true, ordering: .releasing)
        device.later {
            do throws(LibUSBError) {
                try body(device)
                back(nil)
            } catch {
                back(error)
            }
        }
    }

    private func returned(
        from device: OpenDevice, _ failure: LibUSBError?, _ then: (LibUSBDevice, LibUSBError?) -> Void
    ) {
        guard current === device else { return }
        isCalling = false
        then(self, failure)
        finishRequest(failure.map { TransferStatus(request: $0) } ?? .success)
        let wanted = recalls
        recalls = []
        wanted.forEach(takeBack)
        if failure == .noDevice { isGone() }
        if isResetWanted { resetPort(device) } else { resume() }
    }

    /// Answers the request whose call has returned, or is not waited for any longer.
    func finishRequest(_ status: TransferStatus) {
        guard let slot = unsafe request else { return }
        unsafe request = nil
        let urb = unsafe URB(slot)
        if status == .success { urb.accept() } else { urb.complete(status) }
    }

    /// Starts what has waited for a call, as far as it goes.
    private func resume() {
        guard let device = current, !isLeaving else { return }
        while !isCalling, let urb = parked.popFirst() { start(urb, device) }
        retry()
    }

    // MARK: Reset

    /// See ``USBDevice/reset(_:)``.
    public func reset(_ cause: ResetCause) {
        guard let device = current, resets, !isLeaving else { return }
        // What looks like a reset before a configuration is selected is the host's first look. While anything is under
        // way it is some program's look: drivers are given all their transfers back before Linux resets a port.
        if cause == .inferred {
            guard isConfigured, flights.isEmpty, starved.isEmpty, parked.isEmpty, !isCalling else { return }
        }
        guard !isCalling else {
            isResetWanted = true
            return
        }
        resetPort(device)
    }

    private func resetPort(_ device: OpenDevice) {
        isResetWanted = false
        isConfigured = false
        let interfaces = endpoints.interfaces(of: endpoints.configuration)
        unsafe call(device, nil, dooms: { _ in true }) { device throws(LibUSBError) in
            try device.resetPort(interfaces)
        } then: { this, failure in
            this.endpoints.select(configuration: this.endpoints.configuration)
            if let failure, failure != .noDevice { this.place.warn("\(device.host.path) cannot be reset: \(failure)") }
        }
    }

    // MARK: Requests that are calls

    /// Does what a request asks for in the way that the system has for it.
    func perform(_ intercepted: InterceptedRequest, _ urb: consuming URB, _ device: OpenDevice) {
        switch intercepted {
        case .swallow: urb.accept()
        case .refuse: urb.stall()
        case .clearHalt(let endpoint):
            unsafe call(device, urb.release()) { device throws(LibUSBError) in
                try device.libusb.clearHalt(device.connection, endpoint.rawValue)
            } then: { _, _ in
            }
        case .setInterface(let interface, let alternate):
            let table = endpoints
            unsafe call(device, urb.release(), dooms: { table.interface(of: $0) == interface }) {
                device throws(LibUSBError) in
                try device.libusb.setAlternate(device.connection, interface, alternate)
            } then: { this, failure in
                if failure == nil { this.endpoints.select(alternate: alternate, of: interface) }
            }
        case .setConfiguration(let value):
            // One that there is not would cost everything that is under way, for a STALL.
            guard value == 0 || endpoints.has(configuration: value) else { return urb.stall() }
            let interfaces = endpoints.interfaces(of: value)
            let before = endpoints.interfaces(of: endpoints.configuration)
            unsafe call(device, urb.release(), dooms: { $0.number != 0 }) { device throws(LibUSBError) in
                try device.select(value, interfaces, before: before)
            } then: { this, failure in
                // What a call that failed has left behind, only the system knows.
                let selected = failure == nil ? value : device.refreshed()?.configurationValue ?? 0
                this.endpoints.select(configuration: selected)
                this.isConfigured = failure == nil && value != 0
            }
        }
    }
}
