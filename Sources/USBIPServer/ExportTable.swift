import SocketIO
import Synchronization
import USBIPWire

/// The devices on offer, and which of them are taken.
final class ExportTable: Sendable {
    private struct State {
        var exports: [Export] = []
        /// By identity: a removed device may still be taken when another has its name.
        var taken: Set<ObjectIdentifier> = []
        /// How many there have been.
        var count = 0
    }

    private let state = Mutex(State())

    /// Files `make(name, number)` under a bus id; nil takes the first free of `1-1`, `1-2`, ….
    func add(
        busID: String?, _ make: (_ name: String, _ number: Int) -> Export
    ) throws(ExportError) -> Export {
        if let busID { try Self.check(busID) }
        let export = state.withLock { state -> Export? in
            let used = Set(state.exports.map(\.busID))
            var number = 1
            while busID == nil, used.contains("1-\(number)") { number += 1 }
            let name = busID ?? "1-\(number)"
            guard !used.contains(name) else { return nil }
            let export = make(name, state.count)
            state.count += 1
            state.exports.append(export)
            return export
        }
        guard let export else {
            throw ExportError(
                description: "bus id \(busID ?? "") is used twice; give every device its own with busid=")
        }
        return export
    }

    private static func check(_ busID: String) throws(ExportError) {
        let isValid =
            (1...31).contains(busID.utf8.count)
            && busID.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || ".:_-".contains($0)) }
        guard isValid else {
            throw ExportError(
                description: "bus id '\(busID)' must have 1 to 31 characters out of 0-9 a-z A-Z . : _ -")
        }
    }

    /// The devices that can be imported now: as Linux's usbipd, one that is taken is not shown.
    var available: [DeviceListEntry] {
        state.withLock { state in
            state.exports.filter { !state.taken.contains(ObjectIdentifier($0)) && $0.isPresent }.map(\.listEntry)
        }
    }

    enum Claim {
        case granted(Export)
        case busy
        case unknown
        /// It is on offer, and unplugged at the moment.
        case absent
    }

    /// Takes a device for one client.
    ///
    /// A device that is taken may be about to come free: a client that detaches and attaches again is faster than the
    /// news of its old connection's end.
    func claim(_ busID: String, patience milliseconds: Int32 = 300) -> Claim {
        var left = milliseconds
        while true {
            let claim = claimNow(busID)
            guard case .busy = claim, left > 0 else { return claim }
            pause(milliseconds: 10)
            left -= 10
        }
    }

    private func claimNow(_ busID: String) -> Claim {
        state.withLock { state in
            guard let export = state.exports.first(where: { $0.busID == busID }) else { return .unknown }
            guard export.isPresent else { return .absent }
            return state.taken.insert(ObjectIdentifier(export)).inserted ? .granted(export) : .busy
        }
    }

    /// Takes a device off the table; a client that has it keeps it until it is unplugged.
    func remove(_ export: Export) {
        state.withLock { $0.exports.removeAll { $0 === export } }
    }

    /// Whether a device is on the table.
    func offers(_ export: Export) -> Bool {
        state.withLock { $0.exports.contains { $0 === export } }
    }

    /// Whether a client has a device, or what its export does after a client is not done.
    func isTaken(_ export: Export) -> Bool {
        state.withLock { $0.taken.contains(ObjectIdentifier(export)) }
    }

    func release(_ export: Export) {
        _ = state.withLock { $0.taken.remove(ObjectIdentifier(export)) }
    }
}
