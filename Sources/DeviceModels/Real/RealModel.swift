import CommandSupport
import Logging
import USBDeviceKit
import USBPassthrough

/// A real device of this machine.
enum RealModel: DeviceModel {
    static let name = "real"
    static let summary = "A real USB device of this machine, taken from its driver while a client has it."
    static let subject: String? = "device"

    static let keys = [
        ModelKey(
            "device", "VID:PID|VID:PID:SERIAL|BUS-PORT.PORT", default: "none: it has to be named",
            "which device; 'ghostplug devices' shows what there is. May be written without device="),
        ModelKey(
            "wait", "yes|no", default: "no", "whether to wait for a device that is not plugged in, instead of ending"),
        ModelKey(
            "reset", "yes|no", default: "yes",
            "whether hosts' resets reset the hardware, and the end of a client does, so that its driver finds it as new"
        ),
    ]

    static let examples: [(specification: String, meaning: String)] = [
        ("real:1d6b:0104", "the device with these ids, wherever it is plugged in"),
        ("real:0951:1666:60A44C3FAE22", "of several with the same ids, the one with this serial number"),
        ("real:3-1.2", "whatever is plugged in there: bus 3, port 1, port 2 of the hub on it"),
        ("real:3-1.2,wait", "offered as soon as something is"),
    ]

    static func make(_ options: ModelOptions, _ context: ModelContext) throws(ModelError) -> ModelDevice {
        guard let text = options.string("device") else {
            throw ModelError("real: which device? write real:VID:PID or real:BUS-PORT; 'ghostplug devices' shows them")
        }
        if options.string("pace") == "bus" {
            throw ModelError("pace=bus: a real device keeps time by itself", key: "pace")
        }
        var settings = RealDevice.Options()
        settings.mayBeAbsent = try options.bool("wait", default: false)
        settings.resets = try options.bool("reset", default: true)
        let events = context.events
        settings.onChange = { path in
            if let path { events.send("plugged-in", [("path", .string(path))]) } else { events.send("unplugged", []) }
        }
        let selector: DeviceSelector
        do throws(InventoryError) {
            selector = try DeviceSelector(parsing: text)
        } catch {
            throw ModelError("\(error)", key: "device")
        }
        let real: RealDevice
        do throws(RealDevice.Failure) {
            real = try RealDevice(selector, options: settings, logger: context.logger)
        } catch {
            throw error.isMistake ? ModelError("\(error)", key: "device") : ModelError(unavailable: "\(error)")
        }
        var made = ModelDevice(
            device: real.device, backing: real.path.map { "real device \($0)" } ?? "waits for \(selector)",
            onRelease: { real.release() },
            close: {
                real.close()
                return nil
            })
        made.onImport = { () throws(ImportRefusal) in try real.open() }
        made.isHardware = true
        return made
    }
}
