import USBCore
import USBDeviceKit

/// One of a disk's two endpoints: transfers wait here for their turn.
final class DiskEndpoint: EndpointHandler {
    let address: EndpointAddress
    var waiting = URBQueue()
    /// Owns this endpoint, and so outlives it in all but name.
    unowned(unsafe) var disk: ReplayDisk?

    init(_ address: EndpointAddress) { self.address = address }

    func submit(_ urb: consuming URB) {
        waiting.append(urb)
        unsafe disk?.advance()
    }

    func cancel(_ id: URB.ID) -> Bool {
        guard let urb = waiting.remove(id) else { return false }
        urb.complete(.cancelled)
        return true
    }

    func completeAll(_ status: TransferStatus) {
        var all = URBQueue()
        swap(&all, &waiting)
        all.completeAll(status)
    }
}
