import SocketIO
import Synchronization
import USBDeviceKit

/// A real device that is open and whose interfaces are ours: from a host's import until it has gone.
///
/// `@unchecked Sendable`: `interfaces` belongs to one thread at a time (see there), `isEmpty` to whoever closes the
/// device; the rest does not change or is made for threads.
final class OpenDevice: @unchecked Sendable {
    let host: HostDevice
    let libusb: LibUSBFunctions
    private let context: OwnedContext
    let connection: LibUSBFunctions.Connection
    let mailbox = Mailbox()
    let interfaces: ClaimedInterfaces
    private let workerThread: Worker
    private let arrivals = Mutex<Action?>(nil)
    private let isEnding = Atomic(false)
    private let eventsEnded = Semaphore()
    /// Signalled when no transfer is left at libusb, after the host has gone.
    let emptied = Semaphore()
    private var isEmpty = false
    /// Whether the device was ever connected to a host.
    let isConnected = Atomic(false)
    /// Whether the host has made the device do anything.
    let isUsed = Atomic(false)
    /// Configuration descriptors, by their index, that are longer than what libusb carries.
    let longConfigurations: [UInt8: [UInt8]]
    private let inventory: Inventory

    /// Opens a device and takes its interfaces.
    ///
    /// - Throws: ``ImportRefusal``, with everything as it was before, or word of what is not.
    init(
        _ host: HostDevice, _ inventory: Inventory, _ libusb: LibUSBFunctions, _ context: OwnedContext,
        interfaces numbers: [UInt8]
    ) throws(ImportRefusal) {
        self.host = host
        self.inventory = inventory
        longConfigurations = inventory.longConfigurations(of: host, above: 4096)
        self.context = context
        self.libusb = libusb
        let connection: LibUSBFunctions.Connection
        do throws(LibUSBError) {
            connection = try libusb.open(context.context, host.node)
        } catch {
            let answer: ImportRefusal.Answer = error == .noDevice || error == .notFound ? .absent : .error
            throw ImportRefusal(answer, "\(host.path) cannot be opened: \(error)")
        }
        self.connection = connection
        interfaces = ClaimedInterfaces(libusb, connection)
        do throws(SocketError) {
            workerThread = try Worker("usb \(host.path)")
        } catch {
            libusb.close(connection)
            throw ImportRefusal(.error, "\(error)")
        }
        do throws(ClaimedInterfaces.Failure) {
            try interfaces.claim(numbers)
        } catch {
            throw undo(
                error.error == .busy ? .busy : .error,
                "interface \(error.interface) of \(host.path) cannot be claimed: \(error.error)")
        }
        do throws(SocketError) {
            try startThread("libusb \(host.path)") { [self] in handleEvents() }
        } catch {
            throw undo(.error, "\(error)")
        }
    }

    /// Undoes what was done before the thread of events was started.
    ///
    /// - Returns: the refusal, with what could not be undone.
    private func undo(_ answer: ImportRefusal.Answer, _ reason: String) -> ImportRefusal {
        _ = workerThread.end(milliseconds: 1000)
        interfaces.releaseAll()
        let failures = attachDrivers()
        libusb.close(connection)
        return ImportRefusal(answer, ([reason] + failures).joined(separator: "; "))
    }

    private func attachDrivers() -> [String] {
        interfaces.attachDrivers().map { failure in
            "no driver took interface \(failure.interface) of \(host.path) again: \(failure.error)"
        }
    }

    /// The device as the system shows it now; nil when it has gone, or has become another.
    func refreshed() -> HostDevice? { inventory.refreshed(host) }

    // MARK: Threads

    /// Sets who is told that there is something in the mailbox: once for all that arrives together.
    func setArrivals(_ action: (@Sendable () -> Void)?) { arrivals.withLock { $0 = action.map(Action.init) } }

    /// Wrapped, because a closure that is a mutex's value itself grows by a layer each time it is read.
    private struct Action: Sendable {
        let run: @Sendable () -> Void
    }

    private func handleEvents() {
        while !isEnding.load(ordering: .acquiring) {
            do throws(LibUSBError) {
                try libusb.handleEvents(connection)
            } catch {
                // What is wrong with the device, its transfers say; this must not become a loop without rest.
                if error != .interrupted { pause(milliseconds: 20) }
            }
            if !mailbox.isEmpty { arrivals.withLock { $0 }?.run() }
        }
        // It holds this device.
        setArrivals(nil)
        eventsEnded.signal()
    }

    /// Makes a call that takes long, after those that were asked for earlier.
    func later(_ work: @escaping @Sendable () -> Void) { workerThread.post(work) }

    // MARK: End

    /// How long a device may take for what it was asked last.
    static let patience: Int32 = 5000

    /// Gives the device back to the system, once its host has gone: resets it, then lets the kernel's drivers have it.
    ///
    /// Called on a thread that may wait.
    ///
    /// - Parameter resets: whether the device is to be reset, as Linux's own export does: its driver then finds it as
    ///   after plugging in, whatever the host was in the middle of.
    /// - Returns: what is wrong, in sentences; nil where the device is still in use because it does not give back its
    ///   transfers, or does not answer a request: then nothing can be done before it is unplugged.
    func close(resets: Bool, patience: Int32 = OpenDevice.patience) -> [String]? {
        // Nobody signals for a device that was imported and never connected.
        if !isEmpty { isEmpty = !isConnected.load(ordering: .acquiring) || emptied.wait(milliseconds: patience) }
        guard isEmpty, workerThread.end(milliseconds: patience) else { return nil }
        var failures: [String] = []
        if isUsed.load(ordering: .acquiring) { restore(resets: resets, &failures) }
        isEnding.store(true, ordering: .releasing)
        libusb.interrupt(connection)
        interfaces.releaseAll()
        failures += attachDrivers()
        eventsEnded.wait()
        libusb.close(connection)
        return failures
    }

    /// Brings the device back to the state in which it was imported.
    private func restore(resets: Bool, _ failures: inout [String]) {
        if resets {
            do throws(LibUSBError) {
                try libusb.reset(connection)
            } catch {
                // One that comes back as another device gets its drivers from the kernel by itself.
                if error != .notFound, error != .noDevice { failures.append("\(host.path) cannot be reset: \(error)") }
            }
        }
        guard let now = refreshed(), now.configurationValue != host.configurationValue else { return }
        interfaces.releaseAll()
        do throws(LibUSBError) {
            try setConfiguration(host.configurationValue)
        } catch {
            failures.append(
                "configuration \(host.configurationValue) of \(host.path) cannot be selected again: \(error)")
        }
    }

    // MARK: On the worker's thread

    /// Resets the port, and keeps the interfaces.
    func resetPort(_ numbers: [UInt8]) throws(LibUSBError) {
        do throws(LibUSBError) {
            try libusb.reset(connection)
        } catch {
            // It has come back as another device; or somebody took an interface meanwhile.
            guard error == .notFound else { throw error }
            guard refreshed() != nil else { throw .noDevice }
            interfaces.releaseAll()
            try claim(numbers)
        }
    }

    /// Selects a configuration and takes its interfaces.
    ///
    /// Linux selects none while anybody has an interface, and lets its drivers have those of a new one at once.
    ///
    /// - Parameter before: the interfaces of the configuration that is selected now.
    func select(_ value: UInt8, _ numbers: [UInt8], before: [UInt8]) throws(LibUSBError) {
        interfaces.releaseAll()
        // Where an earlier call failed, drivers may have them.
        for interface in before { interfaces.detach(interface) }
        if value != host.configurationValue { interfaces.leaveOriginal() }
        do throws(LibUSBError) {
            try setConfiguration(value)
        } catch {
            try? claim(before)
            throw error
        }
        try claim(numbers)
    }

    private func setConfiguration(_ value: UInt8) throws(LibUSBError) {
        try libusb.setConfiguration(connection, value == 0 ? -1 : Int32(value))
    }

    private func claim(_ numbers: [UInt8]) throws(LibUSBError) {
        do throws(ClaimedInterfaces.Failure) {
            try interfaces.claim(numbers)
        } catch {
            throw error.error
        }
    }
}
