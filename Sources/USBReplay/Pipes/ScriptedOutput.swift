import USBCore
import USBDeviceKit

/// An OUT endpoint that compares what the host sends with the recording.
final class ScriptedOutput: EndpointHandler {
    let address: EndpointAddress
    private let ledger: Ledger
    private let group: PipeGroup
    private let line: DelayLine
    /// Halts the endpoint.
    var halt: (EndpointAddress) -> Void = { _ in }

    init(_ address: EndpointAddress, _ ledger: Ledger, _ clock: ReplayClock, group: PipeGroup) {
        self.address = address
        self.ledger = ledger
        self.group = group
        line = DelayLine(clock)
    }

    func submit(_ urb: consuming URB) {
        // Sent at once even where interrupt IN keeps its gaps: the host decides when it sends.
        let latency = group.latency(on: address, after: line.count)
        let delay = ledger.settings.delay(latency, isPeriodic: false)
        // Taken when its time has come: what the host takes back before has not reached the device.
        line.add(urb, after: delay) { [unowned self] urb in take(urb) }
    }

    private func take(_ urb: consuming URB) {
        let data = urb.withBytes { [UInt8](copying: $0) }
        let outcome = group.take(data, on: address, urb.type)
        // Halted before the host knows, since it may clear the halt at once.
        if outcome.status == .stalled { halt(address) }
        outcome.complete(urb)
        group.deliver()
    }

    func cancel(_ id: URB.ID) -> Bool { line.cancel(id) }

    func completeAll(_ status: TransferStatus) { line.completeAll(status) }
}
