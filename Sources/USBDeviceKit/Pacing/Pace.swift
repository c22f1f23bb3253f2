/// When isochronous and interrupt transfers end.
public enum Pace: String, Hashable, Sendable, CaseIterable {
    /// When they would on a bus: see ``PacedDevice``.
    case bus
    /// As soon as the device has answered.
    case free
}
