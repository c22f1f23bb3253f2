import USBCore
import USBDeviceKit

/// The transfers of one endpoint for which the system has no room just now, in order.
///
/// Confined to the device's executor.
final class StarvedPipe {
    /// One that was loaded already: it goes before the others.
    var first: Flight?
    /// Those behind it.
    var rest = URBQueue()
    /// When the transfer at the front was first refused, in nanoseconds.
    let since: UInt64

    init(since: UInt64) { self.since = since }
}
