/// The signalling rate of a device's connection.
///
/// The raw values are Linux's `enum usb_device_speed`, which USB/IP carries in its device records and `vhci_hcd` takes
/// in its `attach` file. They are not libusb's.
public enum Speed: UInt32, Sendable, CaseIterable {
    /// 1.5 Mb/s (USB 2.0 §5.3.1.1).
    case low = 1
    /// 12 Mb/s.
    case full = 2
    /// 480 Mb/s.
    case high = 3
    /// 5 Gb/s (USB 3.2 §3.1).
    case `super` = 5
    /// 10 Gb/s and above.
    case superPlus = 6

    /// Whether the connection runs the SuperSpeed protocol: companions, BOS and 2^n packet sizes on endpoint zero.
    @inlinable public var isSuperSpeed: Bool { self == .super || self == .superPlus }
}
