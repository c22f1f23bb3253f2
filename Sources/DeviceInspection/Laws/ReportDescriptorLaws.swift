import HIDReports
import USBCore

/// What a HID report descriptor breaks (HID 1.11 §6.2.2), and what hosts do not take.
enum ReportDescriptorLaws {
    /// The most issues of one descriptor: a hostile one has as many as it has bytes.
    static let issueLimit = 32

    /// Checks a report descriptor.
    ///
    /// - Parameters:
    ///   - path: where the HID descriptor is that names it.
    static func check(_ bytes: [UInt8], at path: String, _ issues: inout IssueList) {
        let found = ReportDescriptor(bytes: bytes).issues
        for issue in found.prefix(issueLimit) {
            report(issue.severity, path, "report descriptor, byte \(issue.offset): \(issue.message)", issue, &issues)
        }
        // What is left out must not make a device look lawful.
        let rest = found.dropFirst(issueLimit)
        if let worst = rest.first(where: { $0.severity == .error }) ?? rest.first {
            report(
                worst.severity, path,
                "report descriptor: \(rest.count) more, the first at byte \(worst.offset): \(worst.message)", worst,
                &issues)
        }
    }

    private static func report(
        _ severity: ReportDescriptorIssue.Severity, _ path: String, _ message: String, _ issue: ReportDescriptorIssue,
        _ issues: inout IssueList
    ) {
        switch severity {
        case .error: issues.error(path, message, issue.section)
        case .warning: issues.warning(path, message, issue.section)
        }
    }
}
