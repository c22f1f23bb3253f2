import DirectHost
import SCSITarget
import Testing
import USBCore
import USBDeviceKit

@testable import USBMassStorage

@Suite("Descriptors, class requests and logical units (Bulk-Only Transport 1.0 §3, §4)")
struct ClassTests {
    @Test(
        "the descriptors of each speed", arguments: [(.full, 64), (.high, 512), (.super, 1_024)] as [(Speed, UInt16)])
    func descriptors(speed: Speed, packet: UInt16) throws {
        let host = try Drive(speed: speed).host
        let device = try #require(host.control(.init(requestType: 0x80, request: 6, value: 0x0100, length: 18))?.data)
        #expect(Array(device[4..<7]) == [0, 0, 0], "the class is the interface's")
        #expect(device[16] != 0 && device[17] == 1, "a serial number, one configuration")
        let setup = SetupPacket(requestType: 0x80, request: 6, value: 0x0200, length: 255)
        let bytes = try #require(host.control(setup)?.data)
        let size = [UInt8(packet & 0xff), UInt8(packet >> 8)]
        let companion: [UInt8] = speed.isSuperSpeed ? [6, 48, 15, 0, 0, 0] : []
        #expect(Array(bytes[9..<18]) == [9, 4, 0, 0, 2, 0x08, 0x06, 0x50, 0])
        #expect(
            Array(bytes[18...]) == [7, 5, 0x81, 2] + size + [0] + companion + [7, 5, 0x02, 2] + size + [0] + companion)
    }

    @Test("Get Max LUN tells the highest number, not the count", arguments: [1, 4, 16])
    func maxLUN(count: Int) throws {
        let stores = try (0..<count).map { _ in try MemoryStore(byteCount: 512 * 8) }
        let host = try Drive(stores).host
        #expect(host.control(.init(requestType: 0xa1, request: 0xfe, length: 1))?.data == [UInt8(count - 1)])
    }

    @Test("class requests with wrong fields are refused, and the reset among them resets nothing")
    func wrongFields() throws {
        let drive = try Drive()
        drive.host.write(Drive.output, drive.wrap(.testUnitReady, length: 0))
        for setup in [
            SetupPacket(requestType: 0xa1, request: 0xfe, value: 1, length: 1),
            .init(requestType: 0xa1, request: 0xfe, index: 1, length: 1),
            .init(requestType: 0xa1, request: 0xfe, length: 2), .init(requestType: 0xa1, request: 0xfe),
            .init(requestType: 0x21, request: 0xfe, length: 1), .init(requestType: 0xa1, request: 0xff),
            .init(requestType: 0x21, request: 0xff, value: 1), .init(requestType: 0x21, request: 0xff, index: 1),
            .init(requestType: 0x21, request: 0xff, length: 1), .init(requestType: 0x20, request: 0xff),
            .init(requestType: 0xc0, request: 0xfe, length: 1),
        ] {
            #expect(
                drive.host.control(
                    setup, setup.direction == .out ? [UInt8](repeating: 0, count: Int(setup.length)) : [])?.status
                    == .stalled, "\(setup)")
        }
        #expect(drive.host.read(Drive.input, 13)?.actualLength == 13, "the status is still due")
    }

    @Test("a client whose buffer contradicts the request gets no bytes from nowhere")
    func contradiction() throws {
        let drive = try Drive()
        let reset = SetupPacket(requestType: 0x21, request: 0xff)
        for direction in [Direction.in, .out] {
            drive.host.submitControl(reset, room: 4_096, direction: direction)
            drive.host.submitControl(.init(requestType: 0xa1, request: 0xfe, length: 1), room: 64, direction: direction)
        }
        #expect(drive.host.violations.isEmpty && drive.host.completions.allSatisfy { $0.actualLength <= 31 })
        #expect(drive.works)
    }

    @Test("each logical unit has its own medium and its own sense")
    func units() throws {
        let stores = try (0..<4).map { _ in try MemoryStore(byteCount: 512 * 8) }
        let drive = try Drive(stores)
        for lun: UInt8 in 0..<4 {
            #expect(drive.command(.write10(0, 1), lun: lun, .toDevice(numbered(1, from: lun + 1))).status == 0)
        }
        for lun: UInt8 in 0..<4 {
            #expect(drive.command(.read10(0, 1), lun: lun, .fromDevice(512)).data == numbered(1, from: lun + 1))
        }
        #expect(drive.command(.read10(100, 1), lun: 2, .fromDevice(512)).status == 1)
        #expect(drive.sense(lun: 1) == [0, 0, 0] && drive.sense(lun: 2) == [5, 0x21, 0])
    }

    @Test(
        "a unit that does not exist fails every command but INQUIRY and REQUEST SENSE, and says why",
        arguments: [1, 15])
    func unknownUnit(lun: UInt8) throws {
        let drive = try Drive()
        #expect(drive.command(.testUnitReady, lun: lun).status == 1)
        let inquiry = drive.command(.inquiry, lun: lun, .fromDevice(36))
        #expect(inquiry.status == 0 && inquiry.data.first == 0x7f)
        #expect(drive.sense(lun: lun) == [5, 0x25, 0])
        let read = drive.command(.read10(0, 1), lun: lun, .fromDevice(512))
        #expect(read.status == 1 && read.data.isEmpty && read.residue == 512)
        #expect(drive.works)
    }

    @Test("before configuration there is nobody to talk to")
    func unconfigured() throws {
        let drive = try Drive([try MemoryStore(byteCount: 4_096)], isConfigured: false)
        #expect(drive.host.write(Drive.output, drive.wrap(.testUnitReady, length: 0))?.status == .stalled)
        #expect(drive.host.read(Drive.input, 13)?.status == .stalled)
        #expect(!drive.offersLanding(512))
    }
}
