import ArgumentParser
import CommandSupport
import DeviceControl
import DeviceModels
import SocketIO
import Synchronization
import USBIPServer
import VHCI

/// One run of `ghostplug plug`: make the devices, plug them in, wait for a signal, unplug, end in order.
final class PlugRun: Sendable {
    struct Options: Sendable {
        /// Whether to wait until drivers are bound and nodes exist; how long for all of it.
        var patience: Duration?
        var isJSON = false
        /// Where to go on once the devices are ready, when whoever started this does not wait for the end.
        var background: Background?
        var explains = false
    }

    private let serving: Serving
    private let plugger: Plugger
    private let options: Options
    private let isInterrupted = Atomic(false)
    private let isReady = Atomic(false)
    private let signalled = Semaphore()

    init(_ settings: ServeSettings, _ options: Options) throws(Failure) {
        var settings = settings
        // Nothing to be reached from outside.
        settings.server.listen = []
        let server = settings.makeServer()
        let plugger = Plugger(server) { SignalWaiter.endProcess() }
        let patience = options.patience
        serving = try Serving(settings, server) { device throws(ModelError) in
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
        let signals = SignalWaiter()
        try plugger.prepare()
        _ = try serving.begin()
        try watch(signals)
        defer { if options.explains { StandardOutput.print(Explanation.text(for: serving.devices.all)) } }
        do throws(Failure) {
            try plugAll()
            isReady.store(true, ordering: .releasing)
            options.background?.letGo()
        } catch {
            try end(after: error)
        }
        signalled.wait()
        try end()
    }

    /// Lets a signal end the waiting for devices, too.
    private func watch(_ signals: SignalWaiter) throws(Failure) {
        do throws(SocketError) {
            try startThread("signals") { [self] in
                signals.wait()
                isInterrupted.store(true, ordering: .releasing)
                plugger.end()
                if !isReady.load(ordering: .acquiring) {
                    // What is waited for has gone then.
                    for device in serving.devices.all { serving.server.disconnect(device.export) }
                }
                signalled.signal()
            }
        } catch {
            throw Failure("\(error)", .unavailable)
        }
    }

    private func plugAll() throws(Failure) {
        let devices = serving.first
        for device in devices { try plugger.plug(device) }
        let deadline = options.patience.map { ContinuousClock.now.advanced(by: $0) }
        for device in devices {
            var nodes: [String] = []
            if let deadline {
                let left = max(.milliseconds(1), deadline - .now)
                nodes = try plugger.ready(device, timeout: left).nodes.map { "     \($0.path)  \($0.kind.rawValue)" }
            }
            if !options.isJSON { StandardOutput.print(([device.line] + nodes).joined(separator: "\n")) }
        }
        guard !options.isJSON else {
            StandardOutput.print(JSON.array(devices.map(\.json)).text)
            return
        }
        if let path = serving.controlPath { StandardOutput.print("control: \(path)") }
        let them = devices.count == 1 ? "it" : "them"
        let how = options.background == nil ? "Ctrl-C or 'ghostplug unplug'" : "'ghostplug unplug'"
        StandardOutput.print("plugged in; \(how) removes \(them)")
    }

    private func end() throws(Failure) {
        plugger.end()
        let ports = plugger.ports
        try serving.end { [plugger] in plugger.waitUntilFree(ports) }
    }

    /// Ends because not everything could be plugged in.
    private func end(after failure: Failure) throws(Failure) -> Never {
        // A device that has gone by itself makes this process send itself a signal, too.
        let isSignal = isInterrupted.load(ordering: .acquiring) && !plugger.hasEmptied.load(ordering: .acquiring)
        let reason =
            isSignal
            ? Failure("ended by a signal before everything was ready; unplugged again", .failure) : failure
        do throws(Failure) {
            try end()
        } catch {
            throw Failure("\(reason); \(error)", error.code)
        }
        throw reason
    }
}
