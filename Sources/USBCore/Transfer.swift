/// The direction of a transfer, always named from the host's side (USB 2.0 §5.3.1).
public enum Direction: UInt8, Sendable, CaseIterable {
    /// Host to device.
    case out = 0x00
    /// Device to host.
    case `in` = 0x80
}

/// How an endpoint moves data: bits 1:0 of `bmAttributes` (USB 2.0 §9.6.6).
public enum TransferType: UInt8, Sendable, CaseIterable {
    /// Requests with a setup stage; endpoint zero.
    case control = 0
    /// Paced packets without retries.
    case isochronous = 1
    /// Data with retries and no promised rate.
    case bulk = 2
    /// Small data polled at an interval.
    case interrupt = 3
}

/// An endpoint's address: its number in bits 3:0 and its direction in bit 7 (USB 2.0 §9.6.6).
public struct EndpointAddress: RawRepresentable, Hashable, Sendable {
    /// `bEndpointAddress` as it stands in the descriptor.
    public let rawValue: UInt8

    /// Makes an address from `bEndpointAddress`; reserved bits are kept as given.
    @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// The address of IN endpoint `number`, 0 to 15.
    @inlinable public static func `in`(_ number: UInt8) -> Self { Self(rawValue: number & 0x0f | 0x80) }

    /// The address of OUT endpoint `number`, 0 to 15.
    @inlinable public static func out(_ number: UInt8) -> Self { Self(rawValue: number & 0x0f) }

    /// The endpoint number, 0 to 15.
    @inlinable public var number: UInt8 { rawValue & 0x0f }

    /// The direction, as the host sees it.
    @inlinable public var direction: Direction { rawValue & 0x80 == 0 ? .out : .in }
}

extension EndpointAddress: CustomStringConvertible {
    /// The endpoint as people write it, such as `EP 1 IN`.
    public var description: String { "EP \(number) \(direction == .in ? "IN" : "OUT")" }
}
