import USBCore

extension ReplayReport {
    /// The report as a JUnit XML file: a test case for each endpoint, failed where something diverged.
    ///
    /// The form is what continuous integration reads (Jenkins, GitLab, GitHub's reporters): `testsuites` with one
    /// `testsuite`. A divergence on an endpoint that was not counted gets a test case of its own.
    ///
    /// - Parameter name: the suite's name, such as the capture's file name.
    public func junit(name: String) -> String { Self.junit([(name, self)]) }

    /// Several reports as one JUnit XML file, a suite for each: see ``junit(name:)``.
    public static func junit(_ suites: [(name: String, report: ReplayReport)]) -> String {
        let cases = suites.map { $0.report.cases }
        let tests = cases.reduce(0) { $0 + $1.count }
        let failing = zip(suites, cases).reduce(0) { sum, suite in
            sum + suite.1.filter { suite.0.report.fails($0) }.count
        }
        var xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        xml += "<testsuites name=\"ghostplug replay\" tests=\"\(tests)\" failures=\"\(failing)\" errors=\"0\">\n"
        for suite in suites { xml += suite.report.suite(suite.name) }
        return xml + "</testsuites>\n"
    }

    private var cases: [EndpointCounts] {
        var cases = endpoints
        for divergence in divergences where !cases.contains(where: { $0.endpoint == divergence.endpoint }) {
            cases.append(EndpointCounts(divergence.endpoint, divergence.endpoint.number == 0 ? .control : .bulk))
        }
        // With nothing to show, a file without test cases is taken for an error by some readers.
        return cases.isEmpty ? [EndpointCounts(.out(0), .control)] : cases
    }

    private func suite(_ name: String) -> String {
        let cases = cases
        let failing = cases.filter { fails($0) }.count
        var xml = "  <testsuite name=\"\(xmlText(name))\" tests=\"\(cases.count)\" failures=\"\(failing)\""
        xml += " errors=\"0\" skipped=\"0\">\n"
        for counts in cases { xml += testCase(counts, suite: name) }
        xml += "    <system-out>\(xmlText(text()))</system-out>\n"
        return xml + "  </testsuite>\n"
    }

    private func fails(_ counts: EndpointCounts) -> Bool {
        counts.diverged > 0 || divergences.contains { $0.endpoint == counts.endpoint }
    }

    private func testCase(_ counts: EndpointCounts, suite: String) -> String {
        let start = "    <testcase classname=\"\(xmlText(suite))\" name=\"\(xmlText(counts.name))\""
        guard fails(counts) else { return start + "/>\n" }
        let mine = divergences.filter { $0.endpoint == counts.endpoint }
        let message = mine.first?.words ?? "\(counts.diverged) transfers diverged after the first \(divergences.count)"
        let kind = mine.first?.kind.rawValue ?? "divergence"
        let body = mine.map { $0.text() }.joined()
        return start + ">\n      <failure type=\"\(xmlText(kind))\" message=\"\(xmlText(message))\">\(xmlText(body))"
            + "</failure>\n    </testcase>\n"
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
