/// Finds what is missing from a series of numbered reports.
///
/// The first number is taken as it comes. From then on each is to be one more than the last; one that is greater means
/// that those between were lost, and one that is less has come before.
package struct CounterCheck: Sendable, Equatable {
    /// Reports that had a number.
    package private(set) var received: UInt64 = 0
    /// Numbers that were passed over.
    package private(set) var lost: UInt64 = 0
    /// How often numbers were passed over.
    package private(set) var gaps: UInt64 = 0
    /// Numbers that came again, or late.
    package private(set) var repeated: UInt64 = 0
    /// Reports too short for a number.
    package private(set) var unnumbered: UInt64 = 0
    private var expected: UInt64?

    /// Makes a check that has seen nothing.
    package init() {}

    /// Takes a report's number.
    package mutating func receive(_ number: UInt64) {
        received &+= 1
        guard let expected else { return self.expected = number &+ 1 }
        guard number >= expected else { return repeated &+= 1 }
        if number > expected {
            gaps &+= 1
            let (sum, overflow) = lost.addingReportingOverflow(number - expected)
            lost = overflow ? .max : sum
        }
        self.expected = number &+ 1
    }

    /// Takes a report, whose first eight bytes are its number, least significant byte first.
    package mutating func receive(_ report: RawSpan) {
        guard report.byteCount >= 8 else { return unnumbered &+= 1 }
        // Any eight bytes are a number.
        receive(UInt64(littleEndian: unsafe report.unsafeLoadUnaligned(as: UInt64.self)))
    }
}
