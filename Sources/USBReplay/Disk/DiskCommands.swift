import CaptureTraces
import SCSITarget
import USBCapture
import USBCore

/// Decides who answers a command: the recording, or a disk over the recorded blocks.
final class DiskCommands {
    /// Who answers.
    enum Source {
        case recording(RecordedPlay)
        case disk(SCSITask)
        /// Neither: the sense data of a failure before.
        case bytes([UInt8])
        /// Nobody: the capture cannot be read any more.
        case unreadable
    }

    /// Fixed sense data of MEDIUM ERROR, unrecovered read error (SPC-4 §4.5.3).
    private static let mediumError: [UInt8] = [0x70, 0, 0x03, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x11, 0, 0, 0, 0, 0]

    let disk: RecordedDisk
    let units: DiskUnits
    private let ledger: Ledger
    private let input: EndpointAddress
    private let output: EndpointAddress
    private var cursors: [RecordedDisk.Key: Int] = [:]
    /// Recorded commands whose data the host has written as the recorded one did, by place.
    private var performed: Set<Int> = []
    /// By unit, whether the host has written something that the recorded one did not.
    private var hasForeignWrites: Set<UInt8> = []
    /// By unit, what its last failure was for: what REQUEST SENSE gets.
    private var senses: [UInt8: [UInt8]] = [:]
    /// Recorded commands of whose missing data was told, by place.
    private var cutCommands: Set<Int> = []
    private var notesLeft = 20

    init(_ disk: RecordedDisk, _ ledger: Ledger, input: EndpointAddress, output: EndpointAddress) {
        self.disk = disk
        self.ledger = ledger
        self.input = input
        self.output = output
        units = DiskUnits(disk, ledger.settings)
        for command in disk.commands { forEachTransfer(of: command) { ledger.expect(1, on: $1, .bulk) } }
        for (unit, store) in units.stores {
            store.onMissing = { [weak self] block in
                self?.note("block \(block) of unit \(unit) is not in the recording")
            }
            store.onUnreadable = { [weak self] error, place in self?.unreadable(error, place) }
        }
    }

    func rewind() {
        cursors = [:]
        performed = []
        hasForeignWrites = []
        senses = [:]
        units.rewind()
    }

    /// Begins a command.
    func begin(_ cdb: CDB, unit: UInt8, expected: UInt32, isIn: Bool) -> Source {
        if cdb.opcode == 0x03 { return requestSense(cdb, unit, expected) }
        let places = disk.places(cdb, unit: unit, expected: expected)
        guard !places.isEmpty else { return byRule(cdb, unit) }
        if cdb.blocks != nil, expected > 0 { return blocks(cdb, unit, expected, isIn, places) }
        if let place = next(cdb, unit, expected, where: { _ in true }) { return play(place) }
        return byRule(cdb, unit)
    }

    /// The host has sent all data of a WRITE.
    ///
    /// - Parameters:
    ///   - place: the recorded command that wrote the same; nil for none.
    ///   - isCounted: whether the command has its place in the report already.
    func wrote(_ cdb: CDB, unit: UInt8, isAsRecorded place: Int?, isCounted: Bool) {
        if let place {
            performed.insert(place)
            count(place)
            return
        }
        hasForeignWrites.insert(unit)
        if !isCounted { ledger.answerByRule(output, .bulk) }
    }

    /// A command has ended.
    func ended(_ source: Source, unit: UInt8, isFailed: Bool) {
        guard isFailed else {
            senses[unit] = nil
            return
        }
        switch source {
        case .recording(let play): senses[unit] = play.command.sense
        case .disk: senses[unit] = units.target.takeSense(lun: unit)
        case .bytes: break
        case .unreadable: senses[unit] = Self.mediumError
        }
    }

    /// The data of a recorded command, by its place, cannot be read.
    func unreadable(_ error: CaptureError, _ place: Int) {
        guard disk.commands.indices.contains(place) else { return }
        ledger.unreadable(error, disk.commands[place].firstTransfer)
    }

    /// The host writes other data than the recorded one: noted, and a divergence in strict order.
    func differs(_ cdb: CDB, _ difference: RecordedPlay.Difference) {
        guard ledger.settings.isStrict else {
            let block = cdb.blocks.map { " at LBA \($0.first)" } ?? ""
            let packet = disk.trace.transfers[difference.transfer].packet.map { " (packet \($0))" } ?? ""
            note("the host wrote other data than the recorded host\(block)\(packet)")
            return
        }
        let isLonger = difference.actual.count != difference.expected.count
        ledger.diverge(
            isLonger ? .otherLength : .otherData, output, .bulk, subject: "the data of \(cdb)",
            transfer: difference.transfer, expected: difference.expected, actual: difference.actual)
    }

    /// The recorded WRITE that the host may be repeating; nil when the recording has none left.
    func candidate(_ cdb: CDB, unit: UInt8, expected: UInt32) -> RecordedPlay? {
        let place = disk.places(cdb, unit: unit, expected: expected).first { place in
            !performed.contains(place) && disk.commands[place].direction == .out
        }
        return place.map { RecordedPlay(disk, $0, input: input) }
    }

    /// A recorded command is carried out once more.
    func count(_ place: Int) { forEachTransfer(of: disk.commands[place]) { index, _ in ledger.match(index) } }

    // MARK: Choosing

    private func blocks(_ cdb: CDB, _ unit: UInt8, _ expected: UInt32, _ isIn: Bool, _ places: [Int]) -> Source {
        guard isIn else {
            // Refused then, refused now; else the blocks take it, and are compared on the way.
            if disk.commands[places[0]].outcome != .passed,
                places.allSatisfy({ disk.commands[$0].outcome != .passed })
            {
                return play(next(cdb, unit, expected, where: { _ in true }) ?? places[0])
            }
            return .disk(units.target.begin(cdb, lun: unit))
        }
        // A disk can answer a READ otherwise each time, as bootloaders do. Its answers play in their order as long as the
        // host has written what the recorded one had.
        if let place = next(cdb, unit, expected, where: { self.isTrue($0, cdb, unit) }) { return play(place) }
        ledger.report.count(output, .bulk) { $0.matched += 1 }
        return .disk(units.target.begin(cdb, lun: unit))
    }

    /// Whether a recorded READ still tells what the blocks hold.
    private func isTrue(_ place: Int, _ cdb: CDB, _ unit: UInt8) -> Bool {
        let command = disk.commands[place]
        guard command.moves.count == command.data.count else { return false }
        // What was cut is for the blocks to answer: they know which they have.
        guard command.knownBytes >= command.moved else {
            if cutCommands.insert(place).inserted {
                note("the capture has only a part of the data of \(cdb) (packet \(command.packet))")
            }
            return false
        }
        if let (first, count) = cdb.blocks, units.stores[unit]?.isWritten(first, count: count) == true {
            guard !hasForeignWrites.contains(unit), let last = disk.lastWrite(before: place) else { return false }
            return performed.contains(last)
        }
        return disk.lastWrite(before: place).map { performed.contains($0) } ?? true
    }

    /// The next recorded answer that fits; the last one again when all were given.
    private func next(_ cdb: CDB, _ unit: UInt8, _ expected: UInt32, where fits: (Int) -> Bool) -> Int? {
        let places = disk.places(cdb, unit: unit, expected: expected)
        let key = RecordedDisk.Key(unit: unit, cdb: cdb, expected: expected)
        let cursor = min(cursors[key] ?? 0, places.count)
        for (index, place) in places[cursor...].prefix(256).enumerated() where fits(place) {
            cursors[key] = cursor + index + 1
            return place
        }
        return places[..<cursor].suffix(256).last(where: fits)
    }

    private func play(_ place: Int) -> Source {
        count(place)
        let play = RecordedPlay(disk, place, input: input)
        if play.isCut { ledger.noteCutData() }
        return .recording(play)
    }

    private func byRule(_ cdb: CDB, _ unit: UInt8) -> Source {
        let isBlocks = cdb.blocks != nil
        // Hosts ask when they please whether a disk is ready.
        if ledger.settings.isStrict, ![0x00, 0x03].contains(cdb.opcode) {
            ledger.diverge(.unexpectedRequest, output, .bulk, subject: "\(cdb)", detail: "it was answered by rule")
            return .disk(units.target.begin(cdb, lun: unit))
        }
        // Other pieces of a recorded disk are no news; commands that it was never given are.
        ledger.answerByRule(output, .bulk)
        if !isBlocks { note("\(cdb) is not in the recording and was answered by rule") }
        return .disk(units.target.begin(cdb, lun: unit))
    }

    /// REQUEST SENSE tells of the failure at hand, whatever the recording was asked at this place.
    private func requestSense(_ cdb: CDB, _ unit: UInt8, _ expected: UInt32) -> Source {
        let sense = senses.removeValue(forKey: unit) ?? []
        let fits = { (place: Int) -> Bool in
            guard let first = self.disk.commands[place].data.first, let data = try? self.disk.trace.bytes(first) else {
                return false
            }
            return sense.isEmpty ? data.count > 2 && data[2] & 0x0f == 0 : data == sense
        }
        if let place = next(cdb, unit, expected, where: fits) { return play(place) }
        ledger.answerByRule(output, .bulk)
        return sense.isEmpty ? .disk(units.target.begin(cdb, lun: unit)) : .bytes(Array(sense.prefix(Int(cdb[4]))))
    }

    private func note(_ text: String) {
        guard notesLeft > 0 else { return }
        notesLeft -= 1
        ledger.report.note(text)
    }

    private func forEachTransfer(of command: MassStorageCommand, _ body: (Int, EndpointAddress) -> Void) {
        guard command.firstTransfer <= command.lastTransfer else { return }
        for index in command.firstTransfer...command.lastTransfer where disk.trace.transfers.indices.contains(index) {
            let transfer = disk.trace.transfers[index]
            guard transfer.type == .bulk, transfer.endpoint == input || transfer.endpoint == output else { continue }
            body(index, transfer.endpoint)
        }
    }
}
