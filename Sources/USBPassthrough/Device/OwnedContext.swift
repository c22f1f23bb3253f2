/// A context of libusb's that is freed when nobody needs it any more.
final class OwnedContext: Sendable {
    let context: LibUSBFunctions.Context
    private let libusb: LibUSBFunctions

    init(_ libusb: LibUSBFunctions) throws(LibUSBError) {
        self.libusb = libusb
        context = try libusb.makeContext()
    }

    deinit { libusb.freeContext(context) }
}
