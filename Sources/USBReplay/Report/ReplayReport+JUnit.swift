import USBCore

extension ReplayReport {
    /// The report as a JUnit XML file: a test case for each endpoint, failed where something diverged, skipped where
    /// nothing was compared.
    ///
    /// The form is what continuous integration reads (Jenkins, GitLab, GitHub's reporters): `testsuites` with one
    /// `testsuite`. A divergence on an endpoint that was not counted gets a test case of its own.
    ///
    /// - Parameters:
    ///   - name: the suite's name, such as the capture's file name.
    ///   - requiresUse: whether a replay in which nothing was compared fails, by a test case for that.
    public func junit(name: String, requiresUse: Bool = false) -> String {
        Self.junit([(name, self)], requiresUse: requiresUse)
    }

    /// Several reports as one JUnit XML file, a suite for each: see ``junit(name:requiresUse:)``.
    public static func junit(_ suites: [(name: String, report: ReplayReport)], requiresUse: Bool = false) -> String {
        let all = suites.map { ($0.name, $0.report.cases(requiresUse: requiresUse), $0.report) }
        let counts = counts(all.flatMap { $0.1 })
        var xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"ghostplug replay\" \(counts)>\n"
        for (name, cases, report) in all {
            xml += "  <testsuite name=\"\(xmlText(name))\" \(Self.counts(cases))>\n"
            for testCase in cases { xml += testCase.xml(suite: name) }
            xml += "    <system-out>\(xmlText(report.text()))</system-out>\n  </testsuite>\n"
        }
        return xml + "</testsuites>\n"
    }

    private static func counts(_ cases: [TestCase]) -> String {
        let failures = cases.filter { $0.failure != nil }.count
        let skipped = cases.filter { $0.failure == nil && $0.skipped != nil }.count
        return "tests=\"\(cases.count)\" failures=\"\(failures)\" errors=\"0\" skipped=\"\(skipped)\""
    }

    private func cases(requiresUse: Bool) -> [TestCase] {
        var counted = endpoints
        for endpoint in divergedEndpoints where !counted.contains(where: { $0.endpoint == endpoint }) {
            counted.append(EndpointCounts(endpoint, endpoint.number == 0 ? .control : .bulk))
        }
        // With nothing to show, a file without test cases is taken for an error by some readers.
        if counted.isEmpty { counted = [EndpointCounts(.out(0), .control)] }
        var cases = counted.map { testCase($0) }
        if requiresUse, comparedNothing {
            let failure = TestCase.Failure(kind: "unused", message: "no host used it", body: "")
            cases.append(TestCase(name: "use", failure: failure))
        }
        return cases
    }

    private func testCase(_ counts: EndpointCounts) -> TestCase {
        let count = max(counts.diverged, divergenceCount(on: counts.endpoint))
        guard count > 0 else {
            return TestCase(name: counts.name, skipped: counts.matched == 0 ? "nothing was compared" : nil)
        }
        let mine = divergences.filter { $0.endpoint == counts.endpoint }
        let failure = TestCase.Failure(
            kind: mine.first?.kind.rawValue ?? "divergence",
            message: mine.first?.words ?? "\(count) more divergence\(count == 1 ? "" : "s"), not kept",
            body: mine.map { $0.text() }.joined())
        return TestCase(name: counts.name, failure: failure)
    }
}

/// A test case of a JUnit file.
private struct TestCase {
    struct Failure {
        var kind: String
        var message: String
        var body: String
    }

    var name: String
    var failure: Failure?
    /// Why it says nothing; nil when it does.
    var skipped: String?

    func xml(suite: String) -> String {
        let start = "    <testcase classname=\"\(xmlText(suite))\" name=\"\(xmlText(name))\""
        if let failure {
            return start
                + ">\n      <failure type=\"\(xmlText(failure.kind))\" message=\"\(xmlText(failure.message))\">"
                + "\(xmlText(failure.body))</failure>\n    </testcase>\n"
        }
        guard let skipped else { return start + "/>\n" }
        return start + ">\n      <skipped message=\"\(xmlText(skipped))\"/>\n    </testcase>\n"
    }
}

/// Text as it may stand in an XML 1.0 attribute or element (XML 1.0 §2.2, §2.4): what XML has no way to write is `?`.
private func xmlText(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "&": result += "&amp;"
        case "<": result += "&lt;"
        case ">": result += "&gt;"
        case "\"": result += "&quot;"
        case "'": result += "&apos;"
        case "\n", "\t": result.unicodeScalars.append(scalar)
        case _ where scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value): result += "?"
        // Not characters of XML, though they are of Unicode.
        case _ where scalar.value & 0xfffe == 0xfffe: result += "?"
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result
}
