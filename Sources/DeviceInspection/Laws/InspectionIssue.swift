import USBCore

/// One place where a device departs from the specification, or from what hosts expect.
package struct InspectionIssue: Hashable, Sendable {
    /// How much it matters.
    package enum Severity: String, Sendable {
        /// The specification forbids it.
        case error
        /// The specification allows it, but hosts trip over it, or it is unwise.
        case warning
        /// It is worth knowing.
        case notice
    }

    /// How much it matters.
    package var severity: Severity
    /// Where it is, such as `configuration 1, interface 0 alternate 0, EP 1 IN`.
    package var path: String
    /// What was found and what is required.
    package var message: String
    /// The law, such as `USB 2.0 §9.6.6`.
    package var clause: String

    /// Makes an issue.
    package init(_ severity: Severity, _ path: String, _ message: String, _ clause: String) {
        self.severity = severity
        self.path = path
        self.message = message
        self.clause = clause
    }

    init(_ issue: DescriptorIssue) {
        self.init(issue.severity == .error ? .error : .warning, issue.path, issue.message, issue.section)
    }
}

/// Collects issues; each law adds those that it finds.
struct IssueList {
    private(set) var issues: [InspectionIssue] = []
    /// The specification that holds: USB 3.2 from SuperSpeed on.
    let specification: String

    init(speed: Speed) { specification = speed.isSuperSpeed ? "USB 3.2" : "USB 2.0" }

    mutating func error(_ path: String, _ message: String, _ clause: String) {
        issues.append(InspectionIssue(.error, path, message, clause))
    }

    mutating func warning(_ path: String, _ message: String, _ clause: String) {
        issues.append(InspectionIssue(.warning, path, message, clause))
    }

    mutating func notice(_ path: String, _ message: String, _ clause: String) {
        issues.append(InspectionIssue(.notice, path, message, clause))
    }

    mutating func append(_ more: [DescriptorIssue]) { issues += more.map { InspectionIssue($0) } }

    /// A clause that has one number in both specifications.
    func clause(_ number: String) -> String { "\(specification) §\(number)" }
}
