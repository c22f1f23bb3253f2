import CLibUSB
import USBCore

@testable import USBPassthrough

extension FakeLibUSB {
    /// The functions, to be used in place of ``LibUSBFunctions/live``.
    var table: LibUSBFunctions {
        unsafe LibUSBFunctions(
            list: { () throws(LibUSBError) in
                try self.perform(.list) { () throws(LibUSBError) in
                    self.devices.sorted { $0.key < $1.key }.map(\.value.listed)
                }
            },
            makeContext: { () throws(LibUSBError) in try self.makeContext() },
            freeContext: { self.freeContext($0) },
            open: { context, node throws(LibUSBError) in try self.open(context, node) },
            close: { self.close($0) },
            setConfiguration: { connection, value throws(LibUSBError) in
                try self.setConfiguration(connection, value)
            },
            detachDriver: { connection, interface throws(LibUSBError) in
                try self.detachDriver(connection, interface)
            },
            attachDriver: { connection, interface throws(LibUSBError) in
                try self.attachDriver(connection, interface)
            },
            claim: { connection, interface throws(LibUSBError) in try self.claim(connection, interface) },
            release: { connection, interface throws(LibUSBError) in try self.release(connection, interface) },
            setAlternate: { connection, interface, alternate throws(LibUSBError) in
                try self.setAlternate(connection, interface, alternate)
            },
            clearHalt: { connection, endpoint throws(LibUSBError) in try self.clearHalt(connection, endpoint) },
            reset: { connection throws(LibUSBError) in try self.reset(connection) },
            allocateTransfer: { packets in unsafe self.allocateTransfer(packets) },
            freeTransfer: { transfer in unsafe self.freeTransfer(transfer) },
            allocateMemory: { connection, bytes in unsafe self.allocateMemory(connection, bytes) },
            freeMemory: { connection, memory, bytes in unsafe self.freeMemory(connection, memory, bytes) },
            submit: { transfer throws(LibUSBError) in try unsafe self.submit(transfer) },
            cancel: { transfer throws(LibUSBError) in try unsafe self.cancel(transfer) },
            handleEvents: { connection throws(LibUSBError) in try self.handleEvents(connection) },
            interrupt: { self.interrupt($0) })
    }

    /// Runs a function that is for an open device which is still there.
    func withDevice<R>(
        of connection: LibUSBFunctions.Connection, _ function: FakeFunction, _ arguments: String = "",
        _ body: (inout FakeDevice, inout Connection) throws(LibUSBError) -> R
    ) throws(LibUSBError) -> R {
        let (id, path) = begin(connection, function)
        defer { monitor.withLock { connections[id]?.calls -= 1 } }
        return try perform(function, path, arguments) { () throws(LibUSBError) -> R in
            guard var open = connections[id], open.isOpen, !open.isGone, var device = devices[open.key] else {
                throw .noDevice
            }
            defer {
                devices[open.key] = device
                connections[id] = open
            }
            return try body(&device, &open)
        }
    }

    /// Notes that a connection is being used, by whom it must be told when it no longer is.
    ///
    /// - Returns: its number and its device's path.
    private func begin(_ connection: LibUSBFunctions.Connection, _ function: FakeFunction) -> (Int, String) {
        monitor.withLock {
            let id = identifier(connection, function)
            connections[id]?.calls += 1
            return (id, connections[id]?.path ?? "")
        }
    }

    /// The number of an open connection.
    func identifier(_ connection: LibUSBFunctions.Connection, _ function: FakeFunction) -> Int {
        let id = unsafe Int(bitPattern: connection.handle) >> 8
        if connections[id]?.isOpen != true { violate("\(function) was called for a connection that is not open") }
        return id
    }

    // MARK: Opening

    private func makeContext() throws(LibUSBError) -> LibUSBFunctions.Context {
        try perform(.makeContext) { () throws(LibUSBError) in
            contextCount += 1
            guard let pointer = unsafe OpaquePointer(bitPattern: contextCount) else { throw .other }
            contexts.insert(contextCount)
            return unsafe LibUSBFunctions.Context(pointer)
        }
    }

    private func freeContext(_ context: LibUSBFunctions.Context) {
        let id = unsafe Int(bitPattern: context.pointer)
        try? perform(.freeContext) { () throws(LibUSBError) in
            if contexts.remove(id) == nil { violate("a context was freed that is none, or no longer") }
            if connections.values.contains(where: { $0.isOpen && $0.context == id }) {
                violate("a context was freed of which a device is open")
            }
        }
    }

    private func open(
        _ context: LibUSBFunctions.Context, _ node: String
    ) throws(LibUSBError) -> LibUSBFunctions.Connection {
        let numbers = node.split(separator: "/").suffix(2).compactMap { UInt8($0) }
        guard numbers.count == 2 else { throw .invalidParameter }
        let (bus, address) = (numbers[0], numbers[1])
        let key = Self.key(bus, address)
        let path = monitor.withLock { devices[key]?.listed.path ?? "" }
        return try perform(.open, path, "\(bus).\(address)") { () throws(LibUSBError) in
            let contextID = unsafe Int(bitPattern: context.pointer)
            if !contexts.contains(contextID) { violate("a device was opened in a context that is none") }
            guard let device = devices[key] else { throw .noDevice }
            let id = connections.count + 1
            guard let handle = unsafe OpaquePointer(bitPattern: id << 8) else { throw .other }
            connections[id] = Connection(id: id, context: contextID, key: key, path: device.listed.path)
            return unsafe LibUSBFunctions.Connection(context: context, handle: handle, node: -1)
        }
    }

    private func close(_ connection: LibUSBFunctions.Connection) {
        let (id, path) = monitor.withLock {
            let id = identifier(connection, .close)
            return (id, connections[id]?.path ?? "")
        }
        try? perform(.close, path) { () throws(LibUSBError) in
            let live = memory.values.filter { $0.connection == id && [.inFlight, .ended].contains($0.state) }
            if !live.isEmpty { violate("closed with \(live.count) transfers in flight") }
            for transfer in live { transfer.state = .idle }
            if connections[id]?.calls != 0 { violate("closed while another thread uses the connection") }
            connections[id]?.isOpen = false
            connections[id]?.claims = []
            connections[id]?.ended = []
        }
    }

    // MARK: Drivers and claims

    private func detachDriver(_ connection: LibUSBFunctions.Connection, _ interface: UInt8) throws(LibUSBError) {
        try withDevice(of: connection, .detachDriver, "\(interface)") { device, _ throws(LibUSBError) in
            guard device.bound.remove(interface) != nil else { throw .notFound }
        }
    }

    private func attachDriver(_ connection: LibUSBFunctions.Connection, _ interface: UInt8) throws(LibUSBError) {
        try withDevice(of: connection, .attachDriver, "\(interface)") { device, open throws(LibUSBError) in
            guard !isClaimed(interface, of: open.key), !open.claims.contains(interface),
                !device.bound.contains(interface)
            else { throw .busy }
            guard device.driven.contains(interface), device.interfaces.contains(interface) else { throw .notFound }
            device.bound.insert(interface)
        }
    }

    private func claim(_ connection: LibUSBFunctions.Connection, _ interface: UInt8) throws(LibUSBError) {
        try withDevice(of: connection, .claim, "\(interface)") { device, open throws(LibUSBError) in
            guard !open.claims.contains(interface) else { return }
            guard device.interfaces.contains(interface) else { throw .notFound }
            guard !device.bound.contains(interface), !isClaimed(interface, of: open.key) else { throw .busy }
            open.claims.insert(interface)
        }
    }

    private func release(_ connection: LibUSBFunctions.Connection, _ interface: UInt8) throws(LibUSBError) {
        try withDevice(of: connection, .release, "\(interface)") { device, open throws(LibUSBError) in
            guard open.claims.remove(interface) != nil else { throw .notFound }
            endTransfers(&open) { device.interface(of: $0.endpoint) == interface }
        }
    }

    private func isClaimed(_ interface: UInt8, of key: Int) -> Bool {
        connections.values.contains { $0.key == key && $0.isOpen && !$0.isGone && $0.claims.contains(interface) }
    }

    // MARK: State

    private func setConfiguration(
        _ connection: LibUSBFunctions.Connection, _ value: Int32
    ) throws(LibUSBError) {
        try withDevice(of: connection, .setConfiguration, "\(value)") { device, open throws(LibUSBError) in
            let key = open.key
            let isUsed = device.interfaces.contains { isClaimed($0, of: key) } || !device.bound.isEmpty
            guard !isUsed else { throw .busy }
            let known = value == -1 ? 0 : UInt8(exactly: value)
            guard let known, known == 0 || device.listed.configurations.contains(where: { $0.value == known }) else {
                throw .notFound
            }
            // To select what is selected is a light reset, after which the kernel's drivers are not asked again.
            let bound = device.bound
            let isAnew = device.configuration == known && known != 0
            device.select(known)
            if isAnew { device.bound = bound }
        }
    }

    private func setAlternate(
        _ connection: LibUSBFunctions.Connection, _ interface: UInt8, _ alternate: UInt8
    ) throws(LibUSBError) {
        try withDevice(of: connection, .setAlternate, "\(interface) \(alternate)") {
            device, open throws(LibUSBError) in
            let exists = device.settings.contains { $0.interface == interface && $0.alternate == alternate }
            guard exists, open.claims.contains(interface) else { throw .notFound }
            endTransfers(&open) { device.interface(of: $0.endpoint) == interface }
            let endpoints = device.settings.filter { $0.interface == interface }.flatMap(\.endpoints)
            device.halted.subtract(endpoints.map(\.address))
            device.alternates[interface] = alternate == 0 ? nil : alternate
        }
    }

    private func clearHalt(_ connection: LibUSBFunctions.Connection, _ endpoint: UInt8) throws(LibUSBError) {
        let address = EndpointAddress(rawValue: endpoint)
        try withDevice(of: connection, .clearHalt, "\(address)") { device, open throws(LibUSBError) in
            guard let interface = device.interface(of: address), open.claims.contains(interface) else {
                throw .notFound
            }
            device.halted.remove(address)
        }
    }

    private func reset(_ connection: LibUSBFunctions.Connection) throws(LibUSBError) {
        try withDevice(of: connection, .reset) { device, open throws(LibUSBError) in
            // Linux selects again what was selected.
            endTransfers(&open) { _ in true }
            device.halted = []
        }
    }

    /// Ends transfers that the kernel takes back unasked, as it does when it takes their endpoints away.
    ///
    /// Libusb does not look why, and calls all but control transfers complete.
    private func endTransfers(_ open: inout Connection, _ isMeant: (FakeTransfer) -> Bool) {
        for transfer in inFlight(of: open.id) where isMeant(transfer.snapshot) {
            transfer.state = .ended
            let packets = transfer.snapshot.packets.map { _ in FakeOutcome.Packet(bytes: [], status: .error) }
            let status: FakeOutcome.Status = transfer.snapshot.type == .control ? .cancelled : .completed
            transfer.outcome = FakeOutcome(status: status, count: 0, packets: packets)
            open.ended.append(transfer)
        }
    }
}
