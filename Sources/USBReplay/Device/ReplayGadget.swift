import CaptureTraces
import USBCore
import USBDeviceKit

/// What of a replayed device the kit does not do by itself: class and vendor requests, and the endpoints.
final class ReplayGadget: Gadget {
    let description: DeviceDescription
    private(set) var endpoints: [any EndpointHandler] = []
    private let ledger: Ledger
    private let clock: ReplayClock
    private let line: DelayLine
    private let control: ControlScript
    private var groups: [PipeGroup] = []
    private var inputs: [ScriptedInput] = []
    private var isochronousInputs: [IsochronousInput] = []
    private var isochronousOutputs: [IsochronousOutput] = []
    /// By interface number.
    private(set) var disks: [UInt8: ReplayDisk] = [:]
    private var link: GadgetLink?

    init(_ ledger: Ledger, _ clock: ReplayClock, _ description: DeviceDescription) {
        self.description = description
        self.ledger = ledger
        self.clock = clock
        line = DelayLine(clock)
        var plan = EndpointPlan(description, ledger.trace)
        for disk in plan.disks {
            disks[disk.interface] = ReplayDisk(
                ledger, input: disk.input, output: disk.output,
                packetSize: plan.packetSize(of: disk.input, description.speed))
        }
        control = ControlScript(ledger, units: disks.values.map(\.unitCount).max() ?? 1)
        for disk in disks.values { endpoints += disk.endpoints }
        for group in plan.groups { add(group, &plan) }
        for address in plan.isochronous {
            let transfers = plan.takeTransfers(of: address)
            if address.direction == .in {
                let handler = IsochronousInput(address, ledger, answers: transfers)
                isochronousInputs.append(handler)
                endpoints.append(handler)
            } else {
                let handler = IsochronousOutput(address, ledger, sent: transfers)
                isochronousOutputs.append(handler)
                endpoints.append(handler)
            }
        }
    }

    private func add(_ addresses: [EndpointAddress], _ plan: inout EndpointPlan) {
        let group = PipeGroup(ledger)
        var sent: [UInt32] = []
        var members: [ScriptedInput] = []
        let hasOutput = addresses.contains { $0.direction == .out }
        for address in addresses {
            let type = plan.type(of: address)
            let transfers = plan.takeTransfers(of: address)
            if address.direction == .in {
                let handler = ScriptedInput(
                    address, ledger, clock, packetSize: plan.packetSize(of: address, description.speed), type: type,
                    answers: transfers)
                handler.loopsAlone = !hasOutput
                members.append(handler)
                endpoints.append(handler)
            } else {
                let handler = ScriptedOutput(address, ledger, clock, group: group)
                handler.halt = { [unowned self] in link?.halt($0) }
                sent += transfers
                endpoints.append(handler)
            }
        }
        for member in members { member.halt = { [unowned self] in link?.halt($0) } }
        inputs += members
        group.load(outputs: sent.sorted(), inputs: members)
        groups.append(group)
    }

    // MARK: Gadget

    func attached(to link: GadgetLink) {
        self.link = link
        for disk in disks.values { disk.halt = { [weak link] in link?.halt($0) } }
    }

    func control(_ urb: consuming URB) {
        let setup = urb.setup
        // What chapter 9 leaves to the class and the descriptors do not answer.
        guard setup.kind != .standard else {
            urb.stall()
            return
        }
        let data = setup.direction == .out ? urb.withBytes { [UInt8](copying: $0) } : []
        let (outcome, latency) = control.answer(setup, data)
        if let disk = disks[UInt8(truncatingIfNeeded: setup.index)], setup.requestType == 0x21, setup.request == 0xff {
            disk.reset()
        }
        line.add(urb, after: ledger.settings.delay(latency, isPeriodic: false)) { outcome.complete($0) }
    }

    /// Whether a control transfer waits for its time.
    var isControlWaiting: Bool { line.count > 0 }

    /// Has a control transfer ended after those that wait.
    func queueControl(_ urb: consuming URB, _ end: @escaping (consuming URB) -> Void) { line.add(urb, after: 0, end) }

    func cancelControl(_ id: URB.ID) -> Bool { line.cancel(id) }

    func configured(_ value: UInt8) {
        for input in inputs { input.restartClock() }
        for disk in disks.values { disk.reset() }
    }

    func selected(interface: UInt8, alternate: UInt8) { disks[interface]?.reset() }

    func reset() {
        line.completeAll(.shutdown)
        for input in inputs { input.forgetPart() }
        for disk in disks.values { disk.reset() }
    }

    func clearsHalt(of endpoint: EndpointAddress) -> Bool { !disks.values.contains { $0.holdsHalt(of: endpoint) } }

    /// A new host finds the device as it was when the recording began.
    func connected() {
        control.rewind()
        for group in groups { group.rewind() }
        for endpoint in isochronousInputs { endpoint.rewind() }
        for endpoint in isochronousOutputs { endpoint.rewind() }
        for disk in disks.values { disk.rewind() }
    }

    func disconnected() { clock.stop() }
}
