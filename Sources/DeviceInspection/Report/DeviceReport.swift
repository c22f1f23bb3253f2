import CommandSupport
import USBCore

/// What a device says of itself, and in what it departs from the specification.
package struct DeviceReport: Sendable {
    /// What is wrong, in the order of the descriptors; errors, warnings and notices as they come.
    package let issues: [InspectionIssue]
    private let raw: RawDevice
    private let tree: DescriptorTree

    /// Judges what a device answered.
    package init(_ raw: RawDevice) {
        self.raw = raw
        let tree = DescriptorTree(raw)
        self.tree = tree
        var issues = IssueList(speed: tree.speed)
        RecordLaws.check(raw, &issues)
        AnswerLaws.check(raw, tree.speed, &issues)
        let repair = Repair(raw, at: tree.speed)
        if let description = repair.description { issues.append(description.validate(unknown: repair.unknown)) }
        ClassLaws.check(raw, &issues)
        StringLaws.check(raw, tree.stringReferences, &issues)
        self.issues = issues.issues
    }

    /// Whether the device does something that a specification forbids.
    package var hasErrors: Bool { issues.contains { $0.severity == .error } }

    /// Everything as text, in the manner of `lsusb -v`, the issues last; it ends with a line feed.
    ///
    /// Nothing in it can move a terminal's cursor, whatever the device's strings have in them.
    package var text: String { TextReport(raw, tree, issues).text }

    /// Everything as one JSON object in one line: `import`, `device`, `configurations`, `bos`, `qualifier`,
    /// `otherSpeedConfigurations`, `languages`, `strings`, `selectedConfiguration`, `status` and `issues`.
    ///
    /// Characters that could harm a terminal are there as escapes.
    package var json: String {
        var text = ""
        for scalar in JSONReport(raw, tree, issues).json.text.unicodeScalars {
            if PrintableText.isHarmless(scalar) {
                text.unicodeScalars.append(scalar)
            } else {
                // Outside strings a JSON text has nothing but harmless characters.
                for unit in String(scalar).utf16 { text += "\\u" + digits(unit, 4) }
            }
        }
        return text
    }
}
