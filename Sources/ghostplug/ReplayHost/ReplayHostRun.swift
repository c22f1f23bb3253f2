import ArgumentParser
import CaptureTraces
import CommandSupport
import SocketIO
import USBCapture
import USBIPClient
import USBReplay
import USBReplayHost

/// Replays one device of a capture to a device at a server.
struct ReplayHostRun {
    /// What is wanted.
    struct Settings {
        var capture: String
        var server: HostAndPort
        var busID: String
        var choice: DeviceChoice?
        /// The path of a file that tells the recorded device's descriptors.
        var descriptors: String?
        var replay = HostReplaySettings()
        /// Where the report goes as JUnit XML.
        var report: String?
        var isJSON = false
    }

    private let settings: Settings
    private let progress: ShowProgress

    init(_ settings: Settings, progress: ShowProgress = ShowProgress()) {
        self.settings = settings
        self.progress = progress
    }

    /// Replays, and prints the report.
    ///
    /// - Returns: whether everything was as recorded.
    func run() throws(Failure) -> Bool {
        defer { progress.clear() }
        if let path = settings.report { try WholeFile.checkWritable(path) }
        let trace = try read()
        let remote: RemoteDevice
        do throws(HostError) {
            remote = try RemoteDevice.attach(to: settings.server, busID: settings.busID)
        } catch {
            throw ImportFailure.words(error, server: settings.server, busID: settings.busID)
        }
        defer { remote.close() }
        let report = HostReplay(trace, remote: remote, settings.replay).run { [progress] state in
            let found = state.divergences > 0 ? ", \(state.divergences) divergences" : ""
            progress.show("replaying\(found)", Int64(state.done), of: Int64(state.total))
        }
        progress.clear()
        try WholeFile.printResult(settings.isJSON ? report.json() : String(report.text().dropLast()))
        if let path = settings.report {
            let file = name.split(separator: "/").last.map(String.init) ?? name
            try WholeFile.write(report.junit(name: file), to: path)
        }
        return report.passed
    }

    private var name: String { settings.capture == "-" ? "standard input" : settings.capture }

    private func read() throws(Failure) -> Trace {
        do throws(CaptureError) {
            let (trace, summary) = try TraceLoader.loadOne(
                path: settings.capture, choice: settings.choice, descriptors: settings.descriptors)
            if let trouble = summary.trouble {
                StandardError.write("ghostplug: \(name): \(trouble); what came before is replayed\n")
            }
            return trace
        } catch {
            let words = error.description
            let namesFile = settings.capture != "-" && words.contains(settings.capture)
            throw Failure(namesFile ? words : "\(name): \(words)", .failure)
        }
    }
}
