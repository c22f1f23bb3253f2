import CLinux
import Glibc
import Synchronization

/// Notices that the other ends of Unix sockets go, while the sockets' own threads are busy.
///
/// One thread for all of a process's; it starts when it is first needed.
public final class UnixSocketHangUps: Sendable {
    /// The watcher.
    public static let shared = UnixSocketHangUps()

    private struct Entry {
        let socket: StreamSocket
        let handler: @Sendable () -> Void
    }

    private struct State {
        /// The set of sockets, once it could be made.
        var poll: Int32?
        var entries: [UInt64: Entry] = [:]
        var next: UInt64 = 0
    }

    private let state = Mutex(State())

    private init() {}

    /// Watches a socket.
    ///
    /// - Parameter handler: called once, from the watcher's thread, when the other end is gone.
    /// - Returns: what ends the watching; nil when the system has no room for it, so that nobody will call.
    public func watch(_ socket: StreamSocket, _ handler: @escaping @Sendable () -> Void) -> UInt64? {
        state.withLock { state in
            guard let poll = Self.start(&state) else { return nil }
            state.next &+= 1
            state.entries[state.next] = Entry(socket: socket, handler: handler)
            // Reported for each arrival as well, once, so that what waits to be read does not keep the thread busy.
            guard linux_poll_add(poll, socket.descriptor, state.next, 1) >= 0 else {
                state.entries[state.next] = nil
                return nil
            }
            return state.next
        }
    }

    /// Watches a socket no longer; the handler may still be on its way.
    public func unwatch(_ watch: UInt64) {
        state.withLock { state in
            guard let entry = state.entries.removeValue(forKey: watch), let poll = state.poll else { return }
            _ = linux_poll_remove(poll, entry.socket.descriptor)
        }
    }

    private static func start(_ state: inout State) -> Int32? {
        if let poll = state.poll { return poll }
        let poll = linux_poll_create()
        guard poll >= 0 else { return nil }
        guard (try? startThread("hang-ups") { shared.run(poll) }) != nil else {
            close(poll)
            return nil
        }
        state.poll = poll
        return poll
    }

    private func run(_ poll: Int32) {
        var tags = [UInt64](repeating: 0, count: 64)
        while true {
            let count = unsafe linux_poll_wait(poll, &tags, Int32(tags.count), 1)
            for tag in tags.prefix(max(0, Int(count))) {
                let gone = state.withLock { state -> Entry? in
                    guard let entry = state.entries[tag], entry.socket.hasHungUp else { return nil }
                    state.entries[tag] = nil
                    _ = linux_poll_remove(poll, entry.socket.descriptor)
                    return entry
                }
                gone?.handler()
            }
        }
    }
}
