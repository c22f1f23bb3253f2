import USBCore
import USBDeviceKit

/// The two vendor requests of gadget zero: bytes are written, and read back.
///
/// Linux's `usbtest` took them from Intel's USB 2.0 compliance test device.
struct TestRequests {
    /// What was written last, 0 to 65535 bytes.
    private var written: [UInt8] = []

    /// Answers a request; those that are not gadget zero's are stalled.
    mutating func answer(_ urb: consuming URB) {
        let setup = urb.setup
        switch (setup.requestType, setup.request) {
        case (0x40, 0x5b) where setup.value == 0 && setup.index == 0:
            written = urb.withBytes { [UInt8](copying: $0) }
            urb.accept()
        case (0xc0, 0x5c) where setup.value == 0 && setup.index == 0:
            urb.complete(copying: written)
        default:
            urb.stall()
        }
    }

    /// Forgets what was written.
    mutating func reset() { written = [] }
}
