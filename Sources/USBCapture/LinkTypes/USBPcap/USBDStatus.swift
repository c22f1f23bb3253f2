import USBCore

/// How Windows says that a transfer ended: `USBD_STATUS` of its `usb.h`.
enum USBDStatus {
    /// What Linux would say instead.
    ///
    /// Where Linux tells less, several statuses become one.
    ///
    /// | Windows | Linux |
    /// |---|---|
    /// | `SUCCESS`, `PENDING`, `ERROR_SHORT_TRANSFER`, `DATA_UNDERRUN` | 0: an answer may be short |
    /// | `STALL_PID`, `ENDPOINT_HALTED` | `EPIPE` |
    /// | `DATA_OVERRUN`, `BABBLE_DETECTED` | `EOVERFLOW` |
    /// | `BUFFER_OVERRUN`, `BUFFER_UNDERRUN`, `FIFO`, `DATA_BUFFER_ERROR` | `EIO`: memory was too slow |
    /// | `CRC`, `BTSTUFF`, `DATA_TOGGLE_MISMATCH`, `DEV_NOT_RESPONDING`, `PID_CHECK_FAILURE`, `UNEXPECTED_PID`, `XACT_ERROR` | `EPROTO` |
    /// | `NOT_ACCESSED`, `ISO_NOT_ACCESSED_BY_HW`, `ISO_TD_ERROR`, `ISO_NA_LATE_USBPORT`, `ISO_NOT_ACCESSED_LATE`, `BAD_START_FRAME`, `ISOCH_REQUEST_FAILED` | `EXDEV` |
    /// | `TIMEOUT` | `ETIMEDOUT` |
    /// | `DEVICE_GONE` | `ENODEV` |
    /// | `CANCELED` | `ECONNRESET` |
    /// | `ERROR_BUSY` | `EBUSY` |
    /// | `INSUFFICIENT_RESOURCES` | `ENOMEM` |
    /// | `NO_BANDWIDTH` | `ENOSPC` |
    /// | `INTERNAL_HC_ERROR`, `HUB_INTERNAL_ERROR`, `STATUS_NOT_MAPPED` | `EIO` |
    /// | every other error, which is about the request | `EINVAL` |
    static func linux(_ status: UInt32) -> TransferStatus {
        switch status {
        case 0, 0x4000_0000, 0x8000_0900, 0xc000_0009: .success
        case 0xc000_0004, 0xc000_0030: .stalled
        case 0xc000_0008, 0xc000_0012: .overflow
        case 0xc000_000c, 0xc000_000d, 0xc000_0010, 0xc000_0013: .abandoned
        case 0xc000_0001...0xc000_0003, 0xc000_0005...0xc000_0007, 0xc000_0011: .protocolError
        case 0xc000_000f, 0xc002_0000, 0xc003_0000, 0xc004_0000, 0xc005_0000, 0xc000_0a00, 0xc000_0b00: .missed
        case 0xc000_6000: .timedOut
        case 0xc000_7000: .noDevice
        case 0xc001_0000: .cancelled
        case 0x8000_0400: .busy
        case 0xc000_1000: .outOfMemory
        case 0x8000_0700: TransferStatus(rawValue: -28)
        case 0x8000_0800, 0xc000_8000, 0xc000_9000: .abandoned
        // The top two bits of a status are 00 for success and 01 for pending.
        default: status & 0x8000_0000 == 0 ? .success : .invalid
        }
    }
}
