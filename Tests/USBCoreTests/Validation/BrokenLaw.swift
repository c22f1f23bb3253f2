import Testing
import USBCore

/// A lawful description in which one thing is changed, and the one issue that this makes.
struct BrokenLaw: Sendable, CustomTestStringConvertible {
    var name: String
    var base: DeviceDescription
    var severity: DescriptorIssue.Severity
    var section: String
    var path: String
    /// Words that the message must have, so that it says what is wrong.
    var words: String
    var change: @Sendable (inout DeviceDescription) -> Void

    init(
        _ name: String, _ base: DeviceDescription, _ severity: DescriptorIssue.Severity, _ section: String,
        at path: String, saying words: String, _ change: @escaping @Sendable (inout DeviceDescription) -> Void
    ) {
        self.name = name
        self.base = base
        self.severity = severity
        self.section = section
        self.path = path
        self.words = words
        self.change = change
    }

    init(
        _ name: String, _ base: DeviceDescription, _ section: String, at path: String, saying words: String,
        _ change: @escaping @Sendable (inout DeviceDescription) -> Void
    ) {
        self.init(name, base, .error, section, at: path, saying: words, change)
    }

    var testDescription: String { name }

    /// Expects the description to be lawful before the change and to have exactly this issue after it.
    func check(sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(base.validate().isEmpty, "the description breaks laws already", sourceLocation: sourceLocation)
        var broken = base
        change(&broken)
        let issues = broken.validate()
        #expect(issues.count == 1, "\(issues)", sourceLocation: sourceLocation)
        guard let issue = issues.first else { return }
        #expect(issue.severity == severity, "\(issue)", sourceLocation: sourceLocation)
        #expect(issue.section == section, "\(issue)", sourceLocation: sourceLocation)
        #expect(issue.path == path, "\(issue)", sourceLocation: sourceLocation)
        #expect(issue.message.contains(words), "\(issue)", sourceLocation: sourceLocation)
    }
}
