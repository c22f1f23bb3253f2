import CaptureTraces
import SCSITarget
import USBCapture
import USBCore
import USBDeviceKit

/// A recorded Bulk-Only disk that answers by command (Bulk-Only Transport 1.0).
///
/// A command that the recording has gets the recorded answer, data, residue and stalls included; READ gets what the
/// blocks held, with what the host wrote since over it; everything else is answered as a disk would.
@safe final class ReplayDisk {
    private enum Phase {
        case command
        case dataIn
        case dataOut
        case status
        /// A wrapper made no sense: everything stalls until the host's reset recovery (§6.6.1).
        case wedged
    }

    private let ledger: Ledger
    private let recorded: RecordedDisk?
    private let commands: DiskCommands?
    private let input: DiskEndpoint
    private let output: DiskEndpoint
    private let packetSize: Int
    /// Halts an endpoint.
    var halt: (EndpointAddress) -> Void = { _ in }

    private var phase = Phase.command
    private var isAdvancing = false
    private var tag: UInt32 = 0
    private var unit: UInt8 = 0
    private var cdb = CDB()
    private var expected: UInt32 = 0
    /// What of ``expected`` did not mean anything.
    private var residue: UInt32 = 0
    private var status: UInt8 = 0
    /// What the host is still going to move in this data phase.
    private var hostRemaining = 0
    /// Bytes that the host has sent.
    private var received = 0
    private var source = DiskCommands.Source.bytes([])
    /// The recorded WRITE that this one has been like up to now.
    private var candidate: RecordedPlay?
    /// Whether the command has its place in the report already, other than by being as recorded.
    private var isCounted = false
    private var isPhaseError = false

    init(_ ledger: Ledger, input: EndpointAddress, output: EndpointAddress, packetSize: Int) {
        self.ledger = ledger
        self.packetSize = max(packetSize, 1)
        self.input = DiskEndpoint(input)
        self.output = DiskEndpoint(output)
        do throws(CaptureError) {
            let recorded = try RecordedDisk(ledger.trace, output: output)
            self.recorded = recorded
            commands = DiskCommands(recorded, ledger, input: input, output: output)
        } catch {
            ledger.report.note("the disk's commands cannot be read: \(error)")
            recorded = nil
            commands = nil
        }
        unsafe self.input.disk = self
        unsafe self.output.disk = self
    }

    var endpoints: [any EndpointHandler] { [input, output] }

    var unitCount: Int { recorded?.unitCount ?? 1 }

    /// How many ranges of blocks are known, over all units.
    var knownRangeCount: Int { recorded?.blocks.values.reduce(0) { $0 + $1.rangeCount } ?? 0 }

    /// Whether the halt of an endpoint stays whatever the host clears.
    func holdsHalt(of endpoint: EndpointAddress) -> Bool {
        phase == .wedged && (endpoint == input.address || endpoint == output.address)
    }

    /// Returns to expecting a command: Bulk-Only Mass Storage Reset (§3.1), bus resets, new settings.
    func reset() {
        phase = .command
        candidate = nil
        isPhaseError = false
        advance()
    }

    /// Begins the recording again, without what the host wrote.
    func rewind() {
        reset()
        commands?.rewind()
    }

    // MARK: Transfers

    /// Works on whatever has its turn until something is missing.
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
        let bytes = urb.withBytes { $0.byteCount == 31 ? [UInt8](copying: $0) : [] }
        guard bytes.starts(with: [0x55, 0x53, 0x42, 0x43]), (1...16).contains(bytes[14]), let commands else {
            ledger.diverge(
                .unexpectedRequest, output.address, .bulk, subject: "command wrapper", actual: bytes,
                detail: "it is not a valid one")
            phase = .wedged
            halt(input.address)
            halt(output.address)
            urb.stall()
            return
        }
        tag = Self.little32(bytes, 4)
        expected = Self.little32(bytes, 8)
        unit = bytes[13] & 0x0f
        cdb = CDB(Array(bytes[15..<15 + Int(bytes[14])]))
        let isIn = bytes[12] & 0x80 != 0
        residue = expected
        hostRemaining = Int(expected)
        received = 0
        status = 0
        isPhaseError = false
        source = commands.begin(cdb, unit: unit, expected: expected, isIn: isIn)
        candidate = nil
        isCounted = recorded?.places(cdb, unit: unit, expected: expected).isEmpty ?? true
        plan(isIn: isIn)
        urb.accept()
    }

    /// Finds out what comes after the command, in the thirteen cases of §6.7.
    private func plan(isIn: Bool) {
        switch source {
        case .recording(let play):
            guard expected > 0 else { return conclude() }
            // With no data and no stall the status came at once.
            if isIn, play.command.moved == 0, play.ending == .none { return conclude() }
            phase = isIn ? .dataIn : .dataOut
        case .bytes, .unreadable:
            guard expected > 0, isIn else { return fail() }
            phase = .dataIn
        case .disk(let task):
            switch (expected == 0, isIn, task.direction) {
            case (true, _, .none): conclude()
            case (true, _, _): fail()
            case (false, true, .out):
                isPhaseError = true
                phase = .dataIn
            case (false, true, _):
                isPhaseError = task.length > UInt64(expected)
                phase = .dataIn
            case (false, false, let direction):
                isPhaseError = direction == .in || task.length > UInt64(expected)
                if direction == .out {
                    candidate = commands?.candidate(cdb, unit: unit, expected: expected)
                }
                phase = .dataOut
            }
        }
    }

    // MARK: Data to the host

    private func sendData(_ urb: consuming URB) {
        let room = min(urb.requestedLength, hostRemaining)
        switch source {
        case .recording(var play):
            let bytes: [UInt8]
            do throws(CaptureError) {
                bytes = try play.next(room)
            } catch {
                commands?.unreadable(error, play.place)
                source = .unreadable
                halt(input.address)
                conclude()
                return urb.stall()
            }
            source = .recording(play)
            moved(bytes.count)
            guard play.remaining == 0 else { return urb.complete(copying: bytes) }
            if hostRemaining == 0 {
                conclude()
            } else if play.ending == .stalled || (play.ending == .shortThenStalled && bytes.isEmpty) {
                halt(input.address)
                conclude()
                return urb.complete(.stalled, copying: bytes)
            } else if play.ending != .shortThenStalled, isShort(bytes.count, of: urb.requestedLength) {
                conclude()
            }
            // Else the host cannot know yet that there is no more, and asks again.
            urb.complete(copying: bytes)
        case .bytes(let all):
            let bytes = Array(all.prefix(room))
            source = .bytes(Array(all.dropFirst(bytes.count)))
            moved(bytes.count)
            if hostRemaining == 0 || isShort(bytes.count, of: urb.requestedLength) { conclude() }
            urb.complete(copying: bytes)
        case .unreadable:
            conclude()
            urb.stall()
        case .disk(var task):
            var bytes = [UInt8](repeating: 0, count: isPhaseError && task.direction != .in ? 0 : room)
            var filled = 0
            unsafe bytes.withUnsafeMutableBytes { memory in
                while filled < memory.count {
                    let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: memory[filled...])
                    let count = unsafe commands?.units.target.produce(&task, into: rest) ?? 0
                    guard count > 0 else { break }
                    filled += count
                }
            }
            bytes.removeLast(bytes.count - filled)
            source = .disk(task)
            moved(filled)
            if hostRemaining == 0 || isShort(filled, of: urb.requestedLength) { conclude() }
            urb.complete(copying: bytes)
        }
    }

    /// Whether so many bytes end the data: the last packet is not full, or there is room left.
    private func isShort(_ count: Int, of room: Int) -> Bool { count < room || count % packetSize != 0 }

    private func moved(_ count: Int) {
        hostRemaining -= min(count, hostRemaining)
        residue = UInt32(truncatingIfNeeded: hostRemaining)
    }

    // MARK: Data from the host

    private func takeData(_ urb: consuming URB) {
        let length = urb.requestedLength
        let bytes = urb.withBytes { [UInt8](copying: $0) }
        if case .recording(let play) = source, play.command.isStalled {
            halt(output.address)
            conclude()
            urb.stall()
            return
        }
        let useful = Array(bytes.prefix(hostRemaining))
        if case .disk(var task) = source {
            var used = 0
            if !isPhaseError, task.direction == .out {
                unsafe useful.withUnsafeBytes { memory in
                    while used < memory.count {
                        let rest = unsafe UnsafeRawBufferPointer(rebasing: memory[used...])
                        let count = unsafe commands?.units.target.consume(&task, rest) ?? 0
                        guard count > 0 else { break }
                        used += count
                    }
                }
            }
            source = .disk(task)
            compare(useful)
            residue -= min(residue, UInt32(truncatingIfNeeded: used))
        } else {
            residue -= min(residue, UInt32(truncatingIfNeeded: useful.count))
        }
        received += useful.count
        hostRemaining -= useful.count
        // A short packet ends the data even when more was announced.
        if hostRemaining == 0 || length % packetSize != 0 || length == 0 { conclude() }
        urb.accept()
    }

    private func compare(_ bytes: [UInt8]) {
        guard let play = candidate else { return }
        do throws(CaptureError) {
            guard let difference = try play.difference(bytes, at: received) else { return }
            commands?.differs(cdb, difference)
            isCounted = ledger.settings.isStrict
        } catch {
            commands?.unreadable(error, play.place)
        }
        candidate = nil
    }

    // MARK: Status

    /// The data phase is over, or there was none.
    private func conclude() {
        guard !isPhaseError else { return fail() }
        phase = .status
        switch source {
        case .bytes: status = 0
        case .unreadable: status = 1
        case .recording(let play):
            status = play.command.outcome == .passed ? 0 : play.command.outcome == .failed ? 1 : 2
            if play.command.expected == expected { residue = play.command.residue }
        case .disk(var task):
            let isGood = commands?.units.target.finish(&task) == .good
            status = isGood ? 0 : 1
            source = .disk(task)
            if task.direction == .out { countWrite(isGood: isGood) }
        }
        commands?.ended(source, unit: unit, isFailed: status != 0)
    }

    private func countWrite(isGood: Bool) {
        guard isGood else { return }
        commands?.wrote(cdb, unit: unit, isAsRecorded: candidate?.place, isCounted: isCounted)
        candidate = nil
    }

    /// Host and device do not agree on the data.
    private func fail() {
        isPhaseError = false
        status = 2
        phase = .status
    }

    private func sendStatus(_ urb: consuming URB) {
        phase = .command
        guard urb.requestedLength >= 13 else {
            urb.complete(.overflow)
            return
        }
        var bytes: [UInt8] = [0x55, 0x53, 0x42, 0x53]
        for word in [tag, residue] {
            for shift in [0, 8, 16, 24] { bytes.append(UInt8(truncatingIfNeeded: word >> UInt32(shift))) }
        }
        urb.complete(copying: bytes + [status])
    }

    private static func little32(_ bytes: [UInt8], _ place: Int) -> UInt32 {
        (0..<4).reduce(0) { $0 | UInt32(bytes[place + $1]) << UInt32(8 * $1) }
    }
}
