import HIDReports
import Testing

/// Bytes that break one law and no other.
struct BrokenDescriptor: CustomTestStringConvertible, Sendable {
    var name: String
    var law: ReportDescriptorLaw
    var severity: ReportDescriptorIssue.Severity
    /// True where the descriptor cannot be read, or Linux refuses it.
    var isRefused: Bool
    var offset: Int
    var words: String
    var bytes: [UInt8]

    init(
        _ law: ReportDescriptorLaw, _ name: String, _ severity: ReportDescriptorIssue.Severity = .error,
        refused: Bool = false, at offset: Int, saying words: String, _ hex: String
    ) {
        self.law = law
        self.name = name
        self.severity = severity
        isRefused = refused
        self.offset = offset
        self.words = words
        bytes = hexBytes(hex)
    }

    var testDescription: String { "\(law): \(name)" }
}

/// An application collection opens: 6 bytes.
private let opening = "05 01 09 04 A1 01"
/// One axis of eight bits without its usage: 10 bytes, the Input item at 8.
private let axis = "15 81 25 7F 75 08 95 01 81 02"

@Suite struct LawTests {
    @Test(arguments: Golden.lawful) func goodDescriptorsBreakNone(_ golden: Golden) {
        #expect(golden.descriptor.issues == [])
    }

    @Test(
        "what real devices break is a warning",
        arguments: [(Golden.holtekMediaKeys, []), (.holtekKeyboard, [.usageCount]), (.powerMeter, [.ambiguousMaximum])]
            as [(Golden, [ReportDescriptorLaw])])
    func realDevices(_ golden: Golden, _ laws: [ReportDescriptorLaw]) {
        #expect(golden.descriptor.issues.map(\.law) == laws)
        #expect(golden.descriptor.issues.allSatisfy { $0.severity == .warning })
    }

    @Test func aDescriptorThatIsWhollyLawfulIsTheBasisOfTheBrokenOnes() {
        #expect(ReportDescriptor(bytes: hexBytes("\(opening) 09 30 \(axis) C0")).issues == [])
    }

    @Test(arguments: cases) func isFoundAloneAndInItsPlace(_ broken: BrokenDescriptor) {
        let descriptor = ReportDescriptor(bytes: broken.bytes)
        #expect(!broken.bytes.isEmpty)
        let issues = descriptor.issues
        #expect(issues.map(\.law) == [broken.law], "\(issues)")
        #expect(issues.first?.severity == broken.severity)
        #expect(issues.first?.offset == broken.offset)
        #expect(issues.first?.message.contains(broken.words) == true, "\(issues)")
        if broken.isRefused {
            let error = #expect(throws: ReportDescriptorError.self) { try descriptor.layout() }
            #expect(error?.issue == issues.first)
        } else {
            #expect(throws: Never.self) { try descriptor.layout() }
        }
    }

    @Test func everyLawHasABrokenDescriptor() {
        #expect(Set(Self.cases.map(\.law)) == Set(ReportDescriptorLaw.allCases))
    }

    @Test func issuesStandInTheOrderOfTheBytes() {
        let issues = ReportDescriptor(bytes: hexBytes("\(opening) 35 05 45 01 15 81 25 7F 75 08 95 01 81 02 09 30 C0"))
            .issues
        #expect(issues.map(\.law) == [.physicalRange, .missingUsage, .unusedLocals])
        #expect(issues[2].description.hasPrefix("warning: byte 20: a local item"))
        #expect(issues[2].description.hasSuffix("(HID 1.11 §6.2.2.8)"))
    }

    static let cases: [BrokenDescriptor] = structure + usages + values + reports

    private static let structure: [BrokenDescriptor] = [
        BrokenDescriptor(
            .truncatedItem, "two bytes of data announced, one there", refused: true, at: 19, saying: "2 bytes into",
            "\(opening) 09 30 \(axis) C0 26 FF"),
        BrokenDescriptor(
            .truncatedItem, "a long item without its length", refused: true, at: 19, saying: "1 bytes into",
            "\(opening) 09 30 \(axis) C0 FE"),
        BrokenDescriptor(
            .descriptorLength, "4097 bytes", refused: true, at: 4096, saying: "4096 at most",
            "\(opening) 09 30 \(axis) C0" + String(repeating: " 75 08", count: 2039)),
        BrokenDescriptor(
            .collectionBalance, "one left open", refused: true, at: 18, saying: "open at the end",
            "\(opening) 09 30 \(axis)"),
        BrokenDescriptor(
            .collectionBalance, "one closed twice", refused: true, at: 19, saying: "where none is open",
            "\(opening) 09 30 \(axis) C0 C0"),
        BrokenDescriptor(
            .collectionUsage, "an application of no use", at: 2, saying: "without a usage",
            "05 01 A1 01 09 30 \(axis) C0"),
        BrokenDescriptor(
            .collectionUsage, "a physical collection of no use", .warning, at: 6, saying: "without a usage",
            "\(opening) A1 00 09 30 \(axis) C0 C0"),
        BrokenDescriptor(
            .outsideApplication, "in a physical collection alone", at: 16, saying: "outside of every",
            "05 01 09 04 A1 00 09 30 \(axis) C0"),
        BrokenDescriptor(
            .reservedItem, "a main item", at: 18, saying: "item D0", "\(opening) 09 30 \(axis) D0 C0"),
        BrokenDescriptor(
            .reservedItem, "a global item", at: 18, saying: "item C4", "\(opening) 09 30 \(axis) C4 C0"),
        BrokenDescriptor(
            .reservedItem, "a local item", at: 18, saying: "item 68", "\(opening) 09 30 \(axis) 68 C0"),
        BrokenDescriptor(
            .reservedItem, "a type", at: 18, saying: "item 0D", "\(opening) 09 30 \(axis) 0D 01 C0"),
        BrokenDescriptor(
            .longItem, "of two bytes", at: 18, saying: "long item", "\(opening) 09 30 \(axis) FE 02 F0 C0 C0 C0"),
        BrokenDescriptor(
            .globalStack, "a Pop too many", refused: true, at: 18, saying: "nothing was pushed",
            "\(opening) 09 30 \(axis) B4 C0"),
        BrokenDescriptor(
            .globalStack, "five Pushes", refused: true, at: 22, saying: "hosts keep 4",
            "\(opening) 09 30 \(axis) A4 A4 A4 A4 A4 C0"),
    ]

    private static let usages: [BrokenDescriptor] = [
        BrokenDescriptor(
            .missingUsage, "of a variable field", at: 14, saying: "take for padding", "\(opening) \(axis) C0"),
        BrokenDescriptor(
            .missingUsage, "of an array", at: 14, saying: "take for padding",
            "\(opening) 15 00 25 7F 75 08 95 01 81 00 C0"),
        BrokenDescriptor(
            .usageCount, "two for three", .warning, at: 18, saying: "2 usages for 3 values",
            "\(opening) 09 30 09 31 15 81 25 7F 75 08 95 03 81 02 C0"),
        BrokenDescriptor(
            .usageCount, "two for one", .warning, at: 18, saying: "2 usages for 1 values",
            "\(opening) 09 30 09 31 \(axis) C0"),
        BrokenDescriptor(
            .usageCount, "an array with more values", .warning, at: 18, saying: "4 logical values and 3 usages",
            "\(opening) 19 90 29 92 15 00 25 03 75 08 95 01 81 00 C0"),
        BrokenDescriptor(
            .usageRange, "the last before the first", at: 8, saying: "the lower first",
            "\(opening) 09 30 19 32 29 31 \(axis) C0"),
        BrokenDescriptor(
            .usageRange, "ends on two pages", at: 8, saying: "on one page",
            "\(opening) 09 30 1B 01 00 01 00 2B 02 00 02 00 \(axis) C0"),
        BrokenDescriptor(
            .usageRange, "no last", at: 8, saying: "come in pairs", "\(opening) 09 30 19 31 \(axis) C0"),
        BrokenDescriptor(
            .usageRange, "no first", at: 8, saying: "come in pairs", "\(opening) 09 30 29 31 \(axis) C0"),
        BrokenDescriptor(
            .unusedLocals, "before a collection's end", .warning, at: 18, saying: "no main item uses",
            "\(opening) 09 30 \(axis) 09 31 C0"),
        BrokenDescriptor(
            .unusedLocals, "at the descriptor's end", .warning, at: 19, saying: "no main item uses",
            "\(opening) 09 30 \(axis) C0 09 31"),
        BrokenDescriptor(
            .delimiter, "one in another", refused: true, at: 8, saying: "where one is open",
            "\(opening) A9 01 A9 01 09 30 A9 00 \(axis) C0"),
        BrokenDescriptor(
            .delimiter, "closed where none is open", refused: true, at: 6, saying: "where one is not open",
            "\(opening) A9 00 09 30 \(axis) C0"),
        BrokenDescriptor(
            .delimiter, "open at a main item", at: 18, saying: "where a delimiter is open",
            "\(opening) A9 01 09 30 \(axis) C0"),
    ]

    private static let values: [BrokenDescriptor] = [
        BrokenDescriptor(
            .missingGlobal, "no usage page", at: 17, saying: "Usage Page stands before",
            "0B 04 00 01 00 A1 01 09 30 \(axis) C0"),
        BrokenDescriptor(
            .missingGlobal, "no logical minimum", at: 14, saying: "Logical Minimum",
            "\(opening) 09 30 25 7F 75 08 95 01 81 02 C0"),
        BrokenDescriptor(
            .missingGlobal, "no logical maximum", at: 14, saying: "Logical Maximum",
            "\(opening) 09 30 15 81 75 08 95 01 81 02 C0"),
        BrokenDescriptor(
            .missingGlobal, "no size", at: 14, saying: "Report Size", "\(opening) 09 30 15 81 25 7F 95 01 81 02 C0"),
        BrokenDescriptor(
            .missingGlobal, "no count", at: 14, saying: "Report Count", "\(opening) 09 30 15 81 25 7F 75 08 81 02 C0"),
        BrokenDescriptor(
            .logicalRange, "5 to 1", refused: true, at: 16, saying: "5 to 1",
            "\(opening) 09 30 15 05 25 01 75 08 95 01 81 02 C0"),
        BrokenDescriptor(
            .logicalSize, "-127 to 127 in seven bits", at: 16, saying: "which hold -64 to 63",
            "\(opening) 09 30 15 81 25 7F 75 07 95 01 81 02 75 01 81 01 C0"),
        BrokenDescriptor(
            .logicalSize, "0 to 256 in eight bits", at: 17, saying: "which hold 0 to 255",
            "\(opening) 09 30 15 00 26 00 01 75 08 95 01 81 02 C0"),
        BrokenDescriptor(
            .ambiguousMaximum, "FF over 0", .warning, at: 10, saying: "255 to some hosts and -1 to others",
            "\(opening) 09 30 15 00 25 FF 75 08 95 01 81 02 C0"),
        BrokenDescriptor(
            .ambiguousMaximum, "FFFFFFFF over 0", .warning, at: 10, saying: "2147483647 is the most",
            "\(opening) 09 30 15 00 27 FF FF FF FF 75 20 95 01 81 02 C0"),
        BrokenDescriptor(
            .physicalRange, "5 to 1", at: 20, saying: "physical range is 5 to 1",
            "\(opening) 35 05 45 01 09 30 \(axis) C0"),
        BrokenDescriptor(
            .nullValue, "eight directions in three bits", .warning, at: 16, saying: "one more bit",
            "\(opening) 09 39 15 00 25 07 75 03 95 01 81 42 75 05 81 01 C0"),
        BrokenDescriptor(
            .valueSpan, "32 bits behind four", .warning, at: 20, saying: "four bytes at most",
            "\(opening) 95 01 75 04 81 01 09 30 75 20 15 00 25 7F 81 02 75 04 81 01 C0"),
        BrokenDescriptor(
            .valueSpan, "the second of two of 30 bits", .warning, at: 16, saying: "begins at bit 6",
            "\(opening) 09 30 15 81 25 7F 75 1E 95 02 81 02 75 04 95 01 81 01 C0"),
    ]

    private static let reports: [BrokenDescriptor] = [
        BrokenDescriptor(
            .reportSpansApplications, "two mice without ids", at: 35, saying: "give each its own report id",
            "\(opening) 09 30 \(axis) C0 \(opening) 09 30 \(axis) C0"),
        BrokenDescriptor(
            .reportID, "0", refused: true, at: 6, saying: "0 is reserved", "\(opening) 85 00 09 30 \(axis) C0"),
        BrokenDescriptor(
            .reportID, "256", refused: true, at: 6, saying: "1 to 255", "\(opening) 86 00 01 09 30 \(axis) C0"),
        BrokenDescriptor(
            .mixedReportIDs, "one report without, one with", at: 16, saying: "each must have one",
            "\(opening) 09 30 \(axis) 85 01 09 31 81 02 C0"),
        BrokenDescriptor(
            .reportSize, "257 bits", refused: true, at: 12, saying: "256 at most",
            "\(opening) 09 30 15 81 25 7F 76 01 01 95 01 81 02 C0"),
        BrokenDescriptor(
            .reportCount, "12289 values", refused: true, at: 14, saying: "12288 at most",
            "\(opening) 09 30 15 81 25 7F 75 08 96 01 30 81 02 C0"),
        BrokenDescriptor(
            .fieldCount, "257", refused: true, at: 6 + 2 + 10 + 255 * 4 + 2, saying: "more than 256 fields",
            "\(opening) 09 30 \(axis)" + String(repeating: " 09 30 81 02", count: 256) + " C0"),
        BrokenDescriptor(
            .reportLength, "16384 bytes besides the id", refused: true, at: 22, saying: "131072 bits",
            "\(opening) 09 30 15 00 25 01 75 08 96 00 30 81 02 96 00 10 81 01 C0"),
        BrokenDescriptor(
            .wholeBytes, "nine bits", .warning, at: 22, saying: "7 constant bits are missing",
            "\(opening) 09 30 \(axis) 75 01 09 31 81 01 C0"),
    ]
}
