import ArgumentParser
import CommandSupport
import DeviceControl
import DeviceModels
import Glibc
import Logging
import USBCore
import USBDeviceKit
import USBRecording

/// Records what happens to devices that run.
final class Recorder: Sendable {
    private let writer: CaptureWriter
    private let busIDs: Set<String>
    private let logger: Logger

    /// Begins to record; nil when nothing is to be recorded.
    ///
    /// - Throws: ``Failure`` when the file cannot be written.
    init?(_ settings: ServeSettings, logger: Logger) throws(Failure) {
        guard let path = settings.capture else {
            guard settings.captureDevices.isEmpty else {
                throw Failure("--capture-device goes with --capture FILE", .validationFailure)
            }
            return nil
        }
        try Self.checkOthers(than: path, settings.devices)
        busIDs = Set(settings.captureDevices)
        self.logger = logger
        do throws(RecordingError) {
            writer = try CaptureWriter(
                path: path, application: "ghostplug \(Ghostplug.configuration.version)", logger: logger)
        } catch {
            throw Failure("--capture: \(error)", .failure)
        }
    }

    /// Makes sure that no device's own file is overwritten, such as the capture that it replays.
    private static func checkOthers(than path: String, _ devices: [ServeSettings.Device]) throws(Failure) {
        guard let file = FileIdentity(path) else { return }
        for device in devices {
            for option in device.specification.options where FileIdentity(option.value) == file {
                throw Failure(
                    "--capture \(path): \(device.origin) uses this file; choose another name", .validationFailure)
            }
        }
    }

    /// Puts a tap around a device that is to be recorded.
    var decorator: DeviceDecorator {
        { device, made in
            guard self.busIDs.isEmpty || self.busIDs.contains(made.busID) else { return device }
            let identity = device.identity
            var recorded = RecordedDevice(name: identity.name)
            recorded.speed = identity.speed
            recorded.busID = made.busID
            recorded.vendorID = identity.vendorID
            recorded.productID = identity.productID
            recorded.model = "\(made.specification)"
            recorded.seed = UInt64(clamping: made.index)
            return CaptureTap(device, self.writer.register(recorded))
        }
    }

    /// Says which of the devices that are to be recorded do not exist.
    func check(_ existing: [String]) {
        for busID in busIDs.subtracting(existing).sorted() {
            logger.warning("--capture-device \(busID): there is no such device yet")
        }
    }

    /// Ends recording, and says what came of it.
    func end() -> CaptureTotals {
        let totals = writer.close()
        StandardError.write("\(totals.line)\n")
        return totals
    }
}

/// What a file is, whatever name it is reached by.
private struct FileIdentity: Equatable {
    let device: UInt
    let number: UInt

    /// Nil where there is no such file.
    init?(_ path: String) {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return nil }
        device = UInt(status.st_dev)
        number = UInt(status.st_ino)
    }
}
