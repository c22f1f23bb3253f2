/// A whole number divided into whole shares that differ by at most one and add up to it exactly.
///
/// The larger shares are spread evenly, as the steps of a line on a grid are.
struct EvenShares {
    private let quotient: Int
    private let remainder: Int
    private let count: Int
    private var error: Int

    /// Divides `total` into `count` shares.
    init(of total: Int, into count: Int) {
        self.count = max(1, count)
        (quotient, remainder) = total.quotientAndRemainder(dividingBy: self.count)
        error = self.count / 2
    }

    /// The next share.
    mutating func next() -> Int {
        error += abs(remainder)
        guard error >= count else { return quotient }
        error -= count
        return quotient + remainder.signum()
    }
}

extension Int {
    /// How many shares of at most `limit` the number needs, 0 for none of it.
    func shareCount(atMost limit: Int) -> Int {
        let (quotient, remainder) = magnitude.quotientAndRemainder(dividingBy: UInt(Swift.max(1, limit)))
        return Int(clamping: quotient) + (remainder > 0 ? 1 : 0)
    }
}
