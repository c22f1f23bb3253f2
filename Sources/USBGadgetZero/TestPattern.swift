/// What a source sends and a sink expects.
///
/// ``zeros``, ``mod63`` and ``none`` are Linux's patterns 0, 1 and 2: the module parameter `pattern` of its gadget zero
/// and of its `usbtest` driver.
public enum TestPattern: String, Hashable, Sendable, CaseIterable {
    /// Every byte is 0.
    case zeros
    /// A byte is its index within its packet, modulo 63.
    ///
    /// As in Linux the packet is counted from the start of the transfer (of the packet, if isochronous) in steps of
    /// `wMaxPacketSize` as that field stands, the bits for additional transactions included.
    case mod63
    /// The source sends zeros and the sink looks at nothing.
    case none
    /// As ``mod63``, but each transfer (each packet, if isochronous) begins with its number.
    ///
    /// The number has 64 bits, little-endian, and counts from 0 since the setting was selected: a host sees what it
    /// lost. The sink looks at nothing.
    case counter

    /// Whether a sink refuses other bytes.
    public var isChecked: Bool { self == .zeros || self == .mod63 }

    /// The byte at `index` of a packet, its number aside.
    func byte(at index: Int) -> UInt8 {
        switch self {
        case .zeros, .none: 0
        case .mod63, .counter: UInt8(truncatingIfNeeded: index % 63)
        }
    }
}

/// What an endpoint has moved since its setting was selected.
public struct EndpointCounts: Hashable, Sendable {
    /// Transfers answered or taken.
    public var transfers: UInt64 = 0
    /// Packets of isochronous transfers.
    public var packets: UInt64 = 0
    /// Bytes in all of them.
    public var bytes: UInt64 = 0
    /// Transfers (packets, if isochronous) that a sink received with other bytes than the pattern's.
    public var mismatches: UInt64 = 0
    /// Reports of a source that makes them by the clock, which the host fetched too late or never.
    public var lost: UInt64 = 0

    /// Makes counts of nothing.
    public init() {}

    mutating func add(bytes count: Int) {
        transfers &+= 1
        bytes &+= UInt64(truncatingIfNeeded: count)
    }
}
