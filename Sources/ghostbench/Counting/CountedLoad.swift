import ArgumentParser
import USBCore
import USBIPWire

/// A kind of transfer whose cost is counted.
enum CountedLoad: String, CaseIterable, ExpressibleByArgument {
    /// Bulk IN of 64 bytes.
    case bulkIn = "bulk-in-64"
    /// The same with a capture and a fault in between that have nothing to do.
    case decorated = "bulk-in-64-decorated"
    /// Bulk OUT of 64 bytes.
    case bulkOut = "bulk-out-64"
    /// GET_DESCRIPTOR(device).
    case control = "control-in-18"
    /// Interrupt IN of 64 bytes, each in its turn of the bus.
    case interrupt = "interrupt-in-64-paced"
    /// Isochronous IN of 8 packets of 64 bytes.
    case isochronous = "iso-in-8x64"
    /// TEST UNIT READY over the Bulk-Only Transport: a command and a status.
    case testUnitReady = "drive-tur"

    /// The model that answers.
    var device: String {
        switch self {
        case .testUnitReady: "drive:size=1M,format=none"
        case .bulkOut: "zero:pattern=none"
        default: "zero"
        }
    }

    /// Requests that come first: the configuration, and the alternate setting that has the endpoint.
    var preparation: [SetupPacket] {
        let alternate: UInt16? =
            switch self {
            case .interrupt: 2
            case .isochronous: 1
            default: nil
            }
        return [SetupPacket(requestType: 0x00, request: 9, value: self == .testUnitReady ? 1 : 3)]
            + (alternate.map { [SetupPacket(requestType: 0x01, request: 11, value: $0)] } ?? [])
    }

    /// How many idle decorators the device wears.
    var decorators: Int { self == .decorated ? 2 : 0 }

    /// Whether the device is on a bus with a clock.
    var isPaced: Bool { self == .interrupt }

    /// Nanoseconds that are more than enough for a batch of paced transfers.
    static let batchTime: UInt64 = 200_000_000

    /// The transfers in a batch: what a busy host has in flight.
    var transfers: Int { 128 }

    /// The bytes with which a batch is answered.
    var answeredBytes: Int {
        switch self {
        case .bulkIn, .decorated, .interrupt: transfers * (48 + 64)
        case .bulkOut: transfers * 48
        case .control: transfers * (48 + 18)
        case .isochronous: transfers * (48 + 8 * (64 + 16))
        case .testUnitReady: transfers / 2 * (48 + 48 + 13)
        }
    }

    /// Adds a batch's commands.
    func fill(_ script: inout TransferScript) {
        switch self {
        case .bulkIn, .decorated:
            for _ in 0..<transfers { script.add(.in(1), length: 64) }
        case .bulkOut:
            let payload = [UInt8](repeating: 0, count: 64)
            for _ in 0..<transfers { script.add(.out(1), length: 64, payload: payload) }
        case .control:
            let setup = SetupPacket(requestType: 0x80, request: 6, value: 0x0100, length: 18)
            for _ in 0..<transfers { script.add(.in(0), length: 18, setup: setup) }
        case .interrupt:
            for _ in 0..<transfers { script.add(.in(3), length: 64) }
        case .isochronous:
            let packets = (0..<8).map { PacketDescriptor(offset: $0 * 64, length: 64) }
            for _ in 0..<transfers { script.add(.in(2), length: 512, packets: packets) }
        case .testUnitReady:
            // Signature, tag, no data, direction, unit, length of the command, the command (BOT §5.1).
            let wrapper: [UInt8] =
                Array("USBC".utf8) + [UInt8](repeating: 0, count: 10) + [6] + Array(repeating: 0, count: 16)
            for _ in 0..<transfers / 2 {
                script.add(.out(Self.driveOut), length: 31, payload: wrapper)
                script.add(.in(Self.driveIn), length: 13)
            }
        }
    }

    private static let driveIn: UInt8 = 1
    private static let driveOut: UInt8 = 2
}
