import ArgumentParser
import CommandSupport
import DeviceControl
import DeviceModels
import Logging
import SocketIO
import Synchronization
import USBCore
import USBDeviceKit
import USBIPServer
import VHCI

/// Plugs devices of this process into this machine: the kernel gets one end of a pair of sockets, the server the other.
final class Plugger: Sendable {
    let vhci = VHCI()
    private let server: USBIPServer
    /// By device; no port yet while the kernel is being asked for one.
    private let plugged = Mutex<[ObjectIdentifier: PortNumber?]>([:])
    private let onEmpty: @Sendable () -> Void
    private let isEnding = Atomic(false)
    /// Whether the last device has been unplugged by others.
    let hasEmptied = Atomic(false)

    /// - Parameter onEmpty: called when the last device has been unplugged, however that came, before ``end()``.
    init(_ server: USBIPServer, onEmpty: @escaping @Sendable () -> Void) {
        self.server = server
        self.onEmpty = onEmpty
    }

    /// Makes sure that devices can be plugged in, before any is made.
    func prepare() throws(Failure) {
        do throws(VHCIError) {
            try vhci.load()
            try vhci.checkAccess()
        } catch {
            throw Failure(error)
        }
    }

    /// Hands a device to the kernel.
    ///
    /// - Throws: ``Failure`` when there is no free port, or the kernel refuses.
    @discardableResult
    func plug(_ device: RunningDevice) throws(Failure) -> PortNumber {
        let ours: StreamSocket
        let theirs: StreamSocket
        do throws(SocketError) {
            (ours, theirs) = try StreamSocket.pair()
        } catch {
            throw Failure("\(error)", .unavailable)
        }
        // The kernel has its own reference, and sees the end of ours only when this one is closed.
        defer { withExtendedLifetime(theirs) {} }
        let identity = ObjectIdentifier(device)
        let isNew = plugged.withLock { plugged in
            guard plugged[identity] == nil else { return false }
            return plugged.updateValue(nil, forKey: identity) == nil
        }
        guard isNew else { throw Failure("\(device.busID) is plugged in already", .failure) }
        do throws(ExportError) {
            try server.serve(device.export, on: ours, peer: "this machine") { [self] in unplugged(identity) }
        } catch {
            _ = plugged.withLock { $0.removeValue(forKey: identity) }
            throw Failure("\(error)", .failure)
        }
        do throws(VHCIError) {
            // Several controllers enumerate side by side.
            let port = try vhci.attach(
                descriptor: theirs.descriptor, deviceID: device.export.deviceID, speed: device.export.identity.speed,
                placement: .leastUsedController)
            let isThere = plugged.withLock { plugged in
                guard plugged[identity] != nil else { return false }
                plugged[identity] = port
                return true
            }
            guard isThere else { throw VHCIError.disconnected(port) }
            device.place = [("port", .number(Int(port.rawValue)))]
            return port
        } catch {
            // Its thread sees the end when `theirs` is closed.
            throw Failure(error)
        }
    }

    /// Waits until drivers are bound and nodes exist.
    func ready(_ device: RunningDevice, timeout: Duration) throws(Failure) -> PluggedDevice {
        guard let port = plugged.withLock({ $0[ObjectIdentifier(device)] }) ?? nil else {
            throw Failure("\(device.busID) was unplugged before it was ready; 'dmesg' may say why", .failure)
        }
        do throws(VHCIError) {
            let ready = try vhci.waitUntilReady(port, timeout: timeout)
            // The port may have been used again meanwhile.
            guard plugged.withLock({ $0[ObjectIdentifier(device)] }) == .some(.some(port)) else {
                throw VHCIError.disconnected(port)
            }
            device.place = Self.place(ready)
            return ready
        } catch {
            throw Failure("\(device.busID): \(Failure(error))", .failure)
        }
    }

    private static func place(_ device: PluggedDevice) -> [(String, JSON)] {
        [
            ("port", .number(Int(device.port.rawValue))), ("local", .string(device.busID)),
            ("nodes", .array(device.nodes.map { .string($0.path) })),
        ]
    }

    /// The kernel has let go of a device, or we have.
    private func unplugged(_ identity: ObjectIdentifier) {
        let isLast = plugged.withLock { plugged in
            guard let port = plugged.removeValue(forKey: identity) else { return false }
            if let port { server.logger.info("unplugged", metadata: ["port": "\(port)"]) }
            return plugged.isEmpty
        }
        guard isLast, !isEnding.load(ordering: .acquiring) else { return }
        hasEmptied.store(true, ordering: .releasing)
        onEmpty()
    }

    /// From now on devices go because this process ends.
    func end() { isEnding.store(true, ordering: .releasing) }

    /// Waits until the kernel has let go of every port, once the server has ended its connections.
    func waitUntilFree(_ ports: [PortNumber]) {
        var patience = 500
        while patience > 0 {
            guard let used = try? vhci.portsInUse(), used.contains(where: { ports.contains($0.number) }) else { return }
            pause(milliseconds: 10)
            patience -= 1
        }
        server.logger.warning("the kernel still has ports \(ports): a driver does not let go; 'dmesg' may say why")
    }

    /// The ports that have a device of this process.
    var ports: [PortNumber] { plugged.withLock { $0.values.compactMap(\.self) } }
}
