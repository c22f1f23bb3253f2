package import USBReplay

/// How a replay has gone, for whoever writes reports and decides the exit status.
package struct ReplayVerdict: Sendable {
    /// What names it among several: the capture's file name, unless something else does.
    package var name: String
    /// What was as recorded, and what was not.
    package let report: ReplayReport

    /// Makes a verdict.
    package init(name: String, report: ReplayReport) {
        self.name = name
        self.report = report
    }

    /// Whether the host did everything as recorded.
    package var hasPassed: Bool { report.passed }

    /// Whether no host did anything that could be compared: such a replay proves nothing.
    package var isUnused: Bool { report.comparedNothing }

    /// The report for people; lines end with a line feed.
    package var text: String { report.text() }

    /// Several verdicts as one JUnit XML file, a test suite for each; one that is unused fails.
    package static func junit(_ verdicts: [ReplayVerdict]) -> String {
        ReplayReport.junit(verdicts.map { ($0.name, $0.report) }, requiresUse: true)
    }
}
