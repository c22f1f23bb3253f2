import ArgumentParser
import CommandSupport
import Logging
import SocketIO
import USBIPProxy
import USBRecording

/// One run of `ghostplug proxy`: listen, pass on, wait for a signal, end in order.
struct ProxyRun {
    struct Settings {
        var upstream: HostAndPort
        var listen: [HostAndPort] = []
        var capture: String?
        var logLevel = Logger.Level.info
        var logFormat = LogFormat.text

        init(upstream: HostAndPort) { self.upstream = upstream }
    }

    private let settings: Settings
    private let logger: Logger

    init(_ settings: Settings) {
        self.settings = settings
        let (format, level) = (settings.logFormat, settings.logLevel)
        logger = Logger(label: "ghostplug") { _ in LineLogHandler(format: format, level: level) }
    }

    /// - Throws: ``Failure`` when an address is taken, or the capture cannot be written.
    func run() throws(Failure) {
        let writer = try openCapture()
        let signals = SignalWaiter()
        let proxy = USBIPProxy(upstream: settings.upstream, listen: settings.listen, writer: writer, logger: logger)
        let addresses: [SocketAddress]
        do throws(SocketError) {
            addresses = try proxy.start()
        } catch {
            _ = writer?.close()
            let isTaken = "\(error)".hasPrefix("cannot listen")
            let usual = isTaken && settings.listen.contains { $0.port == HostAndPort.usbipPort }
            throw Failure("\(error)" + (usual ? "; on this machine the server itself may have it" : ""), .unavailable)
        }
        // Not before: a start that fails leaves an older capture as it is.
        do throws(RecordingError) {
            try writer?.start()
        } catch {
            proxy.stop()
            _ = writer?.close()
            throw Failure("--capture: \(error)", .failure)
        }
        for address in addresses { StandardOutput.print("listening on \(address)") }
        if addresses.contains(where: { !$0.isLoopback }) {
            logger.warning("every machine that reaches this one can use the server \(settings.upstream)")
        }
        signals.wait()
        logger.info("ending: disconnecting clients")
        if !proxy.stop() { logger.warning("a client's connection did not end") }
        guard let totals = writer?.close() else { return }
        StandardError.write("\(totals.line)\n")
        if let failure = totals.failure { throw Failure("the capture ends early: \(failure)", .dataLoss) }
    }

    private func openCapture() throws(Failure) -> CaptureWriter? {
        guard let path = settings.capture else { return nil }
        do throws(RecordingError) {
            return try CaptureWriter(
                path: path, application: "ghostplug \(Ghostplug.configuration.version)",
                comment: "passed between clients and \(settings.upstream)", isHeld: true, logger: logger)
        } catch {
            throw Failure("--capture: \(error)", .failure)
        }
    }
}
