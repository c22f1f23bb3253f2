import SocketIO
import Synchronization
import USBDeviceKit

/// A real device that is open and whose interfaces are ours: from a host's import until it has gone.
///
/// `@unchecked Sendable`: `interfaces` and `isEmpty` belong to one thread at a time (see there); the rest does not change or is made
/// for threads.
final class OpenDevice: @unchecked Sendable {
    let host: HostDevice
    let libusb: LibUSBFunctions
    private let context: OwnedContext
    let connection: LibUSBFunctions.Connection
    let mailbox = Mailbox()
    let interfaces: ClaimedInterfaces
    private let workerThread: Worker
    private let arrivals = Mutex<(@Sendable () -> Void)?>(nil)
    private let isEnding = Atomic(false)
    private let eventsEnded = Semaphore()
    /// Signalled when no transfer is left at libusb, after the host has gone.
    let emptied = Semaphore()
    private var isEmpty = false
    /// Whether the host has made the device do anything.
    let isUsed = Atomic(false)

    /// Opens a device and takes its interfaces.
    ///
    /// - Throws: ``ImportRefusal``, with everything as it was before.
    init(
        _ host: HostDevice, _ libusb: LibUSBFunctions, _ context: OwnedContext, interfaces numbers: [UInt8]
    ) throws(ImportRefusal) {
        self.host = host
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
            _ = giveBack()
            throw ImportRefusal(
                error.error == .busy ? .busy : .error,
                "interface \(error.interface) of \(host.path) cannot be claimed: \(error.error)")
        }
        do throws(SocketError) {
            try startThread("libusb \(host.path)") { [self] in handleEvents() }
        } catch {
            _ = giveBack()
            throw ImportRefusal(.error, "\(error)")
        }
    }

    /// Undoes what was done before the thread of events was started.
    private func giveBack() -> [ClaimedInterfaces.Failure] {
        _ = workerThread.end(milliseconds: 1000)
        interfaces.releaseAll()
        let failures = interfaces.attachDrivers()
        libusb.close(connection)
        return failures
    }

    // MARK: Threads

    /// Sets who is told that there is something in the mailbox: once for all that arrives together.
    func setArrivals(_ action: (@Sendable () -> Void)?) { arrivals.withLock { $0 = action } }

    private func handleEvents() {
        while !isEnding.load(ordering: .acquiring) {
            do throws(LibUSBError) {
                try libusb.handleEvents(connection)
            } catch {
                // What is wrong with the device, its transfers say; this must not become a loop without rest.
                if error != .interrupted { pause(milliseconds: 20) }
            }
            if !mailbox.isEmpty { arrivals.withLock { $0 }?() }
        }
        eventsEnded.signal()
    }

    /// Makes a call that takes long, after those that were asked for earlier.
    func later(_ work: @escaping @Sendable () -> Void) { workerThread.post(work) }

    // MARK: End

    /// How long a device may take for what it was asked last.
    static let patience: Int32 = 15_000

    /// Gives the device back to the system, once its host has gone: resets it, then lets the kernel's drivers have it.
    ///
    /// Called on a thread that may wait.
    ///
    /// - Parameter resets: whether the device is to be reset, as Linux's own export does: its driver then finds it as
    ///   after plugging in, whatever the host was in the middle of.
    /// - Returns: what is wrong, in sentences; nil where the device is still in use because it does not give back its
    ///   transfers, or does not answer a request: then nothing can be done before it is unplugged.
    func close(resets: Bool, patience: Int32 = OpenDevice.patience) -> [String]? {
        if !isEmpty { isEmpty = emptied.wait(milliseconds: patience) }
        guard isEmpty, workerThread.end(milliseconds: patience) else { return nil }
        var failures: [String] = []
        if isUsed.load(ordering: .acquiring) { restore(resets: resets, &failures) }
        isEnding.store(true, ordering: .releasing)
        libusb.interrupt(connection)
        interfaces.releaseAll()
        for failure in interfaces.attachDrivers() {
            failures.append("no driver took interface \(failure.interface) of \(host.path) again: \(failure.error)")
        }
        eventsEnded.wait()
        libusb.close(connection)
        return failures
    }

    /// Brings the device back to the state in which it was imported.
    private func restore(resets: Bool, _ failures: inout [String]) {
        do throws(LibUSBError) {
            if resets { try libusb.reset(connection) }
            guard try libusb.configuration(connection) != host.configurationValue else { return }
            interfaces.releaseAll()
            try libusb.setConfiguration(connection, Int32(host.configurationValue))
        } catch {
            // It comes back as another device, to which the kernel gives drivers by itself, or has gone.
            if error != .notFound, error != .noDevice { failures.append("\(host.path) cannot be reset: \(error)") }
        }
    }
}
