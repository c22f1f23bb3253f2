import CaptureTraces
import USBCapture
import USBCore

/// The transfers of commands that change what a disk holds, so that they can be left out.
///
/// Commands of the Bulk-Only Transport are told by their command blocks; of other mass storage (UAS, CBI), whose
/// commands are not followed here, everything is left out.
struct DiskWrites {
    /// Places of transfers that belong to such a command, or may: its block, its data, its status.
    private(set) var transfers: Set<Int32> = []
    /// Places of transfers that read what such a command had written.
    private(set) var unsettled: Set<Int32> = []
    /// What was found, for the report.
    private(set) var remark: String?

    private var commands = 0

    /// Nothing is left out.
    init() {}

    /// Finds the commands in a trace.
    ///
    /// - Throws: ``USBCapture/CaptureError`` when the file has been changed since.
    init(_ trace: Trace, _ facts: EndpointFacts) throws(CaptureError) {
        let pipes = try BulkOnlyReader.pipes(of: trace)
        let all = try BulkOnlyReader.commands(of: trace)
        for pipe in pipes {
            let mine = all.filter { $0.output == pipe.output }
            leaveOut(pipe, mine, trace)
        }
        let others = leaveOutOthers(trace, facts)
        var parts: [String] = []
        if commands > 0 {
            let those = commands == 1 ? "1 command that changes" : "\(commands) commands that change"
            parts.append("\(those) what the disk holds left out")
        }
        if others { parts.append("a disk whose commands are not those of the Bulk-Only Transport left alone") }
        if !unsettled.isEmpty { parts.append("what reads the same blocks later is not compared") }
        if !parts.isEmpty { remark = parts.joined(separator: "; ") + "; --allow-writes sends all of it" }
    }

    private mutating func leaveOut(_ pipe: BulkOnlyReader.Pipe, _ all: [MassStorageCommand], _ trace: Trace) {
        var changed: [UInt8: BlockRanges] = [:]
        var next = 0
        for (index, transfer) in trace.transfers.enumerated()
        where transfer.type == .bulk && (transfer.endpoint == pipe.output || transfer.endpoint == pipe.input) {
            let place = Int32(truncatingIfNeeded: index)
            while next < all.count, all[next].lastTransfer < index { next += 1 }
            // What belongs to no command that is known may belong to one that writes.
            guard next < all.count, all[next].firstTransfer <= index else {
                transfers.insert(place)
                continue
            }
            let command = all[next]
            if command.changesMedium {
                transfers.insert(place)
                guard index == command.firstTransfer else { continue }
                commands += 1
                if let blocks = command.blocks { changed[command.lun, default: BlockRanges()].insert(blocks) }
            } else if command.reads, transfer.endpoint == pipe.input, index != command.lastTransfer,
                let blocks = command.blocks,
                changed[command.lun]?.overlaps(blocks) == true
            {
                unsettled.insert(place)
            }
        }
    }

    /// Leaves out what goes to mass storage of which the commands are not followed.
    private mutating func leaveOutOthers(_ trace: Trace, _ facts: EndpointFacts) -> Bool {
        var isAny = false
        for (index, transfer) in trace.transfers.enumerated() {
            let setting: AlternateSetting?
            if let setup = transfer.setup {
                // Control/Bulk/Interrupt sends commands as ADSC, a class request (CBI 1.1 §2.2).
                let isCommand = setup.kind == .class && setup.direction == .out && setup.recipient == .interface
                setting = isCommand ? facts.interfaceSetting(UInt8(truncatingIfNeeded: setup.index)) : nil
            } else {
                setting = facts.setting(of: transfer.endpoint)
            }
            guard let setting, setting.interfaceClass == .massStorage, setting.interfaceProtocol != 0x50 else {
                continue
            }
            transfers.insert(Int32(truncatingIfNeeded: index))
            isAny = true
        }
        return isAny
    }
}

extension MassStorageCommand {
    /// Commands that write or erase without sending data (SBC-4 §5, SPC-5 §6): by their operation codes.
    private static let changing: Set<UInt8> = [0x04, 0x41, 0x42, 0x48, 0x83, 0x85, 0x93, 0xa1]

    /// Whether it writes, erases or sets what lasts: everything that sends data, whatever its maker means by it, and
    /// what does so without.
    fileprivate var changesMedium: Bool { direction == .out && expected > 0 || Self.changing.contains(opcode) }

    fileprivate var reads: Bool { [0x08, 0x28, 0xa8, 0x88].contains(opcode) }

    /// The blocks it is about; all of them where that is not known, nil for none.
    fileprivate var blocks: ClosedRange<UInt64>? {
        func number(_ start: Int, _ count: Int) -> UInt64 {
            cdb.dropFirst(start).prefix(count).reduce(0) { $0 << 8 | UInt64($1) }
        }
        let (first, count): (UInt64, UInt64)
        switch opcode {
        case 0x08, 0x0a: (first, count) = (number(1, 3) & 0x1f_ffff, number(4, 1) == 0 ? 256 : number(4, 1))
        case 0x28, 0x2a, 0x2e: (first, count) = (number(2, 4), number(7, 2))
        case 0xa8, 0xaa, 0xae: (first, count) = (number(2, 4), number(6, 4))
        case 0x88, 0x8a, 0x8e: (first, count) = (number(2, 8), number(10, 4))
        default: return 0...UInt64.max
        }
        guard count > 0 else { return nil }
        let (last, overflows) = first.addingReportingOverflow(count - 1)
        return first...(overflows ? .max : last)
    }
}
