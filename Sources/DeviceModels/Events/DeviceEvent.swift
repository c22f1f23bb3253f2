package import CommandSupport

/// Something that happened to a running device, for whoever follows events.
package struct DeviceEvent: Sendable {
    /// What: `attached`, `configured`, `leds`, `scsi`.
    package let kind: String
    /// What else there is to tell, in order.
    package let members: [(String, JSON)]

    /// Makes an event.
    package init(_ kind: String, _ members: [(String, JSON)] = []) {
        self.kind = kind
        self.members = members
    }
}

/// Where a device's events go.
package struct EventSink: Sendable {
    private let wants: @Sendable () -> Bool
    private let receive: @Sendable (DeviceEvent) -> Void

    /// Makes a sink.
    ///
    /// - Parameters:
    ///   - isWatched: whether somebody follows at this moment; asked often, so it must be quick.
    ///   - receive: takes an event, from any thread; must not block.
    package init(isWatched: @escaping @Sendable () -> Bool, _ receive: @escaping @Sendable (DeviceEvent) -> Void) {
        wants = isWatched
        self.receive = receive
    }

    /// A sink that nobody reads.
    package static let none = EventSink(isWatched: { false }, { _ in })

    /// Whether somebody follows at this moment: events that come by the thousand are made only then.
    package var isWatched: Bool { wants() }

    /// Sends an event.
    package func send(_ kind: String, _ members: [(String, JSON)] = []) { receive(DeviceEvent(kind, members)) }
}
