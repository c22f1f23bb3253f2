import ArgumentParser
import CommandSupport
import DeviceModels
import USBReplay

/// How the hosts of replayed devices did: said when they are unplugged, and in the exit status.
struct ReplayVerdicts {
    private let verdicts: [ReplayVerdict]
    private let reportPath: String?

    /// - Parameter reportPath: the file for the report as JUnit XML; nil for none.
    init(_ verdicts: [ReplayVerdict], reportPath: String?) {
        self.verdicts = verdicts
        self.reportPath = reportPath
    }

    /// Says them, and writes the report.
    ///
    /// - Returns: why the report could not be written; nil when it was.
    func write() -> String? {
        for verdict in verdicts { StandardError.write(verdict.text) }
        guard let reportPath else { return nil }
        do throws(Failure) {
            try WholeFile.write(ReplayVerdict.junit(verdicts), to: reportPath)
            return nil
        } catch {
            return "the report: \(error)"
        }
    }

    /// - Throws: ``Failure`` when a host did something otherwise, or when a report was asked for and there is nothing to
    ///   report: a test must not pass because nobody came.
    func check() throws(Failure) {
        let count = verdicts.reduce(0) { $0 + $1.report.divergenceCount }
        guard count == 0 else {
            let things = count == 1 ? "one thing" : "\(count) things"
            throw Failure("\(things) went otherwise than in the recording (above)", .failure)
        }
        guard reportPath != nil else { return }
        guard !verdicts.isEmpty else { throw Failure("--report: no device is a replay", .failure) }
        for verdict in verdicts where verdict.isUnused {
            throw Failure("--report: no host used \(verdict.name)", .failure)
        }
    }
}
