import SCSITarget
import USBCore
import USBDeviceKit

/// The state machine of USB Mass Storage Class Bulk-Only Transport 1.0.
///
/// A command is a wrapper from the host, data one way or none, and a status. Host and device each have their idea of
/// the data; the thirteen ways in which the two can relate (§6.7) are named where they are handled. Transfers that
/// come before their turn wait, as packets would be NAKed.
@safe final class BulkOnlyTransport {
    let target: SCSITarget
    let input: BulkEndpoint
    let output: BulkEndpoint
    private let maxPacketSize: Int
    private let stallsShortData: Bool
    /// Halts the IN endpoint.
    var halt: (EndpointAddress) -> Void = { _ in }

    private enum Phase {
        case command
        case dataIn
        case dataOut
        case status
        /// A wrapper made no sense: everything stalls until the host's reset recovery (§6.6.1).
        case wedged
    }

    private var phase = Phase.command
    private var wrapper: CommandStatusWrapper
    private var task: SCSITask
    /// What the host is still going to move in this data phase.
    private var hostRemaining: UInt64 = 0
    /// The data, or their absence, already ruled the command's outcome: a phase error.
    private var isPhaseError = false
    /// Whether the IN endpoint is to be halted once the transfer at hand is answered.
    private var mustHalt = false
    private var isAdvancing = false
    /// Where the host's next bytes were promised to go, and what keeps that memory alive meanwhile.
    private var promised: (address: UnsafeMutableRawPointer, store: any BlockStore)?

    /// Makes an idle transport.
    ///
    /// - Parameters:
    ///   - stallsShortData: end short data with STALL, as the specification prefers, rather than with a short packet
    ///     alone.
    init(
        target: SCSITarget, input: EndpointAddress, output: EndpointAddress, maxPacketSize: Int, stallsShortData: Bool
    ) {
        self.target = target
        self.maxPacketSize = maxPacketSize
        self.stallsShortData = stallsShortData
        self.input = BulkEndpoint(input)
        self.output = BulkEndpoint(output)
        wrapper = CommandStatusWrapper(tag: 0, residue: 0, status: .passed)
        task = target.begin(CDB(), lun: 0)
        unsafe self.input.transport = self
        unsafe self.output.transport = self
    }

    var isWedged: Bool { phase == .wedged }

    /// Returns to expecting a command: Bulk-Only Mass Storage Reset (§3.1) and bus resets.
    func reset() {
        phase = .command
        isPhaseError = false
        mustHalt = false
        unsafe promised = nil
    }

    // MARK: Transfers

    /// Works on whatever has its turn until something is missing.
    ///
    /// Whoever gets a transfer back may submit the next at once; that one waits until the step at hand is complete.
    func advance() {
        guard !isAdvancing else { return }
        isAdvancing = true
        defer { isAdvancing = false }
        while true {
            switch phase {
            case .command:
                guard let urb = output.waiting.popFirst() else { return }
                command(urb)
            case .dataOut:
                guard let urb = output.waiting.popFirst() else { return }
                takeData(urb)
            case .dataIn:
                guard let urb = input.waiting.popFirst() else { return }
                sendData(urb)
            case .status:
                guard let urb = input.waiting.popFirst() else { return }
                sendStatus(urb)
            case .wedged:
                if let urb = output.waiting.popFirst() {
                    urb.stall()
                } else if let urb = input.waiting.popFirst() {
                    urb.stall()
                } else {
                    return
                }
            }
        }
    }

    private func command(_ urb: consuming URB) {
        guard let block = urb.withBytes({ CommandBlockWrapper($0) }) else {
            phase = .wedged
            urb.stall()
            halt(input.address)
            halt(output.address)
            return
        }
        urb.accept()
        wrapper = CommandStatusWrapper(tag: block.tag, residue: block.dataLength, status: .passed)
        hostRemaining = UInt64(block.dataLength)
        task = target.begin(block.cdb, lun: block.lun)

        let wanted = task.length
        switch (block.dataLength == 0 ? SCSIDataDirection.none : block.isIn ? .in : .out, task.direction) {
        case (.none, .none):  // Hn = Dn (1)
            finish()
        case (.none, _):  // Hn < Di (2), Hn < Do (3)
            failPhase()
        case (.in, .none):  // Hi > Dn (4)
            endDataIn()
        case (.in, .in):  // Hi > Di (5), Hi = Di (6), Hi < Di (7)
            isPhaseError = wanted > hostRemaining
            phase = .dataIn
        case (.in, .out):  // Hi <> Do (8)
            isPhaseError = true
            endDataIn()
        case (.out, .in):  // Ho <> Di (10)
            isPhaseError = true
            phase = .dataOut
        case (.out, _):  // Ho > Dn (9), Ho > Do (11), Ho = Do (12), Ho < Do (13)
            isPhaseError = wanted > hostRemaining
            phase = .dataOut
        }
    }

    // MARK: Data to the host

    private func sendData(_ urb: consuming URB) {
        let room = urb.requestedLength
        let count = task.direction == .in ? Int(min(UInt64(room), hostRemaining, task.remaining)) : 0
        let borrowed = count > 0 ? unsafe target.borrow(&task, upTo: count) : nil
        if let bytes = unsafe borrowed, bytes.count == count {
            // The whole piece lies in the store's memory and goes to the socket from there.
            let status = accountIn(count, room)
            unsafe urb.complete(status, borrowing: bytes)
        } else {
            urb.complete(reserving: count) { output in
                let moved = unsafe output.withUnsafeMutableBytes { memory, initialized in
                    unsafe initialized = produce(after: borrowed, into: memory)
                    return initialized
                }
                return accountIn(moved, room)
            }
        }
        if phase == .status, mustHalt {
            mustHalt = false
            halt(input.address)
        }
    }

    /// Fills `memory` with what was borrowed already, and with what the target has after that.
    private func produce(
        after borrowed: UnsafeRawBufferPointer?, into memory: UnsafeMutableRawBufferPointer
    ) -> Int {
        var filled = 0
        if let borrowed = unsafe borrowed, borrowed.count <= memory.count {
            unsafe memory.copyMemory(from: borrowed)
            filled = borrowed.count
        }
        while filled < memory.count {
            let count = unsafe target.produce(&task, into: UnsafeMutableRawBufferPointer(rebasing: memory[filled...]))
            guard count > 0 else { break }
            filled += count
        }
        return filled
    }

    /// Counts data that went to the host in a transfer with `room`; ends the data phase where it ends.
    ///
    /// - Returns: how the transfer ends.
    private func accountIn(_ count: Int, _ room: Int) -> TransferStatus {
        hostRemaining -= min(hostRemaining, UInt64(count))
        wrapper.residue = UInt32(truncatingIfNeeded: hostRemaining)
        let isShort = count < room
        guard hostRemaining > 0, task.remaining > 0, !task.isFailed, !isShort else {
            // The device has no more to send than what it has sent. If the host expects more and its transfer is not
            // ended by a short packet, the STALL ends it.
            let halts = hostRemaining > 0 && stallsShortData
            if hostRemaining > 0, !halts, !isShort {
                // The host cannot know yet, and asks once more: an empty packet ends the data then.
                return .success
            }
            let endsShort = isShort && count % maxPacketSize != 0
            conclude()
            mustHalt = halts
            return halts && isShort && !endsShort ? .stalled : .success
        }
        return .success
    }

    /// The host expects data, and there are none.
    private func endDataIn() {
        if stallsShortData {
            conclude()
            halt(input.address)
        } else {
            // An empty packet in place of data; the data phase still takes a transfer of the host.
            phase = .dataIn
        }
    }

    // MARK: Data from the host

    private func takeData(_ urb: consuming URB) {
        let length = urb.requestedLength
        let expected = Int(min(UInt64(length), hostRemaining))
        let useful = isPhaseError || task.direction != .out ? 0 : Int(min(UInt64(expected), task.remaining))
        var moved = 0
        if useful > 0 {
            let payload = unsafe urb.payload
            if let promised = unsafe promised, unsafe payload.baseAddress == UnsafeRawPointer(promised.address) {
                target.landed(&task, useful)
                moved = useful
            } else {
                moved = unsafe consume(UnsafeRawBufferPointer(rebasing: payload[..<useful]))
            }
        }
        unsafe promised = nil
        hostRemaining -= UInt64(expected)
        wrapper.residue -= min(wrapper.residue, UInt32(truncatingIfNeeded: moved))
        // A short packet ends the data phase even when more was announced.
        if hostRemaining == 0 || length % maxPacketSize != 0 || length == 0 { conclude() }
        urb.accept()
    }

    private func consume(_ bytes: UnsafeRawBufferPointer) -> Int {
        var used = 0
        while used < bytes.count {
            let count = unsafe target.consume(&task, UnsafeRawBufferPointer(rebasing: bytes[used...]))
            guard count > 0 else { break }
            used += count
        }
        return used
    }

    /// The store's memory for data that are about to come, when they can go there directly.
    func landing(count: Int) -> UnsafeMutableRawBufferPointer? {
        guard phase == .dataOut, !isPhaseError, output.waiting.isEmpty, UInt64(count) <= hostRemaining,
            UInt64(count) <= task.remaining, let store = target[task.lun]?.store,
            let memory = unsafe target.landing(&task, upTo: count), memory.count == count,
            let start = memory.baseAddress
        else { return nil }
        unsafe promised = (start, store)
        return unsafe memory
    }

    // MARK: Status

    /// The data phase is over.
    private func conclude() {
        if isPhaseError { failPhase() } else { finish() }
    }

    private func finish() {
        isPhaseError = false
        wrapper.status = target.finish(&task) == .good ? .passed : .failed
        phase = .status
    }

    /// Host and device do not agree on the data (§6.7: cases 2, 3, 7, 8, 10, 13).
    private func failPhase() {
        isPhaseError = false
        wrapper.status = .phaseError
        phase = .status
    }

    private func sendStatus(_ urb: consuming URB) {
        phase = .command
        let wrapper = wrapper
        guard urb.requestedLength >= CommandStatusWrapper.size else {
            urb.complete(.overflow)
            return
        }
        urb.complete(reserving: CommandStatusWrapper.size) { output in
            wrapper.write(to: &output)
            return .success
        }
    }
}

/// One of the transport's two endpoints: transfers wait here for their turn.
final class BulkEndpoint: EndpointHandler {
    let address: EndpointAddress
    var waiting = URBQueue()
    /// Owns this endpoint, and so outlives it in all but name.
    unowned(unsafe) var transport: BulkOnlyTransport?

    init(_ address: EndpointAddress) { self.address = address }

    func submit(_ urb: consuming URB) {
        waiting.append(urb)
        unsafe transport?.advance()
    }

    func cancel(_ id: URB.ID) -> Bool {
        guard let urb = waiting.remove(id) else { return false }
        urb.complete(.cancelled)
        return true
    }

    func completeAll(_ status: TransferStatus) {
        // Taken out first: whoever gets a transfer back may submit the next at once.
        var all = URBQueue()
        swap(&all, &waiting)
        all.completeAll(status)
    }

    func landing(count: Int) -> UnsafeMutableRawBufferPointer? {
        address.direction == .out ? unsafe transport?.landing(count: count) : nil
    }
}
