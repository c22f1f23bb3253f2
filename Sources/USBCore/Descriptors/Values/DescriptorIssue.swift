/// One place where a description departs from the specification.
public struct DescriptorIssue: Hashable, Sendable {
    /// How much a departure matters.
    public enum Severity: Hashable, Sendable {
        /// The specification forbids it, and hosts may refuse the device.
        case error
        /// Hosts take it, but it is unwise or rarely meant.
        case warning
    }

    /// How much it matters.
    public var severity: Severity
    /// The law that is broken, such as `USB 2.0 §9.6.6`.
    public var section: String
    /// Where it is, such as `configuration 1, interface 0 alternate 0, EP 1 IN`.
    public var path: String
    /// What is wrong and what is allowed.
    public var message: String

    /// Makes an issue from its four parts.
    public init(severity: Severity, section: String, path: String, message: String) {
        self.severity = severity
        self.section = section
        self.path = path
        self.message = message
    }
}

extension DescriptorIssue: CustomStringConvertible {
    /// The issue on one line, such as `error: device: idVendor is 0 (USB 2.0 §9.6.1)`.
    public var description: String {
        "\(severity == .error ? "error" : "warning"): \(path): \(message) (\(section))"
    }
}

/// Why descriptors were refused.
public enum DescriptorError: Error, Hashable, Sendable {
    /// Bytes are not descriptors: the offset of the byte that says so, from the start of what was parsed.
    case malformed(offset: Int, reason: String)
    /// A description breaks the specification: the errors among its issues, at least one.
    case refused([DescriptorIssue])
}

extension DescriptorError: CustomStringConvertible {
    /// What is wrong, one line for each issue.
    public var description: String {
        switch self {
        case .malformed(let offset, let reason):
            "Malformed descriptors at byte \(offset): \(reason)."
        case .refused(let issues):
            "The description breaks the specification in \(issues.count) \(issues.count == 1 ? "place" : "places"):\n"
                + issues.map { "  \($0)" }.joined(separator: "\n")
        }
    }
}
