package import CommandSupport

/// What a device's host asked for and did not get, each kind once, with how often.
package struct UnhandledRequests {
    /// One kind of request.
    package struct Entry {
        /// The request in words.
        package let request: String
        /// What to do about it, or that nothing need be done.
        package let hint: String
        /// How often it was asked for.
        package var count: UInt64
    }

    /// The most kinds kept: a host that asks at random must not fill the memory.
    package static let limit = 256

    /// What was asked for, in the order of the first time.
    package private(set) var entries: [Entry] = []
    /// How many requests are not among the entries, because there were too many kinds.
    package private(set) var others: UInt64 = 0

    /// Counts a request.
    ///
    /// - Returns: whether it is the first of its kind.
    package mutating func note(_ request: String, _ hint: @autoclosure () -> String) -> Bool {
        if let index = entries.firstIndex(where: { $0.request == request }) {
            entries[index].count &+= 1
            return false
        }
        guard entries.count < Self.limit else {
            others &+= 1
            return false
        }
        entries.append(Entry(request: request, hint: hint(), count: 1))
        return true
    }

    /// The requests as the control protocol has them.
    package var json: JSON {
        .array(
            entries.map {
                .object([
                    ("request", .string($0.request)), ("count", .number(Int(clamping: $0.count))),
                    ("hint", .string($0.hint)),
                ])
            })
    }
}
