/// An interface of a pcapng section, as far as its packets need it; kept small, since a file can have very many.
struct PcapNGInterface {
    /// The link type of its packets.
    var linkType: UInt16
    /// `if_tsresol`: 10 to the minus this, or 2 to the minus the lower seven bits when bit 7 is set.
    var resolution: UInt8 = 6
    /// The most bytes a packet was captured with; 0 for no limit.
    var snapLength: UInt32
    /// `if_tsoffset`: seconds to add to all times.
    var timeOffset: Int64 = 0
    /// How many packets its newest statistics call dropped.
    var dropped: UInt64 = 0

    /// Whether its times are finer than microseconds.
    var hasFineTime: Bool { resolution & 0x80 == 0 ? resolution > 6 : resolution & 0x7F >= 20 }

    /// Nanoseconds since 1970 for a time of a packet; at the ends of what 64 bits hold where it is beyond them.
    func nanoseconds(_ units: UInt64) -> Int64 {
        let time: Int64
        switch resolution {
        case 9: time = Int64(clamping: units)
        case 6:
            let product = units.multipliedReportingOverflow(by: 1000)
            time = product.overflow ? .max : Int64(clamping: product.partialValue)
        default: time = scaled(units)
        }
        guard timeOffset != 0 else { return time }
        let shift = timeOffset.multipliedReportingOverflow(by: 1_000_000_000)
        let sum = time.addingReportingOverflow(shift.partialValue)
        if shift.overflow || sum.overflow { return timeOffset < 0 ? .min : .max }
        return sum.partialValue
    }

    private func scaled(_ units: UInt64) -> Int64 {
        let exponent = Int(resolution & 0x7F)
        if resolution & 0x80 != 0 {
            let product = units.multipliedFullWidth(by: 1_000_000_000)
            let all = UInt128(product.high) << 64 | UInt128(product.low)
            return Int64(clamping: all >> UInt128(exponent))
        }
        guard exponent < 9 else {
            // Less than 2 to the power of 64 divided by 10 to the power of 20 or more is nothing.
            return exponent - 9 > 19 ? 0 : Int64(clamping: units / Self.power(exponent - 9))
        }
        let product = units.multipliedReportingOverflow(by: Self.power(9 - exponent))
        return product.overflow ? .max : Int64(clamping: product.partialValue)
    }

    /// 10 to the power of 0 to 19.
    private static func power(_ exponent: Int) -> UInt64 {
        var result: UInt64 = 1
        for _ in 0..<exponent { result &*= 10 }
        return result
    }
}
