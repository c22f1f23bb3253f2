import CommandSupport
import USBCore
import USBDeviceKit
import USBIPServer

/// How far a host has come with a device (USB 2.0 §9.1), as far as USB/IP shows it.
package enum HostState: String, CaseIterable, Sendable {
    /// No host has it.
    case detached
    /// A host has it, and has not selected a configuration.
    case attached
    /// A host has selected a configuration: its drivers can work.
    case configured
    /// The host has said that the device may wake it: what it does before it suspends one.
    ///
    /// USB/IP carries no suspending; devices that cannot wake their host are suspended without a word.
    case suspended

    /// What an event makes of the state, and how it is told; nil for nothing that followers need to know.
    mutating func apply(_ event: ExportEvent) -> (kind: String, members: [(String, JSON)])? {
        switch event {
        case .attached(let peer):
            self = .attached
            return ("attached", [("peer", .string(peer))])
        case .detached(let reason):
            self = .detached
            return ("detached", [("reason", .string(reason))])
        case .reset(let cause):
            self = .attached
            return ("reset", [("inferred", .bool(cause == .inferred))])
        case .request(let setup, .success): return apply(setup)
        case .request, .unknownEndpoint: return nil
        }
    }

    private mutating func apply(_ setup: SetupPacket) -> (kind: String, members: [(String, JSON)])? {
        guard setup.kind == .standard else { return nil }
        switch (setup.recipient, StandardRequest(rawValue: setup.request)) {
        case (.device, .setConfiguration):
            self = setup.value == 0 ? .attached : .configured
            guard setup.value != 0 else { return ("unconfigured", []) }
            return ("configured", [("configuration", .number(Int(setup.value)))])
        case (.interface, .setInterface):
            return ("interface", [("interface", .number(Int(setup.index))), ("alternate", .number(Int(setup.value)))])
        case (.device, .setFeature) where setup.value == 1,
            (.interface, .setFeature) where setup.value == 0 && setup.index & 0x0100 != 0:
            guard self == .configured else { return nil }
            self = .suspended
            return ("suspended", [])
        case (.device, .clearFeature) where setup.value == 1, (.interface, .clearFeature) where setup.value == 0,
            (.interface, .setFeature) where setup.value == 0:
            guard self == .suspended else { return nil }
            self = .configured
            return ("resumed", [])
        default: return nil
        }
    }
}
