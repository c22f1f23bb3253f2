import CLibUSB
import USBCore

// Documentation/Real-devices.md has these as a table.

extension TransferStatus {
    /// What a host is told of a transfer that libusb has completed.
    ///
    /// The errno that Linux's own export (`usbip-host`) would pass on from the host controller's driver, as far as
    /// libusb tells them apart.
    init(completion status: libusb_transfer_status) {
        self =
            switch status {
            case LIBUSB_TRANSFER_COMPLETED: .success
            case LIBUSB_TRANSFER_TIMED_OUT: .timedOut
            case LIBUSB_TRANSFER_CANCELLED: .cancelled
            case LIBUSB_TRANSFER_STALL: .stalled
            // Drivers stop for good where after another error they would try again.
            case LIBUSB_TRANSFER_NO_DEVICE: .shutdown
            case LIBUSB_TRANSFER_OVERFLOW: .overflow
            default: .protocolError
            }
    }

    /// What a host is told of one packet of an isochronous transfer.
    init(packet status: libusb_transfer_status) {
        // Libusb has one word for all that can happen to a packet; that it was missed is the usual one.
        self = status == LIBUSB_TRANSFER_ERROR ? .missed : TransferStatus(completion: status)
    }

    /// What a host is told of a transfer or a request that libusb refused.
    init(refusal error: LibUSBError) {
        self =
            switch error {
            case .noDevice, .notFound, .access: .noDevice
            case .busy: .busy
            case .noMemory: .outOfMemory
            case .invalidParameter, .notSupported: .invalid
            case .timeout: .timedOut
            case .overflow: .overflow
            case .pipe: .stalled
            default: .protocolError
            }
    }

    /// What a host is told of a request that libusb, or the system under it, refused.
    init(request error: LibUSBError) {
        self =
            switch error {
            // The system knows that there is no such interface or endpoint; the device would have answered with STALL.
            // And it does so: of a call such as SET_INTERFACE libusb says no more than that it failed.
            case .notFound, .invalidParameter, .io, .other: .stalled
            default: TransferStatus(refusal: error)
            }
    }
}
