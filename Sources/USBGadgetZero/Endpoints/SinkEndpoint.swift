import USBCore
import USBDeviceKit

/// A bulk or interrupt OUT endpoint that takes every transfer, and halts on bytes that are not the pattern's.
final class SinkEndpoint: EndpointHandler {
    let address: EndpointAddress
    private(set) var counts = EndpointCounts()
    /// Who handles the address instead, in a configuration where it is no sink.
    var substitute: (any EndpointHandler)?
    /// Halts the endpoint.
    var halt: () -> Void = {}
    private var memory: PatternMemory

    /// Makes a sink for packets of `packetField`, `wMaxPacketSize` as it stands.
    init(_ address: EndpointAddress, _ pattern: TestPattern, packetField: UInt16) {
        self.address = address
        memory = PatternMemory(pattern, period: Int(packetField))
    }

    func submit(_ urb: consuming URB) {
        if let substitute { substitute.submit(urb) } else { take(urb) }
    }

    private func take(_ urb: consuming URB) {
        counts.add(bytes: urb.requestedLength)
        if memory.pattern.isChecked, unsafe !memory.matches(urb.payload) {
            counts.mismatches &+= 1
            // The bytes have arrived, so this transfer ends well, and the next one meets the halt: as in Linux. Halted
            // first, since whoever gets the transfer back may submit the next at once.
            halt()
        }
        urb.accept()
    }

    func cancel(_ id: URB.ID) -> Bool { substitute?.cancel(id) ?? false }

    func completeAll(_ status: TransferStatus) { substitute?.completeAll(status) }

    /// Counts from 0 again.
    func restart() { counts = EndpointCounts() }
}
