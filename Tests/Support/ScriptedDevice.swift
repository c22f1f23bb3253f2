package import USBCore
package import USBDeviceKit

/// A device that does what a test says and remembers what was asked of it.
///
/// `@unchecked Sendable`: everything but its making happens on its executor, or on the one thread of a session test.
@safe package final class ScriptedDevice: USBDevice, @unchecked Sendable {
    /// What the device does with a transfer that comes in.
    package enum Reaction {
        case keep
        case answer(Answer)
        /// Loses it, as a device with a bug does.
        case drop
    }

    /// What the device does when a kept transfer is wanted back.
    package enum Cancelling {
        /// Gives it back before ``cancel(_:)`` returns.
        case atOnce
        /// Gives it back with ``finishCancels()``.
        case later
        /// Had it finished already, and gives it back so.
        case tooLate(Answer)
    }

    /// A transfer as it came in.
    package struct Submission: Hashable, Sendable {
        package var id: URB.ID
        package var endpoint: EndpointAddress
        package var type: TransferType
        package var flags: UInt32
        package var setup: SetupPacket
        package var requestedLength: Int
        package var payload: [UInt8]
        package var packets: [IsochronousPacket]
        /// The bytes of each packet of an isochronous OUT transfer.
        package var packetBytes: [[UInt8]]
    }

    /// The selected setting's endpoints; endpoint zero always exists.
    package var endpoints: [EndpointAddress: TransferType]
    /// Decides about each transfer; keeps all unless told otherwise.
    package var react: (Submission) -> Reaction = { _ in .keep }
    package var cancelling = Cancelling.atOnce
    /// What lists show of the device.
    package var identity: DeviceIdentity
    /// Whether ``landing(for:count:)`` offers memory.
    package var landsTransfers = false

    package private(set) var port: (any DevicePort)?
    package private(set) var submissions: [Submission] = []
    package private(set) var cancels: [URB.ID] = []
    package private(set) var resets: [ResetCause] = []
    package private(set) var connections = 0
    package private(set) var disconnections = 0
    package private(set) var landings: [Int] = []
    private var kept: [KeptTransfer] = []
    private var cancelled: [URB.ID] = []
    private let landingMemory = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 16)

    package init(
        _ endpoints: [EndpointAddress: TransferType] = ScriptedDevice.everyType, speed: Speed = .high
    ) {
        self.endpoints = endpoints
        identity = DeviceIdentity(
            speed: speed, vendorID: 0x1209, productID: 0x0001, release: 0x0100, deviceClass: .init(0, 0, 0),
            configurationValue: 0, configurationCount: 1, interfaces: [.init(0xff, 0, 0)], name: "Scripted")
    }

    deinit { unsafe landingMemory.deallocate() }

    /// Endpoints of every type in both directions: bulk 1, interrupt 2, isochronous 3.
    package static var everyType: [EndpointAddress: TransferType] {
        [
            .in(1): .bulk, .out(1): .bulk, .in(2): .interrupt, .out(2): .interrupt, .in(3): .isochronous,
            .out(3): .isochronous,
        ]
    }

    // MARK: What a test does

    /// The transfers that wait, oldest first.
    package var waiting: [Submission] { kept.map(\.submission) }

    /// Answers a transfer that waits; false when it does not.
    @discardableResult
    package func complete(_ id: URB.ID, _ answer: Answer) -> Bool {
        guard let index = kept.firstIndex(where: { $0.submission.id == id }) else { return false }
        let transfer = kept.remove(at: index)
        cancelled.removeAll { $0 == id }
        guard let urb = transfer.take() else { return false }
        answer.perform(on: urb)
        return true
    }

    /// Gives back, as cancelled, what was wanted back while ``cancelling`` was ``Cancelling/later``.
    package func finishCancels() {
        for id in cancelled { complete(id, .status(.cancelled)) }
    }

    /// Gives everything back that waits.
    package func completeAll(_ status: TransferStatus) {
        for transfer in waiting { complete(transfer.id, .status(status)) }
    }

    /// Loses everything that waits, as a device with a bug does.
    package func dropAll() { kept = [] }

    /// The payloads of the OUT transfers that wait, as they are now.
    package func payloadsWaiting() -> [[UInt8]] { kept.map { $0.payload() } }

    // MARK: USBDevice

    package func attach(to port: any DevicePort) { self.port = port }

    package func connect() { connections += 1 }

    package func disconnect() {
        disconnections += 1
        if case .atOnce = cancelling { completeAll(.cancelled) }
    }

    package func transferType(of endpoint: EndpointAddress) -> TransferType? {
        endpoint.number == 0 ? .control : endpoints[endpoint]
    }

    package func schedule(of endpoint: EndpointAddress) -> PeriodicSchedule? { nil }

    package func submit(_ urb: consuming URB) {
        let submission = Submission(urb)
        submissions.append(submission)
        guard transferType(of: urb.endpoint) != nil else { return urb.stall() }
        switch react(submission) {
        case .keep: kept.append(KeptTransfer(submission, urb))
        case .answer(let answer): answer.perform(on: urb)
        case .drop: break
        }
    }

    package func cancel(_ id: URB.ID) {
        cancels.append(id)
        switch cancelling {
        case .atOnce: complete(id, .status(.cancelled))
        case .later: cancelled.append(id)
        case .tooLate(let answer): complete(id, answer)
        }
    }

    package func reset(_ cause: ResetCause) { resets.append(cause) }

    package func landing(for endpoint: EndpointAddress, count: Int) -> UnsafeMutableRawBufferPointer? {
        guard landsTransfers, unsafe count <= landingMemory.count else { return nil }
        landings.append(count)
        return unsafe UnsafeMutableRawBufferPointer(rebasing: landingMemory[..<count])
    }
}

private final class KeptTransfer {
    let submission: ScriptedDevice.Submission
    private var urb: URB?

    init(_ submission: ScriptedDevice.Submission, _ urb: consuming URB) {
        self.submission = submission
        self.urb = consume urb
    }

    func take() -> URB? { urb.take() }

    func payload() -> [UInt8] {
        guard let urb = urb.take() else { return [] }
        let bytes = urb.withBytes { unsafe $0.withUnsafeBytes { unsafe Array($0) } }
        self.urb = consume urb
        return bytes
    }
}

extension ScriptedDevice.Submission {
    fileprivate init(_ urb: borrowing URB) {
        let isOut = urb.endpoint.direction == .out
        let payload = isOut ? urb.withBytes { unsafe $0.withUnsafeBytes { unsafe Array($0) } } : []
        var packets: [IsochronousPacket] = []
        var packetBytes: [[UInt8]] = []
        for index in 0..<urb.packetCount {
            if let packet = urb.packet(index) { packets.append(packet) }
            if isOut { packetBytes.append(urb.withPacket(index) { unsafe $0.withUnsafeBytes { unsafe Array($0) } }) }
        }
        self.init(
            id: urb.id, endpoint: urb.endpoint, type: urb.type, flags: urb.flags.rawValue, setup: urb.setup,
            requestedLength: urb.requestedLength, payload: payload, packets: packets, packetBytes: packetBytes)
    }
}
