package import CommandSupport
package import DeviceModels

/// An event with its place among all of a server's.
package struct PublishedEvent: Sendable {
    /// Its number: from 1, in the order in which events happened.
    package let sequence: UInt64
    /// When it happened: microseconds since 1970 by the wall clock.
    package let microseconds: Int64
    /// The device that it happened to, where it is one.
    package let busID: String?
    /// What happened.
    package let event: DeviceEvent

    /// Makes an event.
    package init(sequence: UInt64, microseconds: Int64, busID: String?, event: DeviceEvent) {
        self.sequence = sequence
        self.microseconds = microseconds
        self.busID = busID
        self.event = event
    }

    /// What happened in one word, such as `attached`.
    package var kind: String { event.kind }

    /// Something else that the event tells; nil where it does not.
    package subscript(name: String) -> JSON? { event.members.last { $0.0 == name }?.1 }

    /// The event as the protocol has it: `event`, `time`, `seq`, `busid`, and what else there is to tell.
    package var json: JSON {
        var members: [(String, JSON)] = [
            ("event", .string(event.kind)),
            // Exact: microseconds since 1970 stay below 2⁵³ until the year 2255.
            ("time", .decimal(Double(microseconds) / 1_000_000, digits: 6)),
            ("seq", .number(Int(clamping: sequence))),
        ]
        if let busID { members.append(("busid", .string(busID))) }
        return .object(members + event.members)
    }
}
