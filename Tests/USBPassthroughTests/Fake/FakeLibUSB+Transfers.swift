import CLibUSB
import Glibc
import USBCore
import USBPassthrough

extension FakeLibUSB {
    // MARK: What a test sees and does

    /// What is in flight, oldest first.
    var inFlight: [FakeTransfer] {
        monitor.withLock {
            memory.values.filter { $0.state == .inFlight }.map(\.snapshot).sorted { $0.number < $1.number }
        }
    }

    /// Everything that was ever submitted and taken, as it was then.
    var submitted: [FakeTransfer] { monitor.withLock { submittedTransfers } }

    /// What is in flight at an endpoint, oldest first.
    func inFlight(on endpoint: EndpointAddress) -> [FakeTransfer] { inFlight.filter { $0.endpoint == endpoint } }

    /// Waits until at least `count` transfers are in flight at an endpoint.
    ///
    /// - Returns: all of them, oldest first; fewer than `count` when they did not come.
    func arrivals(on endpoint: EndpointAddress, _ count: Int = 1) -> [FakeTransfer] {
        _ = waits { self.inFlight(on: endpoint).count >= count }
        return inFlight(on: endpoint)
    }

    /// Ends a transfer that is in flight; false when it is not.
    @discardableResult
    func finish(_ number: Int, _ outcome: FakeOutcome) -> Bool {
        monitor.withLock {
            let transfer = memory.values.first { $0.state == .inFlight && $0.snapshot.number == number }
            guard let transfer else { return false }
            end(transfer, outcome)
            return true
        }
    }

    /// Ends the oldest transfer of an endpoint, for which it waits; false when none comes.
    @discardableResult
    func finish(_ endpoint: EndpointAddress, _ outcome: FakeOutcome) -> Bool {
        guard let oldest = arrivals(on: endpoint).first else { return false }
        return finish(oldest.number, outcome)
    }

    /// Ends everything that is in flight, and lets go of everything that is held: the end of a test that failed.
    func finishAll() {
        monitor.withLock {
            holds = [:]
            holdsEvents = false
            for transfer in memory.values where transfer.state == .inFlight { end(transfer, .failed(.noDevice)) }
            monitor.notify()
        }
    }

    /// Decides a transfer's end; its callback is called by whoever handles events.
    func end(_ transfer: TransferMemory, _ outcome: FakeOutcome) {
        transfer.state = .ended
        transfer.outcome = outcome
        connections[transfer.connection]?.ended.append(transfer)
        monitor.notify()
    }

    // MARK: Transfers

    func allocateTransfer(_ packets: Int32) -> LibUSBFunctions.Transfer? {
        let made = try? perform(.allocateTransfer, "", "\(packets)") { () throws(LibUSBError) -> TransferMemory in
            if packets < 0 { violate("a transfer with \(packets) packets was asked for") }
            let transfer = TransferMemory(packetRoom: Int(max(0, packets)))
            unsafe memory[UInt(bitPattern: transfer.pointer)] = transfer
            return transfer
        }
        return unsafe made?.pointer
    }

    func freeTransfer(_ pointer: LibUSBFunctions.Transfer) {
        try? perform(.freeTransfer) { () throws(LibUSBError) in
            guard let transfer = memory[UInt(bitPattern: pointer)] else {
                return violate("something was freed that is no transfer")
            }
            switch transfer.state {
            case .freed: violate("transfer \(transfer.snapshot.number) was freed twice")
            case .inFlight, .ended: violate("transfer \(transfer.snapshot.number) was freed in flight")
            case .idle: break
            }
            connections[transfer.connection]?.ended.removeAll { $0 === transfer }
            transfer.state = .freed
        }
    }

    func allocateMemory(_ connection: LibUSBFunctions.Connection, _ bytes: Int) -> UnsafeMutableRawPointer? {
        unsafe monitor.withLock {
            guard isSharing, let memory = unsafe malloc(bytes) else { return nil }
            shared[UInt(bitPattern: memory)] = bytes
            return unsafe memory
        }
    }

    func freeMemory(_ connection: LibUSBFunctions.Connection, _ pointer: UnsafeMutableRawPointer, _ bytes: Int) {
        monitor.withLock {
            guard shared.removeValue(forKey: UInt(bitPattern: pointer)) == bytes else {
                return violate("memory was freed that is not shared, or not of this size")
            }
            let isUsed = memory.values.filter { $0.state == .inFlight || $0.state == .ended }.contains {
                unsafe UnsafeMutableRawPointer($0.pointer.pointee.buffer) == pointer
            }
            if isUsed { violate("shared memory was freed under a transfer in flight") }
            _ = identifier(connection, .close)
            unsafe free(pointer)
        }
    }

    func submit(_ pointer: LibUSBFunctions.Transfer) throws(LibUSBError) {
        let endpoint = unsafe EndpointAddress(rawValue: pointer.pointee.endpoint)
        let handle = unsafe pointer.pointee.dev_handle
        let (id, path) = monitor.withLock {
            let id = Int(bitPattern: handle) >> 8
            return (id, connections[id]?.path ?? "")
        }
        try perform(.submit, path, "\(endpoint)") { () throws(LibUSBError) in
            guard let transfer = memory[UInt(bitPattern: pointer)], transfer.state != .freed else {
                violate("something was submitted that is no transfer, or no longer")
                throw .invalidParameter
            }
            guard transfer.state == .idle else {
                violate("transfer \(transfer.snapshot.number) was submitted twice")
                throw .busy
            }
            guard let open = connections[id], open.isOpen else {
                violate("a transfer was submitted to a connection that is not open")
                throw .noDevice
            }
            if unsafe pointer.pointee.flags & 0x06 != 0 { violate("a transfer is to be freed by the library") }
            guard !open.isGone, let device = devices[open.key] else { throw .noDevice }
            guard let snapshot = transfer.read(number: submittedTransfers.count + 1) else { throw .invalidParameter }
            if snapshot.type != .control {
                guard let interface = device.interface(of: endpoint), open.claims.contains(interface) else {
                    throw .notFound
                }
            }
            try makeRoom(for: snapshot.length)
            submittedTransfers.append(snapshot)
            transfer.snapshot = snapshot
            transfer.connection = id
            transfer.state = .inFlight
            if let outcome = answer(snapshot, device) { end(transfer, outcome) }
        }
    }

    private func makeRoom(for length: Int) throws(LibUSBError) {
        guard let limit = memoryLimitInBytes else { return }
        let used = memory.values.filter { [.inFlight, .ended].contains($0.state) }.map(\.snapshot.length)
        guard used.reduce(0, +) + length <= limit else { throw .noMemory }
    }

    private func answer(_ transfer: FakeTransfer, _ device: FakeDevice) -> FakeOutcome? {
        if transfer.type == .control {
            guard let control = device.control else { return device.standardAnswer(transfer) }
            return control(transfer)
        }
        return device.halted.contains(transfer.endpoint) ? .failed(.stall) : device.answer(transfer)
    }

    func cancel(_ pointer: LibUSBFunctions.Transfer) throws(LibUSBError) {
        let endpoint = monitor.withLock { memory[UInt(bitPattern: pointer)]?.snapshot.endpoint }
        try perform(.cancel, "", endpoint.map { "\($0)" } ?? "") { () throws(LibUSBError) in
            guard let transfer = memory[UInt(bitPattern: pointer)], transfer.state != .freed else {
                violate("something was cancelled that is no transfer, or no longer")
                throw .notFound
            }
            guard transfer.state == .inFlight, !transfer.snapshot.isCancelled else { throw .notFound }
            transfer.snapshot.isCancelled = true
            switch cancellingMode {
            case .cancelled: end(transfer, .failed(.cancelled))
            case .partial(let bytes): end(transfer, .failed(.cancelled, bytes))
            case .tooLate(let outcome, let isNoticed):
                end(transfer, outcome)
                if isNoticed { throw .notFound }
            case .never: break
            }
        }
    }

    // MARK: Events

    /// How many callbacks libusb calls before it looks for other events.
    private static var batch: Int { 25 }

    func handleEvents(_ connection: LibUSBFunctions.Connection) throws(LibUSBError) {
        let id = monitor.withLock {
            let id = identifier(connection, .handleEvents)
            if let calls = connections[id]?.calls, calls > 0, connections[id]?.isHandlingEvents == true {
                violate("two threads handle the events of one connection")
            }
            connections[id]?.eventThread = Self.thisThread
            connections[id]?.isHandlingEvents = true
            connections[id]?.calls += 1
            return id
        }
        defer {
            monitor.withLock {
                connections[id]?.isHandlingEvents = false
                connections[id]?.calls -= 1
                monitor.notify()
            }
        }
        let path = monitor.withLock { connections[id]?.path ?? "" }
        let ended = try perform(.handleEvents, path) { () throws(LibUSBError) -> [TransferMemory] in
            _ = monitor.wait(seconds: 60) {
                connections[id]?.isInterrupted != false || failures.contains { $0.function == .handleEvents }
                    || (!holdsEvents && connections[id]?.ended.isEmpty == false)
            }
            connections[id]?.isInterrupted = false
            guard !holdsEvents, let waiting = connections[id]?.ended else { return [] }
            connections[id]?.ended.removeFirst(min(waiting.count, Self.batch))
            return Array(waiting.prefix(Self.batch))
        }
        for transfer in ended { callBack(transfer) }
    }

    private func callBack(_ transfer: TransferMemory) {
        let isDue = monitor.withLock {
            guard transfer.state == .ended else { return false }
            transfer.writeOutcome()
            transfer.state = .idle
            threadsInCallbacks.insert(Self.thisThread)
            return true
        }
        guard isDue else { return }
        unsafe transfer.pointer.pointee.callback?(transfer.pointer)
        monitor.withLock {
            threadsInCallbacks.remove(Self.thisThread)
            monitor.notify()
        }
    }

    func interrupt(_ connection: LibUSBFunctions.Connection) {
        let (id, path) = monitor.withLock {
            let id = identifier(connection, .interrupt)
            return (id, connections[id]?.path ?? "")
        }
        try? perform(.interrupt, path) { () throws(LibUSBError) in connections[id]?.isInterrupted = true }
    }
}
