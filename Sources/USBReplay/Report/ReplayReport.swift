public import USBCore

/// How a replay went: what was as recorded on each endpoint, and what was not.
public struct ReplayReport: Sendable {
    /// How many divergences are kept; all are counted.
    public static let divergenceLimit = 100
    /// How many remarks are kept.
    public static let noteLimit = 100

    /// An endpoint, and how its transfers went.
    public struct EndpointCounts: Hashable, Sendable {
        /// The endpoint; both directions of endpoint 0 are one, with bit 7 clear.
        public let endpoint: EndpointAddress
        /// How it moves data.
        public let type: TransferType
        /// Transfers that were as recorded.
        public var matched = 0
        /// Transfers that were not.
        public var diverged = 0
        /// Transfers that the recording does not have, answered by rule: no divergence.
        public var unrecorded = 0
        /// Transfers of the recording that were not reached.
        public var notReached = 0

        /// Makes counts of nothing.
        public init(_ endpoint: EndpointAddress, _ type: TransferType) {
            self.endpoint = endpoint.number == 0 ? .out(0) : endpoint
            self.type = type
        }

        /// The endpoint in words: `EP 0 control`, `EP 1 IN bulk`.
        public var name: String { endpoint.number == 0 ? "EP 0 control" : "\(endpoint) \(type)" }
    }

    /// What was replayed: `1209:db42 BluePill`.
    public let subject: String
    /// Counts by endpoint, endpoint 0 first.
    public private(set) var endpoints: [EndpointCounts] = []
    /// The first ``divergenceLimit`` divergences, in the order in which they were found.
    public private(set) var divergences: [Divergence] = []
    /// How many divergences there were.
    public private(set) var divergenceCount = 0
    /// How many of them each endpoint had.
    private var divergencesByEndpoint: [EndpointAddress: Int] = [:]
    /// The first ``noteLimit`` remarks: what was made up by rule, what the capture lacks.
    public private(set) var notes: [String] = []
    /// How many remarks there were.
    public private(set) var noteCount = 0

    /// Makes a report of a replay that has not begun.
    public init(subject: String) { self.subject = printable(subject) }

    /// Whether everything that was done is as in the recording.
    public var passed: Bool { divergenceCount == 0 }

    /// Whether nothing was compared: nobody used the device, or only in ways that the recording says nothing of.
    public var comparedNothing: Bool { endpoints.allSatisfy { $0.matched == 0 && $0.diverged == 0 } }

    /// The verdict in words: `as recorded`, `3 divergences`.
    public var verdict: String {
        switch divergenceCount {
        case 0: "as recorded"
        case 1: "1 divergence"
        default: "\(divergenceCount) divergences"
        }
    }

    // MARK: Making

    /// Changes the counts of an endpoint, which are made when it is first named.
    public mutating func count(
        _ endpoint: EndpointAddress, _ type: TransferType, _ change: (inout EndpointCounts) -> Void
    ) {
        let fresh = EndpointCounts(endpoint, type)
        if let index = endpoints.firstIndex(where: { $0.endpoint == fresh.endpoint && $0.type == fresh.type }) {
            change(&endpoints[index])
            return
        }
        let place = endpoints.firstIndex { order($0.endpoint) > order(fresh.endpoint) } ?? endpoints.endIndex
        endpoints.insert(fresh, at: place)
        change(&endpoints[place])
    }

    /// Counts a divergence, and keeps it if it is one of the first; its endpoint's count is changed with
    /// ``count(_:_:_:)``.
    ///
    /// - Returns: how many there are now.
    @discardableResult
    public mutating func add(_ divergence: Divergence) -> Int {
        if divergences.count < Self.divergenceLimit { divergences.append(divergence) }
        divergencesByEndpoint[divergence.endpoint, default: 0] += 1
        divergenceCount += 1
        return divergenceCount
    }

    /// Remembers a remark once.
    public mutating func note(_ text: String) {
        let text = printable(text)
        guard !notes.contains(text) else { return }
        noteCount += 1
        if notes.count < Self.noteLimit { notes.append(text) }
    }

    /// How many divergences there were on an endpoint, those that were not kept included.
    func divergenceCount(on endpoint: EndpointAddress) -> Int { divergencesByEndpoint[endpoint] ?? 0 }

    /// The endpoints that had divergences, by number.
    var divergedEndpoints: [EndpointAddress] { divergencesByEndpoint.keys.sorted { order($0) < order($1) } }

    private func order(_ endpoint: EndpointAddress) -> Int {
        Int(endpoint.number) << 1 | (endpoint.direction == .in ? 1 : 0)
    }

    // MARK: Text

    /// The report for people: verdict, counts, divergences, remarks; lines end with a line feed.
    ///
    /// - Parameter limit: how many divergences are shown in full.
    public func text(showing limit: Int = 20) -> String {
        var text = "replay of \(subject): \(verdict)\n"
        let width = endpoints.map { $0.name.count }.max() ?? 0
        for counts in endpoints {
            var parts = ["\(counts.matched) as recorded"]
            if counts.diverged > 0 { parts.append("\(counts.diverged) diverged") }
            if counts.unrecorded > 0 { parts.append("\(counts.unrecorded) answered without a recording") }
            if counts.notReached > 0 { parts.append("\(counts.notReached) not reached") }
            text += "  \(padded(counts.name, to: width))  \(parts.joined(separator: ", "))\n"
        }
        for (index, divergence) in divergences.prefix(limit).enumerated() {
            text += "\(index + 1). " + divergence.text()
        }
        let hidden = divergenceCount - min(limit, divergences.count)
        if hidden > 0 { text += "and \(hidden) more\n" }
        for note in notes { text += "note: \(note)\n" }
        if noteCount > notes.count { text += "note: and \(noteCount - notes.count) more remarks\n" }
        return text
    }
}
