import Synchronization

/// Carries flights that have arrived from libusb's thread to the device's executor.
final class Mailbox: Sendable {
    private struct State: Sendable {
        var first: Flight?
        var last: Flight?
    }

    private let state = Mutex(State())

    /// Adds a flight at the end.
    func put(_ flight: Flight) {
        state.withLock { state in
            flight.next = nil
            if let last = state.last { last.next = flight } else { state.first = flight }
            state.last = flight
        }
    }

    /// Takes everything: the first flight, with the others behind it.
    func takeAll() -> Flight? {
        state.withLock { state in
            defer { state = State() }
            return state.first
        }
    }

    var isEmpty: Bool { state.withLock { $0.first == nil } }
}
