/// A base class code, as devices, interfaces and functions carry it (usb.org, "Defined Class Codes").
public struct USBClass: RawRepresentable, Hashable, Sendable {
    /// `bDeviceClass`, `bInterfaceClass` or `bFunctionClass`.
    public let rawValue: UInt8

    /// Makes a class from its code.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// In a device descriptor: each interface says its own class.
    public static let perInterface = Self(rawValue: 0x00)
    /// Sound.
    public static let audio = Self(rawValue: 0x01)
    /// Communications and their control: modems, serial ports, network adapters.
    public static let cdc = Self(rawValue: 0x02)
    /// Keyboards, mice and whatever else speaks in reports.
    public static let hid = Self(rawValue: 0x03)
    /// Force feedback.
    public static let physical = Self(rawValue: 0x05)
    /// Still cameras and scanners.
    public static let image = Self(rawValue: 0x06)
    /// Printers.
    public static let printer = Self(rawValue: 0x07)
    /// Drives.
    public static let massStorage = Self(rawValue: 0x08)
    /// Hubs.
    public static let hub = Self(rawValue: 0x09)
    /// The data interfaces of communication devices.
    public static let cdcData = Self(rawValue: 0x0a)
    /// Smart card readers.
    public static let smartCard = Self(rawValue: 0x0b)
    /// Copy protection.
    public static let contentSecurity = Self(rawValue: 0x0d)
    /// Cameras that stream.
    public static let video = Self(rawValue: 0x0e)
    /// Medical instruments for the home.
    public static let personalHealthcare = Self(rawValue: 0x0f)
    /// Audio and video in one function.
    public static let audioVideo = Self(rawValue: 0x10)
    /// What a USB-C device shows when an alternate mode failed.
    public static let billboard = Self(rawValue: 0x11)
    /// Debug and trace ports.
    public static let diagnostic = Self(rawValue: 0xdc)
    /// Bluetooth and other radios.
    public static let wireless = Self(rawValue: 0xe0)
    /// Several things; with subclass 2 and protocol 1, a device that has interface associations.
    public static let miscellaneous = Self(rawValue: 0xef)
    /// Firmware update, test and measurement, IrDA.
    public static let applicationSpecific = Self(rawValue: 0xfe)
    /// The maker's own.
    public static let vendorSpecific = Self(rawValue: 0xff)

    /// The class's name, or nil where this library knows none.
    public var name: String? {
        switch self {
        case .perInterface: "Defined at Interface level"
        case .audio: "Audio"
        case .cdc: "Communications"
        case .hid: "Human Interface Device"
        case .physical: "Physical Interface Device"
        case .image: "Imaging"
        case .printer: "Printer"
        case .massStorage: "Mass Storage"
        case .hub: "Hub"
        case .cdcData: "CDC Data"
        case .smartCard: "Chip/SmartCard"
        case .contentSecurity: "Content Security"
        case .video: "Video"
        case .personalHealthcare: "Personal Healthcare"
        case .audioVideo: "Audio/Video"
        case .billboard: "Billboard"
        case .diagnostic: "Diagnostic"
        case .wireless: "Wireless"
        case .miscellaneous: "Miscellaneous Device"
        case .applicationSpecific: "Application Specific Interface"
        case .vendorSpecific: "Vendor Specific Class"
        default: nil
        }
    }
}
