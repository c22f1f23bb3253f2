import CommandSupport
import HIDReports

/// Writes what a report descriptor says as JSON: the reports with their fields, usages by number and name.
enum ReportLayoutJSON {
    /// The members `applications` and `reports`; none where the descriptor cannot be read.
    static func members(of bytes: [UInt8]) -> [(String, JSON)] {
        guard let layout = try? ReportDescriptor(bytes: bytes).layout() else { return [] }
        return [
            ("applications", .array(layout.applications.map { .string($0.description) })),
            ("reports", .array(layout.reports.map(report))),
        ]
    }

    private static func report(_ report: ReportLayout.Report) -> JSON {
        .object([
            ("type", .string("\(report.kind)")), ("id", .number(Int(report.id))), ("bytes", .number(report.byteCount)),
            ("fields", .array(report.fields.map(field))),
        ])
    }

    private static func field(_ field: ReportLayout.Field) -> JSON {
        var members: [(String, JSON)] = [
            ("bit", .number(field.bitOffset)), ("size", .number(field.bitSize)), ("count", .number(field.count)),
            ("flags", .array(flags.filter { field.flags.contains($0.flag) }.map { .string($0.name) })),
        ]
        // The rest means nothing of constant bits.
        guard !field.isPadding else { return .object(members) }
        members.append(("logical", range(field.logical)))
        if let physical = field.physical { members.append(("physical", range(physical))) }
        if field.unit != .none {
            members.append(("unit", .string(field.unit.description)))
            members.append(("unitExponent", .number(Int(field.unitExponent))))
        }
        members.append(("usages", .array(field.usages.map(usages))))
        return .object(members)
    }

    private static func range(_ range: ClosedRange<Int32>) -> JSON {
        .array([.number(Int(range.lowerBound)), .number(Int(range.upperBound))])
    }

    private static func usages(_ usages: UsageRange) -> JSON {
        let first = Usage(page: usages.page, id: usages.ids.lowerBound)
        let last = Usage(page: usages.page, id: usages.ids.upperBound)
        return .object([
            ("page", .number(Int(usages.page))), ("first", .number(Int(first.id))), ("last", .number(Int(last.id))),
            ("name", .string(first == last ? "\(first)" : "\(first) to \(last)")),
        ])
    }

    /// The flags that a field can have, by name.
    private static let flags: [(flag: FieldFlags, name: String)] = [
        (.constant, "constant"), (.variable, "variable"), (.relative, "relative"), (.wrap, "wrap"),
        (.nonlinear, "nonlinear"), (.noPreferred, "noPreferred"), (.nullState, "nullState"), (.volatile, "volatile"),
        (.bufferedBytes, "bufferedBytes"),
    ]
}
