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

    /// Gets ready to record, and leaves the file as it is until ``start()``; nil when nothing is to be recorded.
    ///
    /// - Throws: ``Failure`` when the file cannot be written.
    init?(_ settings: ServeSettings, logger: Logger) throws(Failure) {
        guard let path = settings.capture else {
            guard settings.captureDevices.isEmpty else {
                throw Failure("--capture-device goes with --capture FILE", .validationFailure)
            }
            return nil
        }
        try Self.checkOthers(than: path, settings)
        busIDs = Set(settings.captureDevices)
        self.logger = logger
        do throws(RecordingError) {
            writer = try CaptureWriter(
                path: path, application: "ghostplug \(Ghostplug.configuration.version)", isHeld: true,
                logger: logger)
        } catch {
            throw Failure("--capture: \(error)", .failure)
        }
    }

    /// Begins to write the file, which loses an older capture: once nothing else can fail.
    ///
    /// - Throws: ``Failure`` when it cannot be written.
    func start() throws(Failure) {
        do throws(RecordingError) {
            try writer.start()
        } catch {
            throw Failure("--capture: \(error)", .failure)
        }
    }

    /// Makes sure that nothing else of ours is the same file: no device's own, such as the capture that it replays, and
    /// not the report, which would overwrite the capture.
    private static func checkOthers(than path: String, _ settings: ServeSettings) throws(Failure) {
        if let report = settings.report, FileIdentity.areSame(path, report) {
            throw Failure("--capture and --report name the same file, \(path); choose another name", .validationFailure)
        }
        guard let file = FileIdentity(path) else { return }
        for device in settings.devices {
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

    /// Whether two names mean one file, also when it does not exist yet.
    static func areSame(_ first: String, _ second: String) -> Bool {
        if first == second { return true }
        if let file = FileIdentity(first) { return file == FileIdentity(second) }
        let (one, other) = (split(first), split(second))
        guard one.name == other.name, let folder = FileIdentity(one.folder) else { return false }
        return FileIdentity(other.folder) == folder
    }

    private static func split(_ path: String) -> (folder: String, name: Substring) {
        guard let slash = path.lastIndex(of: "/") else { return (".", path[...]) }
        return ("\(path[...slash])", path[path.index(after: slash)...])
    }
}
