import SocketIO

/// The interfaces of an open device that are ours, and the kernel drivers that had them before.
///
/// Not thread-safe: belongs to whoever imports the device, then to its ``Worker``, then to whoever releases it.
final class ClaimedInterfaces {
    /// An interface that could not be had.
    struct Failure: Error {
        let interface: UInt8
        let error: LibUSBError
    }

    private let libusb: LibUSBFunctions
    private let connection: LibUSBFunctions.Connection
    private var claimed: [UInt8] = []
    /// Interfaces whose kernel drivers were detached, of the configuration that was selected before.
    private(set) var detached: [UInt8] = []
    /// Whether what is detached from now on belongs to a configuration that the host has selected.
    private var isOriginal = true

    init(_ libusb: LibUSBFunctions, _ connection: LibUSBFunctions.Connection) {
        self.libusb = libusb
        self.connection = connection
    }

    /// Takes every interface, in order; when one cannot be had, those before it are given back.
    func claim(_ interfaces: [UInt8]) throws(Failure) {
        for interface in interfaces {
            do throws(LibUSBError) {
                try take(interface)
            } catch {
                releaseAll()
                throw Failure(interface: interface, error: error)
            }
        }
    }

    /// How often an interface is tried that is busy: drivers of sound cards need a moment to let go, and after a new
    /// configuration the kernel's drivers come first.
    private static let attempts = 20

    private func take(_ interface: UInt8) throws(LibUSBError) {
        var attempt = 1
        while true {
            do throws(LibUSBError) {
                try libusb.detachDriver(connection, interface)
                if isOriginal, !detached.contains(interface) { detached.append(interface) }
            } catch {
                // No driver, or no drivers on this system.
                guard error == .notFound || error == .notSupported else { throw error }
            }
            do throws(LibUSBError) {
                try libusb.claim(connection, interface)
                claimed.append(interface)
                return
            } catch {
                guard error == .busy, attempt < Self.attempts else { throw error }
            }
            attempt += 1
            pause(milliseconds: 50)
        }
    }

    /// Takes an interface away from its kernel driver, if it has one.
    func detach(_ interface: UInt8) { try? libusb.detachDriver(connection, interface) }

    /// Gives every interface up, last first; kernel drivers do not come back by that.
    func releaseAll() {
        for interface in claimed.reversed() {
            // It fails when the device has gone, and with it the claim.
            try? libusb.release(connection, interface)
        }
        claimed = []
    }

    /// From now on another configuration than the first may be selected, whose drivers are not given back.
    func leaveOriginal() { isOriginal = false }

    /// Gives detached interfaces back to the kernel's drivers.
    ///
    /// - Returns: those that no driver took, and why.
    func attachDrivers() -> [Failure] {
        var failures: [Failure] = []
        for interface in detached {
            do throws(LibUSBError) {
                try libusb.attachDriver(connection, interface)
            } catch {
                // Busy: a driver has taken it by itself. No device: it gets its drivers when it is plugged in again.
                guard error != .busy, error != .noDevice else { continue }
                failures.append(Failure(interface: interface, error: error))
            }
        }
        detached = []
        return failures
    }
}
