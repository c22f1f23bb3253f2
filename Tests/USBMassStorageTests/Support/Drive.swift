import DirectHost
import SCSITarget
import Testing
import USBCore
import USBDeviceKit

@testable import USBMassStorage

/// A drive, and a driver for it that does as Bulk-Only Transport 1.0 §5.3 tells hosts to.
final class Drive {
    static let input = EndpointAddress.in(1)
    static let output = EndpointAddress.out(2)

    let target: SCSITarget
    let device: GadgetDevice
    let host: DirectHost
    private var tag: UInt32 = 0x1000_0000

    /// Makes a drive that is configured, and whose units have told what they have to tell.
    init(
        _ stores: [any BlockStore], speed: Speed = .high, stallsShortData: Bool = true, isConfigured: Bool = true
    ) throws {
        let units = stores.map { store in
            let unit = LogicalUnit()
            unit.insert(store)
            return unit
        }
        target = SCSITarget(units)
        var configuration = MassStorageGadget.Configuration()
        configuration.speed = speed
        configuration.stallsShortData = stallsShortData
        device = try GadgetDevice(MassStorageGadget(target, configuration))
        host = DirectHost(device)
        guard isConfigured else { return }
        #expect(host.control(.init(requestType: 0x00, request: 9, value: 1))?.status == .success)
        greet()
    }

    convenience init(blocks: UInt64 = 64, speed: Speed = .high, stallsShortData: Bool = true) throws {
        try self.init([try MemoryStore(byteCount: blocks * 512)], speed: speed, stallsShortData: stallsShortData)
    }

    var store: (any BlockStore)? { target[0]?.store }

    /// Fetches the unit attentions after a reset.
    func greet() {
        for lun in 0..<UInt8(target.units.count) {
            for _ in 0..<4 where command(.testUnitReady, lun: lun).status != 0 {}
        }
    }

    // MARK: Commands

    /// What a host announces.
    enum Expectation: Hashable {
        case none
        case fromDevice(Int)
        case toDevice([UInt8])

        var length: Int {
            switch self {
            case .none: 0
            case .fromDevice(let count): count
            case .toDevice(let bytes): bytes.count
            }
        }
    }

    /// What a command came to.
    struct Outcome {
        var data: [UInt8] = []
        /// Each transfer of the data phase.
        var transfers: [DirectHost.Completion] = []
        /// How often the IN endpoint had to be cleared.
        var stalls = 0
        /// 0 passed, 1 failed, 2 phase error; nil when no status came.
        var status: UInt8?
        var residue: UInt32 = 0
    }

    /// Wraps a command (§5.1).
    func wrap(
        _ cdb: [UInt8], lun: UInt8 = 0, length: Int, isIn: Bool = false, blockLength: UInt8? = nil
    ) -> [UInt8] {
        tag &+= 1
        var wrapper: [UInt8] = [0x55, 0x53, 0x42, 0x43]
        wrapper += littleEndian(tag)
        wrapper += littleEndian(UInt32(length))
        wrapper += [isIn ? 0x80 : 0, lun, blockLength ?? UInt8(cdb.count)]
        wrapper += cdb.prefix(16)
        return wrapper + [UInt8](repeating: 0, count: 31 - wrapper.count)
    }

    /// Runs a command to its end.
    ///
    /// - Parameters:
    ///   - cut: the length of each transfer of the data phase; nil for one transfer.
    ///   - isGreedy: ask for `cut` bytes each time, even past what was announced.
    @discardableResult
    func command(
        _ cdb: [UInt8], lun: UInt8 = 0, _ expectation: Expectation = .none, cut: Int? = nil, isGreedy: Bool = false,
        sourceLocation: SourceLocation = #_sourceLocation
    ) -> Outcome {
        var isIn = false
        if case .fromDevice = expectation { isIn = true }
        let wrapper = wrap(cdb, lun: lun, length: expectation.length, isIn: isIn)
        let accepted = host.write(Self.output, wrapper)
        #expect(accepted?.status == .success && accepted?.actualLength == 31, sourceLocation: sourceLocation)
        var outcome = Outcome()
        move(expectation, cut ?? max(expectation.length, 1), isGreedy, &outcome)
        finish(&outcome)
        #expect(outcome.data.count <= expectation.length, "more data than announced", sourceLocation: sourceLocation)
        #expect(outcome.residue <= UInt32(expectation.length), sourceLocation: sourceLocation)
        #expect(host.waiting.isEmpty && host.violations.isEmpty, sourceLocation: sourceLocation)
        return outcome
    }

    private func move(_ expectation: Expectation, _ cut: Int, _ isGreedy: Bool, _ outcome: inout Outcome) {
        var left = expectation.length
        while left > 0 {
            let count = isGreedy ? cut : min(cut, left)
            let transfer: DirectHost.Completion?
            if case .toDevice(let bytes) = expectation {
                let start = bytes.count - left
                transfer = host.write(Self.output, Array(bytes[start..<(start + count)]))
            } else {
                transfer = host.read(Self.input, count)
            }
            guard let transfer else {
                Issue.record("the data phase hangs with \(left) bytes left")
                return
            }
            outcome.transfers.append(transfer)
            outcome.data += transfer.data
            left -= transfer.actualLength
            if transfer.status == .stalled {
                outcome.stalls += 1
                clearHalt(transfer.endpoint)
            }
            guard transfer.status == .success, transfer.actualLength == count else { return }
        }
    }

    /// Reads the status; once more after a STALL (§6.7.2).
    func finish(_ outcome: inout Outcome) {
        var transfer = host.read(Self.input, 13)
        if transfer?.status == .stalled {
            outcome.stalls += 1
            clearHalt(Self.input)
            transfer = host.read(Self.input, 13)
        }
        guard let bytes = transfer?.data, bytes.count == 13, transfer?.status == .success else {
            Issue.record("in place of a status: \(transfer.map { "\($0)" } ?? "nothing")")
            return
        }
        #expect(Array(bytes[..<8]) == [0x55, 0x53, 0x42, 0x53] + littleEndian(tag), "signature and tag")
        outcome.residue = bytes[8..<12].reversed().reduce(0) { $0 << 8 | UInt32($1) }
        outcome.status = bytes[12]
    }

    /// The sense data of REQUEST SENSE: key, code and qualifier.
    func sense(lun: UInt8 = 0) -> [UInt8] {
        let data = command(.requestSense, lun: lun, .fromDevice(18)).data
        return data.count == 18 ? [data[2] & 0x0f, data[12], data[13]] : []
    }

    /// Whether the drive offers memory of its own for the next `count` bytes.
    func offersLanding(_ count: Int, at endpoint: EndpointAddress = Drive.output) -> Bool {
        unsafe device.landing(for: endpoint, count: count) != nil
    }

    // MARK: Control

    func clearHalt(_ endpoint: EndpointAddress) {
        let setup = SetupPacket(requestType: 0x02, request: 1, index: UInt16(endpoint.rawValue))
        #expect(host.control(setup)?.status == .success)
    }

    func isHalted(_ endpoint: EndpointAddress) -> Bool {
        let setup = SetupPacket(requestType: 0x82, request: 0, index: UInt16(endpoint.rawValue), length: 2)
        return host.control(setup)?.data == [1, 0]
    }

    /// Bulk-Only Mass Storage Reset alone (§3.1).
    func classReset() {
        #expect(host.control(.init(requestType: 0x21, request: 0xff))?.status == .success)
    }

    /// Reset Recovery (§5.3.4).
    func recover() {
        classReset()
        clearHalt(Self.input)
        clearHalt(Self.output)
    }

    /// Whether a command passes from beginning to end.
    var works: Bool { command(.testUnitReady).status == 0 }
}

extension [UInt8] {
    static let testUnitReady: Self = [0x00, 0, 0, 0, 0, 0]
    static let requestSense: Self = [0x03, 0, 0, 0, 18, 0]
    static let inquiry: Self = [0x12, 0, 0, 0, 36, 0]

    static func read10(_ block: UInt32, _ count: UInt16) -> Self { rw10(0x28, block, count) }
    static func write10(_ block: UInt32, _ count: UInt16, forcesUnitAccess: Bool = false) -> Self {
        rw10(0x2a, block, count, flags: forcesUnitAccess ? 0x08 : 0)
    }

    private static func rw10(_ opcode: UInt8, _ block: UInt32, _ count: UInt16, flags: UInt8 = 0) -> Self {
        let address = Self(littleEndian(block).reversed())
        return [opcode, flags] + address + [0, UInt8(count >> 8), UInt8(count & 0xff), 0]
    }
}

/// A number's bytes, the lowest first.
func littleEndian(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) } }

/// `count` blocks of 512 bytes, each filled with its own number from `first` on.
func numbered(_ count: Int, from first: UInt8 = 1) -> [UInt8] {
    (0..<count).flatMap { [UInt8](repeating: first &+ UInt8(truncatingIfNeeded: $0), count: 512) }
}
