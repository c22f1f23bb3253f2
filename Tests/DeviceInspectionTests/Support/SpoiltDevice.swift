import DeviceInspection
import Testing
import USBCore

/// A lawful device in which one thing is spoilt, and the one issue that this makes.
struct SpoiltDevice: Sendable, CustomTestStringConvertible {
    var name: String
    var base: @Sendable () -> AnsweringDevice
    var severity: InspectionIssue.Severity
    var clause: String
    var path: String
    /// Words that the message must have.
    var words: String
    var spoil: @Sendable (inout AnsweringDevice) -> Void

    init(
        _ name: String, _ base: @escaping @Sendable @autoclosure () -> AnsweringDevice,
        _ severity: InspectionIssue.Severity, _ clause: String, at path: String, saying words: String,
        _ spoil: @escaping @Sendable (inout AnsweringDevice) -> Void
    ) {
        self.name = name
        self.base = base
        self.severity = severity
        self.clause = clause
        self.path = path
        self.words = words
        self.spoil = spoil
    }

    init(
        _ name: String, _ base: @escaping @Sendable @autoclosure () -> AnsweringDevice, _ clause: String,
        at path: String, saying words: String, _ spoil: @escaping @Sendable (inout AnsweringDevice) -> Void
    ) {
        self.init(name, base(), .error, clause, at: path, saying: words, spoil)
    }

    var testDescription: String { name }

    /// Expects the device to be without an issue before and to have exactly this one after.
    func check() {
        #expect(base().report.issues == [], "the device breaks laws already")
        var spoilt = base()
        spoil(&spoilt)
        let report = spoilt.report
        #expect(report.issues.count == 1, "\(report.issues)")
        guard let issue = report.issues.first else { return }
        #expect(issue.severity == severity, "\(issue)")
        #expect(issue.clause == clause, "\(issue)")
        #expect(issue.path == path, "\(issue)")
        #expect(issue.message.contains(words), "\(issue)")
        #expect(report.hasErrors == (severity == .error))
        #expect(report.text.contains("\(severity.rawValue): \(path)"))
    }
}

extension AnsweringDevice {
    /// Changes the bytes of a descriptor.
    mutating func edit(_ type: DescriptorType, _ index: UInt8 = 0, _ change: (inout [UInt8]) -> Void) {
        guard var bytes = self[type, index] else { return }
        change(&bytes)
        self[type, index] = bytes
    }

    /// Changes the keyboard's report descriptor, and makes the length right that the HID descriptor has.
    mutating func editReportDescriptor(_ change: (inout [UInt8]) -> Void) {
        guard var bytes = answers[LawfulDevices.reportDescriptor]?.bytes else { return }
        change(&bytes)
        answers[LawfulDevices.reportDescriptor] = .bytes(bytes)
        edit(.configuration) {
            $0[25] = UInt8(truncatingIfNeeded: bytes.count)
            $0[26] = UInt8(truncatingIfNeeded: bytes.count >> 8)
        }
    }

    /// Changes the first configuration, and makes its total length right again.
    mutating func editConfiguration(_ change: (inout [UInt8]) -> Void) {
        edit(.configuration) { bytes in
            change(&bytes)
            bytes[2] = UInt8(truncatingIfNeeded: bytes.count)
            bytes[3] = UInt8(truncatingIfNeeded: bytes.count >> 8)
        }
    }
}
