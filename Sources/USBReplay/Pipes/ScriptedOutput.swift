import USBCore
import USBDeviceKit

/// An OUT endpoint that compares what the host sends with the recording.
final class ScriptedOutput: EndpointHandler {
    let address: EndpointAddress
    private let ledger: Ledger
    private let group: PipeGroup
    private let line: DelayLine
    private let isPeriodic: Bool
    /// Halts the endpoint.
    var halt: (EndpointAddress) -> Void = { _ in }

    init(_ address: EndpointAddress, _ ledger: Ledger, _ clock: ReplayClock, type: TransferType, group: PipeGroup) {
        self.address = address
        self.ledger = ledger
        self.group = group
        isPeriodic = type == .interrupt
        line = DelayLine(clock)
        // Halted before the host knows, since it may clear the halt at once.
        line.beforehand = { [unowned self] status in
            if status == .stalled { halt(address) }
        }
        line.afterwards = { group.deliver() }
    }

    func submit(_ urb: consuming URB) {
        let data = urb.withBytes { [UInt8](copying: $0) }
        let (outcome, latency) = group.take(data, on: address, urb.type)
        // Sent at once even where interrupt IN keeps its gaps: the host decides when it sends.
        let delay = ledger.settings.delay(latency, isPeriodic: false)
        line.end(urb, outcome, after: delay)
    }

    func cancel(_ id: URB.ID) -> Bool { line.cancel(id) }

    func completeAll(_ status: TransferStatus) { line.completeAll(status) }
}
