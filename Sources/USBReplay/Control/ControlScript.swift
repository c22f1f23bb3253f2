import CaptureTraces
import USBCore
import USBDeviceKit

/// Answers the class and vendor requests of a recording.
///
/// A request is known by its setup packet and the data that the host sends with it. An OUT request that matches moves
/// the place in the recording to where it was made; IN requests then play what was recorded from there to the next OUT
/// request of the same recipient, and the last such answer repeats. Protocols that run in control transfers, a command
/// out and answers in, so get the answers to the command they made.
final class ControlScript {
    /// How far an OUT request is searched for among those with the same setup packet.
    static let window = 256

    private let ledger: Ledger
    /// The recorded requests in order, as places in ``Trace/transfers``.
    private var requests: [UInt32] = []
    /// By setup packet, places in ``requests``.
    private var places: [UInt64: [UInt32]] = [:]
    /// By setup packet without its length, places in ``requests``.
    private var loosePlaces: [UInt64: [UInt32]] = [:]
    /// By setup packet, the next of its places.
    private var cursors: [UInt64: Int] = [:]
    /// By recipient, the places of OUT requests.
    private var outputs: [UInt32: [UInt32]] = [:]
    /// By recipient, which part of the recording is being played.
    private var spans: [UInt32: Range<Int>] = [:]
    /// In strict order, the next request.
    private var position = 0
    /// What a device answers by its class when the recording says nothing.
    private var defaults = ClassDefaults()

    init(_ ledger: Ledger, units: Int) {
        self.ledger = ledger
        defaults.lastUnit = UInt8(clamping: max(units, 1) - 1)
        for (index, transfer) in ledger.trace.transfers.enumerated() where transfer.type == .control {
            guard let setup = transfer.setup, setup.kind != .standard, transfer.isPlayable,
                let number = UInt32(exactly: index), let place = UInt32(exactly: requests.count)
            else { continue }
            requests.append(number)
            places[setup.littleEndian, default: []].append(place)
            loosePlaces[Self.loose(setup), default: []].append(place)
            if setup.direction == .out { outputs[Self.recipient(setup), default: []].append(place) }
        }
        ledger.expect(requests.count, on: .out(0), .control)
    }

    /// Begins the recording again.
    func rewind() {
        cursors = [:]
        spans = [:]
        position = 0
        defaults = ClassDefaults(lastUnit: defaults.lastUnit)
    }

    /// Decides how a request ends, and how long that took in the recording, in nanoseconds.
    func answer(_ setup: SetupPacket, _ data: [UInt8]) -> (Outcome, latency: Int64) {
        if ledger.settings.isStrict { return strict(setup, data) }
        if setup.direction == .out, cannotCompare(setup, data) { return (.taken(.protocolError), 0) }
        let found = setup.direction == .in ? answerIn(setup) : matchOut(setup, data)
        if let found { return played(found) }
        let name = ledger.name(setup)
        if let outcome = defaults.answer(setup, data, interfaceClass: interfaceClass(setup)) {
            ledger.answerByRule(.out(0), .control, "\(name) is not in the recording and was answered by rule")
            return (outcome, 0)
        }
        ledger.diverge(.unexpectedRequest, .out(0), .control, subject: name, actual: data)
        return (.taken(.stalled), 0)
    }

    // MARK: Strict

    private func strict(_ setup: SetupPacket, _ data: [UInt8]) -> (Outcome, latency: Int64) {
        if position >= requests.count, ledger.settings.loops { position = 0 }
        guard requests.indices.contains(position) else {
            ledger.diverge(
                .unexpectedRequest, .out(0), .control, subject: ledger.name(setup), actual: data,
                detail: "the recording has ended")
            return (.taken(.stalled), 0)
        }
        let index = Int(requests[position])
        let transfer = ledger.trace.transfers[index]
        guard transfer.setup == setup else {
            let expected = transfer.setup.map { ledger.name($0) } ?? "another request"
            let kind: Divergence.Kind = places[setup.littleEndian] == nil ? .unexpectedRequest : .otherOrder
            ledger.diverge(
                kind, .out(0), .control, subject: ledger.name(setup), transfer: index, actual: data,
                detail: "\(expected) is next")
            return (.taken(.stalled), 0)
        }
        let match = setup.direction == .out ? ledger.compare(data, with: index) : .same
        guard match != .unreadable else { return (.taken(.protocolError), 0) }
        guard match == .same else {
            diverge(match, setup, data, index)
            return (.taken(.stalled), 0)
        }
        position += 1
        return played(position - 1)
    }

    // MARK: Keyed

    /// The place of the answer to an IN request; nil when the recording has none.
    private func answerIn(_ setup: SetupPacket) -> Int? {
        let key = setup.littleEndian
        let known = places[key] ?? loosePlaces[Self.loose(setup)] ?? []
        guard let first = known.first else { return nil }
        let span = spans[Self.recipient(setup)] ?? span(of: Self.recipient(setup), after: -1)
        var cursor = cursors[key] ?? 0
        // What belongs to commands that were left out is left out with them.
        if cursor < known.count, Int(known[cursor]) < span.lowerBound {
            cursor = known.partition { Int($0) >= span.lowerBound }
        }
        if cursor < known.count, span.contains(Int(known[cursor])) {
            cursors[key] = cursor + 1
            return Int(known[cursor])
        }
        if cursor == known.count, ledger.settings.loops, span.contains(Int(first)) { cursor = 0 }
        cursors[key] = max(cursor, 1)
        return Int(cursor > 0 ? known[cursor - 1] : first)
    }

    /// The place of an OUT request; nil when the recording has none with this setup packet.
    private func matchOut(_ setup: SetupPacket, _ data: [UInt8]) -> Int? {
        let key = setup.littleEndian
        let known = places[key] ?? []
        let cursor = min(cursors[key] ?? 0, known.count)
        let ahead = cursor..<min(cursor + Self.window, known.count)
        let behind = max(0, cursor - Self.window)..<cursor
        let found = ahead.first { matches(data, known[$0]) } ?? behind.last { matches(data, known[$0]) }
        if let found {
            if found >= cursor { cursors[key] = found + 1 }
            enter(setup, at: Int(known[found]))
            return Int(known[found])
        }
        // The same request with other data: taken, since a device would have to do something with it.
        guard let place = cursor < known.count ? known[cursor] : known.last ?? loosePlaces[Self.loose(setup)]?.first
        else { return nil }
        let index = Int(requests[Int(place)])
        diverge(ledger.compare(data, with: index), setup, data, index)
        if cursor < known.count { cursors[key] = cursor + 1 }
        enter(setup, at: Int(place))
        return Int(place) | Self.isDiverged
    }

    private func matches(_ data: [UInt8], _ place: UInt32) -> Bool {
        ledger.compare(data, with: Int(requests[Int(place)])) == .same
    }

    /// Whether the request that an OUT request is compared with first cannot be read: then nothing is searched for.
    private func cannotCompare(_ setup: SetupPacket, _ data: [UInt8]) -> Bool {
        let known = places[setup.littleEndian] ?? []
        guard !known.isEmpty else { return false }
        let place = known[min(cursors[setup.littleEndian] ?? 0, known.count - 1)]
        return ledger.compare(data, with: Int(requests[Int(place)])) == .unreadable
    }

    private func enter(_ setup: SetupPacket, at place: Int) {
        spans[Self.recipient(setup)] = span(of: Self.recipient(setup), after: place)
    }

    private func span(of recipient: UInt32, after place: Int) -> Range<Int> {
        let known = outputs[recipient] ?? []
        let next = known.partition { Int($0) > place }
        let end = next < known.count ? Int(known[next]) : requests.count
        return max(place, 0)..<max(end, max(place, 0))
    }

    // MARK: Answers

    /// Set in a place whose divergence has been reported already.
    private static let isDiverged = 1 << 40

    private func played(_ place: Int) -> (Outcome, latency: Int64) {
        let index = Int(requests[place & (Self.isDiverged - 1)])
        let transfer = ledger.trace.transfers[index]
        if place < Self.isDiverged { ledger.match(index) } else { ledger.reach(index) }
        let latency = transfer.completed &- transfer.submitted
        guard transfer.setup?.direction == .in else { return (.taken(transfer.outcome), latency) }
        guard let answer = ledger.answer(index) else { return (.taken(.protocolError), latency) }
        return (.answer(answer, transfer.outcome), latency)
    }

    private func diverge(_ match: DataMatch, _ setup: SetupPacket, _ data: [UInt8], _ index: Int) {
        ledger.diverge(
            match.kind, .out(0), .control, subject: ledger.name(setup), transfer: index, actual: data)
    }

    private func interfaceClass(_ setup: SetupPacket) -> UInt8? {
        ledger.interfaceClasses[UInt8(truncatingIfNeeded: setup.index)]
    }

    private static func loose(_ setup: SetupPacket) -> UInt64 { setup.littleEndian & 0x0000_ffff_ffff_ffff }

    /// Requests to different interfaces have nothing to do with each other.
    private static func recipient(_ setup: SetupPacket) -> UInt32 {
        let kind = UInt32(setup.kind.rawValue) << 16
        return setup.recipient == .interface ? kind | 0x100 | UInt32(setup.index & 0xff) : kind
    }
}

extension [UInt32] {
    /// How many elements there are before the first for which `isAfter` holds, in an array that is sorted so.
    ///
    /// - Complexity: O(log *n*).
    func partition(_ isAfter: (UInt32) -> Bool) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if isAfter(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
