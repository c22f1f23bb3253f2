import USBCore
import USBDeviceKit

// What stands between the two marks is shown in Documentation/Write-a-device.md, and a test keeps the two equal.

// BEGIN echo device
/// Sends back what it is sent, and counts it: vendor request 1 reads the count.
final class EchoDevice: Gadget {
    let description = DeviceDescription(speed: .high, vendorID: 0x1209, productID: 0x0001, product: "Echo") {
        Configuration {
            Interface(0, class: .vendorSpecific) {
                Endpoint(.out(1), .bulk)
                Endpoint(.in(1), .bulk)
            }
        }
    }
    private let output = OutPipe(1)
    private let input = InPipe(1, capacity: 64 << 10)
    private var count: UInt8 = 0

    var endpoints: [any EndpointHandler] { [output, input] }

    func attached(to link: GadgetLink) {
        output.onReceive { [unowned self, unowned link] bytes in
            count &+= 1
            if !input.send([UInt8](copying: bytes)) { link.halt(.out(1)) }
        }
    }

    func control(_ urb: consuming URB) {
        guard urb.setup.requestType == 0xc0, urb.setup.request == 1 else { return urb.stall() }
        urb.complete(copying: [count])
    }

    func reset() { count = 0 }
}
// END echo device
