/// A refusal of libusb's, by its number: one of `enum libusb_error`.
public struct LibUSBError: Error, RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// Libusb's number, negative.
    public let rawValue: Int32

    /// Makes an error from libusb's number.
    public init(rawValue: Int32) { self.rawValue = rawValue }

    /// Input or output failed (`LIBUSB_ERROR_IO`).
    public static let io = Self(rawValue: -1)
    /// A parameter that the system does not take (`LIBUSB_ERROR_INVALID_PARAM`).
    public static let invalidParameter = Self(rawValue: -2)
    /// No permission (`LIBUSB_ERROR_ACCESS`).
    public static let access = Self(rawValue: -3)
    /// The device has gone (`LIBUSB_ERROR_NO_DEVICE`).
    public static let noDevice = Self(rawValue: -4)
    /// There is no such thing, or no more (`LIBUSB_ERROR_NOT_FOUND`).
    public static let notFound = Self(rawValue: -5)
    /// Somebody else has it (`LIBUSB_ERROR_BUSY`).
    public static let busy = Self(rawValue: -6)
    /// It took too long (`LIBUSB_ERROR_TIMEOUT`).
    public static let timeout = Self(rawValue: -7)
    /// More data than there was room for (`LIBUSB_ERROR_OVERFLOW`).
    public static let overflow = Self(rawValue: -8)
    /// The endpoint answered STALL (`LIBUSB_ERROR_PIPE`).
    public static let pipe = Self(rawValue: -9)
    /// A system call was interrupted (`LIBUSB_ERROR_INTERRUPTED`).
    public static let interrupted = Self(rawValue: -10)
    /// Out of memory, or of what the system sets apart for USB (`LIBUSB_ERROR_NO_MEM`).
    public static let noMemory = Self(rawValue: -11)
    /// Not possible on this system (`LIBUSB_ERROR_NOT_SUPPORTED`).
    public static let notSupported = Self(rawValue: -12)
    /// Anything else (`LIBUSB_ERROR_OTHER`).
    public static let other = Self(rawValue: -99)

    /// What it means, in words that fit into a sentence.
    public var description: String {
        switch self {
        case .io: "input/output error"
        case .invalidParameter: "the system does not take a parameter"
        case .access: "no permission"
        case .noDevice: "the device has gone"
        case .notFound: "not found"
        case .busy: "somebody else has it"
        case .timeout: "it took too long"
        case .overflow: "more data than there was room for"
        case .pipe: "the device answered STALL"
        case .interrupted: "a system call was interrupted"
        case .noMemory: "out of memory"
        case .notSupported: "not possible on this system"
        case .other: "libusb does not say why"
        default: "libusb's error \(rawValue)"
        }
    }
}
