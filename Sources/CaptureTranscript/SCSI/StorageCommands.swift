import CaptureTraces
import USBCapture
import USBCore

/// The SCSI commands among a device's transfers.
struct StorageCommands {
    /// What a transfer is to the commands.
    enum Role {
        /// No part of one.
        case none
        /// It begins the command of this number.
        case command(Int)
        /// Its data or its end.
        case part
    }

    private static let none: Int32 = -1
    private static let part: Int32 = -2

    private let commands: [MassStorageCommand]
    /// By the endpoint of commands, those of their statuses and data.
    private var inputs: [EndpointAddress: Set<EndpointAddress>] = [:]
    /// For each transfer a command's number, ``none`` or ``part``; empty where there are no commands.
    private var roles: [Int32] = []

    /// Finds the commands.
    ///
    /// - Throws: ``CaptureError`` when the file has been changed since the trace was made.
    init(_ trace: Trace) throws(CaptureError) {
        commands = try BulkOnlyReader.commands(of: trace)
        guard !commands.isEmpty else { return }
        for pipe in try BulkOnlyReader.pipes(of: trace) { inputs[pipe.output, default: []].insert(pipe.input) }
        roles = [Int32](repeating: Self.none, count: trace.transfers.count)
        for (number, command) in commands.enumerated() {
            guard command.firstTransfer < roles.count, let input = inputs[command.output] else { continue }
            let last = min(command.lastTransfer, roles.count - 1)
            for index in command.firstTransfer...max(command.firstTransfer, last) where roles[index] == Self.none {
                let transfer = trace.transfers[index]
                let isOurs = transfer.endpoint == command.output || input.contains(transfer.endpoint)
                if transfer.type == .bulk, isOurs { roles[index] = Self.part }
            }
            roles[command.firstTransfer] = Int32(truncatingIfNeeded: number)
        }
    }

    /// Whether there are none.
    var isEmpty: Bool { commands.isEmpty }

    /// What a transfer is to the commands.
    func role(of index: Int) -> Role {
        guard index < roles.count else { return .none }
        switch roles[index] {
        case Self.none: return .none
        case Self.part: return .part
        case let number: return .command(Int(number))
        }
    }

    /// Fills in the entry of a command, which was begun with its first transfer.
    func tell(_ number: Int, _ entry: inout TranscriptEntry, _ narrator: Narrator) throws(CaptureError) {
        guard number >= 0, number < commands.count else { return }
        let command = commands[number]
        let transfers = narrator.trace.transfers
        let last = min(max(command.firstTransfer, command.lastTransfer), transfers.count - 1)
        let input = inputs[command.output] ?? []
        // Before the status come the data, if there are any.
        var awaitsData = command.direction == .in && command.moved > 0
        for transfer in transfers[command.firstTransfer...last] where transfer.type == .bulk {
            guard transfer.endpoint == command.output || input.contains(transfer.endpoint) else { continue }
            let end = Int(max(transfer.completionNumber, transfer.submissionNumber))
            entry.packets = entry.packets.lowerBound...max(entry.packets.upperBound, end)
            if awaitsData, transfer.endpoint.direction == .in, transfer.actual > 0 {
                entry.endpoint = transfer.endpoint
                awaitsData = false
            }
        }
        let limit = narrator.limit.count
        let data = try read(command, upTo: max(limit, SCSIDataWords.enough), narrator)
        entry.dataCount = command.data.reduce(0) { $0 &+ Int($1.count) }
        entry.data = Array(data.prefix(limit))
        let words = SCSIWords(
            SCSIExchange(
                lun: command.lun, cdb: command.cdb, expected: Int(command.expected), isIn: command.direction == .in,
                data: data, dataCount: command.moved, isStalled: command.isStalled, outcome: command.outcome,
                residue: Int(command.residue), sense: command.sense))
        entry.scsi = words.name
        entry.words = words.words
        entry.tellsData = words.tellsData
        entry.details = words.details
        entry.requested = Int(command.expected)
        entry.length = command.moved
        entry.duration = CaptureTime.difference(command.completed, command.time)
        if command.outcome == .missing, entry.status == .success { entry.status = nil }
        if entry.dataCount < command.moved {
            entry.marks.insert(.isCut)
            entry.words += " (cut: the capture has \(entry.dataCount) of \(counted(command.moved, "byte")))"
        }
    }

    private func read(
        _ command: MassStorageCommand, upTo limit: Int, _ narrator: Narrator
    ) throws(CaptureError) -> [UInt8] {
        var data: [UInt8] = []
        for reference in command.data {
            guard data.count < limit else { break }
            data += try narrator.read(reference, upTo: limit - data.count)
        }
        return data
    }
}
