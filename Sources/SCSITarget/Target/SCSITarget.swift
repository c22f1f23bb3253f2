/// A SCSI device with up to sixteen logical units, as a transport sees it.
///
/// The transport drives each command like this:
///
/// 1. ``begin(_:lun:)`` takes the command and says which way data go and how many bytes. A command that fails already
///    here has no data.
/// 2. Data move in pieces of any size, which need not be multiples of blocks. To the host: ``produce(_:into:)``, or
///    ``borrow(_:upTo:)`` without a copy. From the host: ``consume(_:_:)``, or ``landing(_:upTo:)`` and
///    ``landed(_:_:)`` without a copy. Fewer bytes than asked for, down to none, mean that the command failed;
///    the transport then swallows, or does not send, the rest.
/// 3. ``finish(_:)`` does what needs all the data and gives the status. It is called for each task, failed or not, and
///    also when the host moved less than the command wanted. Then blocks that came are written, those that did not are
///    not, and the status is good; incomplete parameters, however, fail with 5/1A/00 and change nothing.
/// 4. The sense data of a failed command are in the task, in ``sense(lun:)``, and in the answer to the host's
///    REQUEST SENSE until the next command.
///
/// Everything is called from one thread at a time. Calls may block on the stores.
public final class SCSITarget {
    /// The most logical units that a target has: what Bulk-Only Transport can address.
    public static let maximumUnitCount = 16

    /// The logical units, by number.
    public let units: [LogicalUnit]

    /// Makes a target; of more than sixteen units the first sixteen are used.
    public init(_ units: [LogicalUnit]) {
        self.units = Array(units.prefix(Self.maximumUnitCount))
    }

    /// The logical unit of a number, nil where there is none.
    public subscript(lun: UInt8) -> LogicalUnit? {
        let index = Int(lun)
        return index < units.count ? units[index] : nil
    }

    /// Starts a command.
    public func begin(_ cdb: CDB, lun: UInt8) -> SCSITask {
        guard Int(lun) < units.count else { return beginWithoutUnit(cdb, lun: lun) }
        if cdb.opcode == Opcode.reportLUNs {
            return reportLUNs(cdb, lun: lun)
        }
        return units[Int(lun)].begin(cdb, lun: lun)
    }

    /// Fills `buffer` with the command's next bytes for the host.
    ///
    /// - Returns: How many; 0 when there are no more, or the command failed.
    public func produce(_ task: inout SCSITask, into buffer: UnsafeMutableRawBufferPointer) -> Int {
        if task.operation == .reply {
            return unsafe task.produceReply(into: buffer)
        }
        guard let unit = self[task.lun] else { return 0 }
        return unsafe unit.produce(&task, into: buffer)
    }

    /// Gives the command's next bytes for the host where they lie in the store's memory, and counts them as moved.
    ///
    /// The memory is valid as ``BlockStore/memory(at:count:writable:)`` says.
    ///
    /// - Returns: At least 1 and at most `limit` bytes, or nil when there are none or they are not in memory:
    ///   use ``produce(_:into:)`` then.
    public func borrow(_ task: inout SCSITask, upTo limit: Int) -> UnsafeRawBufferPointer? {
        guard task.operation == .read, let unit = self[task.lun] else { return nil }
        return unsafe unit.borrow(&task, upTo: limit)
    }

    /// Takes the command's next bytes from the host.
    ///
    /// - Returns: How many were taken; fewer than offered when the command wants no more, or failed.
    public func consume(_ task: inout SCSITask, _ bytes: UnsafeRawBufferPointer) -> Int {
        guard let unit = self[task.lun] else { return 0 }
        return unsafe unit.consume(&task, bytes)
    }

    /// Gives the store's own memory for the command's next bytes from the host, to be reported with ``landed(_:_:)``.
    ///
    /// The memory is valid as ``BlockStore/memory(at:count:writable:)`` says. What is put there counts as written even
    /// if it is not reported.
    ///
    /// - Returns: At least 1 and at most `limit` bytes, or nil when the bytes cannot go there directly: use
    ///   ``consume(_:_:)`` then.
    public func landing(_ task: inout SCSITask, upTo limit: Int) -> UnsafeMutableRawBufferPointer? {
        guard task.operation == .write, let unit = self[task.lun] else { return nil }
        return unsafe unit.landing(&task, upTo: limit)
    }

    /// Counts bytes that were put into the memory of ``landing(_:upTo:)`` as moved.
    ///
    /// The command fails when its medium was taken out meanwhile: what came is not on the one that is there now.
    public func landed(_ task: inout SCSITask, _ count: Int) {
        guard task.operation == .write, !task.isFailed else { return }
        self[task.lun]?.landed(&task, count)
    }

    /// Ends the command.
    public func finish(_ task: inout SCSITask) -> SCSIStatus {
        let status = self[task.lun]?.finish(&task) ?? (task.isFailed ? .checkCondition : .good)
        onFinish?(task, status)
        return status
    }

    /// Is told of every command when it has ended, for the log; must not start another.
    public var onFinish: ((SCSITask, SCSIStatus) -> Void)?

    /// The sense data of the unit's last failed command, in the form that the host chose (D_SENSE of mode page 0A).
    ///
    /// At least 8 bytes; all is well, 0/00/00, when the last command did not fail.
    public func sense(lun: UInt8) -> [UInt8] {
        guard let unit = self[lun] else { return Self.noUnit.bytes(asDescriptors: false) }
        return unit.currentSense.bytes(asDescriptors: unit.modes.sendsDescriptorSense)
    }

    /// The sense data as from ``sense(lun:)``, for a transport that sends them with the status.
    ///
    /// The host has them then: a REQUEST SENSE will not find them any more (SAM-5 §5.13).
    public func takeSense(lun: UInt8) -> [UInt8] {
        let bytes = sense(lun: lun)
        self[lun]?.currentSense = .none
        return bytes
    }

    /// Resets every unit: see ``LogicalUnit/busReset()``.
    public func busReset() {
        for unit in units {
            unit.busReset()
        }
    }

    private static let noUnit = Sense(.illegalRequest, .unitNotSupported)

    /// Commands to a number without a unit (SPC-4 §4.5.8, §6.6.1): three are answered, the others fail.
    private func beginWithoutUnit(_ cdb: CDB, lun: UInt8) -> SCSITask {
        var task = SCSITask(cdb, lun: lun)
        switch cdb.opcode {
        case Opcode.reportLUNs:
            return reportLUNs(cdb, lun: lun)
        case Opcode.inquiry where cdb[1] & 0x01 == 0 && cdb[2] == 0:
            // Peripheral qualifier 3, type 1F: no unit is possible here.
            var data: [UInt8] = [0x7F, 0, (units.first?.configuration.version ?? .spc4).rawValue, 0x02, 31, 0, 0, 0]
            data += [UInt8](repeating: 0x20, count: 28)
            task.reply(data, allocation: Int(cdb.u16(at: 3)))
        case Opcode.requestSense:
            task.reply(Self.noUnit.bytes(asDescriptors: cdb[1] & 0x01 != 0), allocation: Int(cdb[4]))
        default:
            task.fail(Self.noUnit)
        }
        return task
    }

    /// REPORT LUNS (SPC-4 §6.33): the target's, whichever unit is asked.
    private func reportLUNs(_ cdb: CDB, lun: UInt8) -> SCSITask {
        var task = SCSITask(cdb, lun: lun)
        let allocation = cdb.u32(at: 6)
        guard allocation >= 16 else { return reportLUNsFailure(&task, .invalidField(inCDB: 6)) }
        let count: Int
        switch cdb[2] {
        case 0, 2: count = units.count
        case 1: count = 0  // Well-known logical units: none.
        default: return reportLUNsFailure(&task, .invalidField(inCDB: 2))
        }
        var data: [UInt8] = []
        data.append(bigEndian: UInt32(count * 8))
        data.append(bigEndian: UInt32(0))
        for number in 0..<count {
            data += [0, UInt8(number), 0, 0, 0, 0, 0, 0]
        }
        task.reply(data, allocation: Int(allocation))
        return task
    }

    private func reportLUNsFailure(_ task: inout SCSITask, _ sense: Sense) -> SCSITask {
        task.fail(sense)
        return task
    }
}
