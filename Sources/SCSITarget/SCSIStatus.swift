/// How a command ended (SAM-5 §5.3.1).
///
/// Bulk-Only Transport sends only whether it is ``good``; UAS sends the number.
public enum SCSIStatus: UInt8, Sendable {
    /// The command did what was asked.
    case good = 0x00
    /// It did not, or not all of it: the sense data say why.
    case checkCondition = 0x02
}

/// Which way a command's data go, seen from the host.
public enum SCSIDataDirection: UInt8, Sendable {
    /// No data.
    case none
    /// From the device to the host.
    case `in`
    /// From the host to the device.
    case out
}
