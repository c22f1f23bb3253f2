/// Times of captures for people: counted in nanoseconds since 1970, or since anything.
enum CaptureTime {
    private static let second: UInt64 = 1_000_000_000

    /// The year 2000: what lies before it was counted from somewhere else than 1970.
    private static let earliestDate: Int64 = 946_684_800_000_000_000

    /// Nanoseconds in seconds with so many digits behind the point, 0 to 9; what is beyond them is cut off.
    static func seconds(_ nanoseconds: Int64, digits: Int = 6) -> String {
        let (whole, rest) = nanoseconds.magnitude.quotientAndRemainder(dividingBy: second)
        let fraction = String(rest)
        let padded = String(repeating: "0", count: max(0, 9 - fraction.utf8.count)) + fraction
        let sign = nanoseconds < 0 ? "-" : ""
        return digits > 0 ? "\(sign)\(whole).\(padded.prefix(digits))" : "\(sign)\(whole)"
    }

    /// The difference of two times; of those too far apart, the greatest that there is.
    static func difference(_ later: Int64, _ earlier: Int64) -> Int64 {
        let (value, overflow) = later.subtractingReportingOverflow(earlier)
        guard overflow else { return value }
        return later < 0 ? .min : .max
    }

    /// Date and time such as `2019-12-01 08:15:30 UTC`; nil where the time is no date.
    static func date(_ nanoseconds: Int64) -> String? {
        guard nanoseconds >= earliestDate else { return nil }
        let seconds = nanoseconds / Int64(second)
        let (days, inDay) = seconds.quotientAndRemainder(dividingBy: 86_400)
        let (year, month, day) = civil(days)
        func two(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }
        return "\(year)-\(two(month))-\(two(day)) "
            + "\(two(inDay / 3600)):\(two(inDay / 60 % 60)):\(two(inDay % 60)) UTC"
    }

    /// The date of a day counted from 1970: years begin in March, so that the leap day is their last.
    private static func civil(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }
}
