public import USBCapture
public import USBCore

/// Groups a mass-storage device's bulk transfers into commands: wrapper, data, status (Bulk-Only Transport 1.0 §5.3).
public enum BulkOnlyReader {
    /// A pair of endpoints that carries commands.
    public struct Pipe: Hashable, Sendable {
        /// The interface's number; nil where no descriptor says it.
        public var interface: UInt8?
        /// The endpoint by which commands come.
        public var output: EndpointAddress
        /// The endpoint by which statuses go.
        public var input: EndpointAddress
    }

    /// The pairs of endpoints that carry Bulk-Only commands.
    ///
    /// The descriptors say it where they are known (class 8, protocol 0x50). Else it is an OUT endpoint on which a
    /// command wrapper was seen, with the IN endpoint that is used next.
    ///
    /// - Throws: ``CaptureError`` when the file has been changed since.
    public static func pipes(of trace: Trace) throws(CaptureError) -> [Pipe] {
        let described = describedPipes(trace.device.descriptors)
        return described.isEmpty ? try usedPipes(trace) : described
    }

    /// The commands of all pipes, in the order in which they were submitted.
    ///
    /// A command that is cut by the capture's beginning is left out; what ends it is not taken for another's status.
    ///
    /// - Throws: ``CaptureError`` when the file has been changed since.
    public static func commands(of trace: Trace) throws(CaptureError) -> [MassStorageCommand] {
        var commands: [MassStorageCommand] = []
        for pipe in try pipes(of: trace) {
            var grouping = Grouping(pipe: pipe, trace: trace)
            commands += try grouping.run()
        }
        commands.sort { $0.firstTransfer < $1.firstTransfer }
        return commands
    }

    // MARK: - Endpoints

    private static func describedPipes(_ known: KnownDescriptors) -> [Pipe] {
        var pipes: [Pipe] = []
        for (_, bytes) in known.configurations.sorted(by: { $0.key < $1.key }) {
            for setting in settings(in: bytes) {
                let bulk = setting.endpoints.filter { $0.type == .bulk }.map(\.address)
                guard setting.isBulkOnly, let output = bulk.first(where: { $0.direction == .out }),
                    let input = bulk.first(where: { $0.direction == .in })
                else { continue }
                let pipe = Pipe(interface: setting.number, output: output, input: input)
                if !pipes.contains(where: { $0.output == output && $0.input == input }) { pipes.append(pipe) }
            }
        }
        return pipes
    }

    private struct Setting {
        var number: UInt8
        var isBulkOnly: Bool
        var endpoints: [(address: EndpointAddress, type: TransferType)] = []
    }

    /// The interfaces of a configuration that may be cut or wrong.
    private static func settings(in bytes: [UInt8]) -> [Setting] {
        var settings: [Setting] = []
        var place = 0
        while place + 2 <= bytes.count {
            let length = Int(bytes[place])
            guard length >= 2, place + length <= bytes.count else { break }
            switch DescriptorType(rawValue: bytes[place + 1]) {
            case .interface where length >= 9:
                settings.append(
                    Setting(
                        number: bytes[place + 2],
                        isBulkOnly: bytes[place + 5] == USBClass.massStorage.rawValue && bytes[place + 7] == 0x50))
            case .endpoint where length >= 7 && !settings.isEmpty:
                settings[settings.count - 1].endpoints.append(
                    (
                        EndpointAddress(rawValue: bytes[place + 2]),
                        TransferType(rawValue: bytes[place + 3] & 3) ?? .control
                    ))
            default: break
            }
            place += length
        }
        return settings
    }

    private static func usedPipes(_ trace: Trace) throws(CaptureError) -> [Pipe] {
        var pipes: [Pipe] = []
        var waiting: EndpointAddress?
        for transfer in trace.transfers where transfer.type == .bulk {
            if transfer.endpoint.direction == .out {
                guard transfer.output.count == UInt32(CommandWrapper.size),
                    !pipes.contains(where: { $0.output == transfer.endpoint }),
                    CommandWrapper(try trace.bytes(transfer.output)) != nil
                else { continue }
                waiting = transfer.endpoint
            } else if let output = waiting {
                pipes.append(Pipe(interface: nil, output: output, input: transfer.endpoint))
                waiting = nil
            }
        }
        return pipes
    }

    // MARK: - Commands

    private struct Grouping {
        let pipe: Pipe
        let trace: Trace
        var commands: [MassStorageCommand] = []
        /// The command that has no status yet.
        var current: MassStorageCommand?

        init(pipe: Pipe, trace: Trace) {
            self.pipe = pipe
            self.trace = trace
        }

        mutating func run() throws(CaptureError) -> [MassStorageCommand] {
            for place in trace.transfers.indices {
                let transfer = trace.transfers[place]
                guard transfer.type == .bulk else { continue }
                switch transfer.endpoint {
                case pipe.output: try takeOutput(transfer, at: place)
                case pipe.input: try takeInput(transfer, at: place)
                default: continue
                }
            }
            close()
            attachSense()
            return commands
        }

        private mutating func takeOutput(_ transfer: TracedTransfer, at place: Int) throws(CaptureError) {
            if transfer.output.count == UInt32(CommandWrapper.size), !isLastData(transfer),
                let wrapper = CommandWrapper(try trace.bytes(transfer.output))
            {
                close()
                let packet = transfer.submissionNumber > 0 ? transfer.submissionNumber : transfer.completionNumber
                current = MassStorageCommand(
                    packet: Int(packet), transfer: place, traced: transfer, wrapper: wrapper)
                return
            }
            takeData(transfer, transfer.output, at: place, .out)
        }

        /// Whether these 31 bytes are what is left to be written, and so no command.
        private func isLastData(_ transfer: TracedTransfer) -> Bool {
            guard let current, current.direction == .out, current.expected > 0 else { return false }
            return Int(current.expected) - current.moved == CommandWrapper.size
        }

        private mutating func takeInput(_ transfer: TracedTransfer, at place: Int) throws(CaptureError) {
            guard let command = current else { return }
            if transfer.input.count == UInt32(StatusWrapper.size), transfer.actual == UInt32(StatusWrapper.size),
                let status = StatusWrapper(try trace.bytes(transfer.input)),
                status.tag == command.tag || command.direction == .out || Int(command.expected) <= command.moved
            {
                current?.lastTransfer = place
                current?.completed = transfer.completed
                current?.residue = status.residue
                current?.outcome =
                    switch (status.tag == command.tag, status.status) {
                    case (true, 0): .passed
                    case (true, 1): .failed
                    case (true, 2): .phaseError
                    default: .invalidStatus
                    }
                close()
                return
            }
            takeData(transfer, transfer.input, at: place, .in)
        }

        private mutating func takeData(
            _ transfer: TracedTransfer, _ data: PayloadReference, at place: Int, _ direction: Direction
        ) {
            guard current != nil else { return }
            current?.lastTransfer = place
            current?.completed = transfer.completed
            if transfer.status == .stalled {
                current?.isStalled = true
            }
            // What the host took back before anything moved, or the wrong way, is not the command's data.
            guard transfer.actual > 0, current?.direction == direction else { return }
            current?.add(data, moved: Int(transfer.actual))
        }

        private mutating func close() {
            if let current { commands.append(current) }
            current = nil
        }

        /// Gives failures the sense data that the host asked for next.
        private mutating func attachSense() {
            var failed: [UInt8: Int] = [:]
            for place in commands.indices {
                let command = commands[place]
                if command.opcode == 0x03, let before = failed[command.lun], var first = command.data.first {
                    first.count = min(first.count, 252)
                    // Not readable now is not readable later: whoever wants the data gets the error.
                    commands[before].sense = (try? trace.bytes(first)) ?? []
                }
                failed[command.lun] = command.outcome == .failed ? place : nil
            }
        }
    }
}
