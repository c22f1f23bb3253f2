import CommandSupport
import DeviceModels
import DirectHost
import SCSITarget
import Testing
import USBCore

@Suite("drive, what it tells")
struct DriveEventTests {
    private func text(_ event: DeviceEvent?) -> String { JSON.object(event?.members ?? []).text }

    @Test("every command in words, while somebody follows")
    func commands() throws {
        let drive = try DriveUnderControl("drive:size=1M,format=none")
        drive.write(5, 1)
        let events = drive.events()
        #expect(events.map(\.kind) == ["scsi"])
        #expect(
            text(events.first)
                == #"{"lun":0,"command":"WRITE(10)","block":5,"blocks":1,"bytes":512,"status":"good"}"#)
        _ = drive.run([0x28, 0, 0, 0, 0x08, 0, 0, 0, 1])
        #expect(
            text(drive.events().first)
                == #"{"lun":0,"command":"READ(10)","block":2048,"blocks":1,"bytes":0,"status":"check condition","#
                + #""sense":"ILLEGAL REQUEST, logical block address out of range"}"#)
    }

    @Test("no commands while nobody follows; what happens to media all the same")
    func unwatched() throws {
        let drive = try DriveUnderControl("drive:size=1M,format=none", isWatched: false)
        drive.write(5, 1)
        #expect(drive.events().isEmpty)
        #expect(drive.run([0x1B, 0, 0, 0, 2]).sense == nil)
        #expect(drive.run([0x1B, 0, 0, 0, 3]).sense == nil)
        try drive.perform("eject")
        try drive.perform("insert")
        let events = drive.events()
        #expect(events.map(\.kind) == ["ejected", "loaded", "ejected", "inserted"])
        #expect(events.map { text($0).contains(#""by":"host""#) } == [true, true, false, false])
        #expect(text(events.last).contains(#""by":"control","bytes":1048576"#))
    }

    @Test("what the drive does not know, once for each operation code")
    func unhandled() throws {
        let drive = try DriveUnderControl("drive:size=1M,format=none,luns=2", isWatched: false)
        #expect(drive.run([0x4D, 0, 0x40, 0, 0, 0, 0, 0, 4]).sense == [5, 0x20, 0])
        #expect(drive.run([0x4D, 0, 0x41, 0, 0, 0, 0, 0, 4], lun: 1).sense == [5, 0x20, 0])
        #expect(drive.run([0x12, 1, 0xB9, 0, 64]).sense == [5, 0x24, 0])
        #expect(drive.run([0xC0, 0xFF]).sense == [5, 0x20, 0])
        #expect(drive.run([0x5A, 0, 0x19, 0, 0, 0, 0, 0, 64]).sense == [5, 0x24, 0])
        #expect(drive.run([0x28, 0, 0, 0, 0x08, 0, 0, 0, 1]).sense == [5, 0x21, 0], "known, and out of range")
        let events = drive.events()
        #expect(events.allSatisfy { $0.kind == "unhandled" } && events.count == 4)
        for (event, words) in zip(events, ["LOG SENSE, unit 0", "INQUIRY", "operation code c0h", "MODE SENSE(10)"]) {
            #expect(text(event).hasPrefix(#"{"request":"\#(words)"#), "\(text(event))")
        }
        #expect(text(events[1]).contains("VPD page B9h") && text(events[3]).contains("mode page 19h"))
    }

    @Test("through the bus: a command's event comes with its status, and an exchange is met by the next one")
    func overTheBus() throws {
        let drive = try DriveUnderControl("drive:size=1M,format=none")
        let host = DirectHost(drive.made.device)
        #expect(host.control(SetupPacket(requestType: 0x00, request: 9, value: 1))?.status == .success)
        func testUnitReady() -> UInt8? {
            let wrapper: [UInt8] = [0x55, 0x53, 0x42, 0x43, 1, 2, 3, 4] + [UInt8](repeating: 0, count: 6) + [6]
            host.write(.out(2), wrapper + [UInt8](repeating: 0, count: 16))
            return host.read(.in(1), 13)?.data.last
        }
        #expect(testUnitReady() == 1 && testUnitReady() == 0)
        _ = drive.events()
        try drive.perform("insert", [("size", .string("2M")), ("format", .string("none"))])
        #expect(testUnitReady() == 1 && testUnitReady() == 0)
        let events = drive.events()
        #expect(events.map(\.kind) == ["ejected", "inserted", "scsi", "scsi"])
        #expect(text(events.dropFirst(2).first).contains("medium may have changed"))
        #expect(host.violations.isEmpty)
    }
}
