import CommandSupport
import DeviceControl
import DeviceModels
import Glibc
import Logging
import SocketIO
import USBIPServer
import VHCI

/// One run of `ghostplug plug`: make the devices, plug them in, wait for a signal, unplug, end in order.
struct PlugRun {
    struct Options {
        /// Whether to wait until drivers are bound and nodes exist; how long.
        var patience: Duration?
        var isJSON = false
        /// Whether whoever started this goes on once the devices are ready, and what is said from then on.
        var background: BackgroundLog?
        var explains = false
    }

    enum BackgroundLog {
        case log(String?)
    }

    private let serving: Serving
    private let plugger: Plugger
    private let options: Options

    init(_ settings: ServeSettings, _ options: Options) {
        var settings = settings
        // Nothing to be reached from outside.
        settings.server.listen = []
        let server = settings.makeServer()
        let plugger = Plugger(server) { SignalWaiter.endProcess() }
        let patience = options.patience
        serving = Serving(settings, server) { device throws(ModelError) in
            do throws(Failure) {
                try plugger.plug(device)
                if let patience { _ = try plugger.ready(device, timeout: patience) }
            } catch {
                throw ModelError(unavailable: error.description)
            }
        }
        self.plugger = plugger
        self.options = options
    }

    func run() throws(Failure) {
        if options.background != nil { Background.leaveTerminal() }
        let signals = SignalWaiter()
        try plugger.prepare()
        _ = try serving.begin()
        defer { if options.explains { StandardOutput.print(Explanation.text(for: serving.devices.all)) } }
        do throws(Failure) {
            try plugAll()
        } catch {
            try? end()
            throw error
        }
        if case .log(let path) = options.background { try Background.letGo(log: path) }
        signals.wait()
        try end()
    }

    private func plugAll() throws(Failure) {
        let devices = serving.devices.all
        for device in devices { try plugger.plug(device) }
        var objects: [JSON] = []
        for device in devices {
            if let patience = options.patience {
                let ready = try plugger.ready(device, timeout: patience)
                guard !options.isJSON else {
                    objects.append(device.json)
                    continue
                }
                StandardOutput.print(device.line)
                for node in ready.nodes { StandardOutput.print("     \(node.path)  \(node.kind.rawValue)") }
            } else if options.isJSON {
                objects.append(device.json)
            } else {
                StandardOutput.print(device.line)
            }
        }
        if options.isJSON {
            StandardOutput.print(JSON.array(objects).text)
            return
        }
        if let path = serving.controlPath { StandardOutput.print("control: \(path)") }
        StandardOutput.print(
            options.background != nil
                ? "plugged in; 'ghostplug unplug' removes \(devices.count == 1 ? "it" : "them")"
                : "plugged in; Ctrl-C or 'ghostplug unplug' removes \(devices.count == 1 ? "it" : "them")")
    }

    private func end() throws(Failure) {
        plugger.end()
        let ports = plugger.ports
        defer { plugger.waitUntilFree(ports) }
        try serving.end()
    }
}
