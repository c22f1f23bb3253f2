import DirectHost
import Glibc
import TestSupport
import Testing
import USBCore
import USBDeviceKit
import USBRecording

/// That Wireshark's own tools read our captures without a complaint.
@Suite("Read by Wireshark's tools") struct TsharkTests {
    private static let isInstalled = ["tshark", "capinfos"].allSatisfy { name in
        unsafe access("/usr/bin/\(name)", X_OK) == 0
    }

    private func output(_ command: String) throws -> String {
        guard let pipe = unsafe popen("\(command) 2>/dev/null", "r") else {
            Issue.record("\(command) cannot be started")
            return ""
        }
        var text: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = unsafe fread(&piece, 1, piece.count, pipe)
            guard count > 0 else { break }
            text += piece[..<count]
        }
        #expect(unsafe pclose(pipe) == 0)
        return String(decoding: text, as: UTF8.self)
    }

    /// Every kind of transfer and end, with bytes that dissectors can make sense of.
    private func record(_ path: String) throws -> CaptureTotals {
        let writer = try CaptureWriter(
            path: path, application: "ghostplug test", comment: "a test", logger: LogLines().logger)
        let device = ScriptedDevice()
        let descriptor: [UInt8] = [18, 1, 0, 2, 0, 0, 0, 64, 0x09, 0x12, 1, 0, 0, 1, 0, 0, 0, 1]
        device.react = { submission in
            switch (submission.type, submission.endpoint.direction) {
            case (.control, .in): .answer(submission.setup.value == 0x0100 ? .bytes(descriptor) : .status(.stalled))
            case (.isochronous, .in): .answer(.packets([.init([1, 2, 3]), .init([], .missed), .init([4])]))
            case (.isochronous, .out): .answer(.acceptPackets)
            case (_, .in): .answer(.bytes([UInt8](repeating: 7, count: submission.requestedLength)))
            case (_, .out): .answer(.accept())
            }
        }
        var description = RecordedDevice(name: "Scripted")
        description.speed = .high
        description.busID = "1-1"
        description.model = "zero:label=A B"
        description.seed = 3
        let host = DirectHost(CaptureTap(device, writer.register(description)))
        host.control(SetupPacket(requestType: 0x80, request: 6, value: 0x0100, length: 18))
        host.control(SetupPacket(requestType: 0x80, request: 6, value: 0x0f00, length: 5))
        host.control(SetupPacket(requestType: 0x00, request: 9, value: 1))
        for size in [0, 1, 512, 70_000] {
            _ = host.read(.in(1), size)
            host.write(.out(1), [UInt8](repeating: 9, count: size))
        }
        _ = host.read(.in(2), 8)
        host.submitIsochronous(.in(3), packets: 3, of: 8)
        host.submitIsochronous(.out(3), packets: 2, of: 8)
        device.react = { _ in .keep }
        host.cancel(host.submitIn(.in(2), 8))
        return writer.close()
    }

    @Test("tshark dissects every record", .enabled(if: isInstalled, "tshark and capinfos are not installed"))
    func tshark() throws {
        let scratch = Scratch()
        let totals = try record(scratch["a.pcapng"])
        let text = try output("tshark -r '\(scratch["a.pcapng"])' -V")
        #expect(!text.contains("Malformed"))
        #expect(!text.contains("Expert Info (Error"))
        #expect(!text.contains("Expert Info (Warning"))
        let fields = "-T fields -e frame.number -e usb.src -e usb.dst -e usb.urb_type -e usb.urb_status"
        let lines = try output("tshark -r '\(scratch["a.pcapng"])' \(fields)").split(separator: "\n")
        #expect(UInt64(lines.count) == totals.records)
        #expect(lines.first == "1\thost\t1.2.0\t'S'\t-115")
        #expect(lines.last?.hasSuffix("\t1.2.2\thost\t'C'\t-104") == true)
        #expect(
            try output("tshark -r '\(scratch["a.pcapng"])' -Y 'usb.iso.numdesc == 3'").split(separator: "\n").count == 2
        )
    }

    @Test(
        "capinfos knows who wrote it, and in which resolution", .enabled(if: isInstalled, "capinfos is not installed"))
    func capinfos() throws {
        let scratch = Scratch()
        let totals = try record(scratch["a.pcapng"])
        let text = try output("capinfos '\(scratch["a.pcapng"])'")
        #expect(text.contains("USB packets with Linux header and padding"))
        #expect(text.contains("Capture application: ghostplug test"))
        #expect(text.contains("nanoseconds (9)"))
        #expect(text.contains("Capture comment:     a test"))
        #expect(text.contains("Name = usbmon1"))
        #expect(text.contains("Number of packets = \(totals.records)"))
        #expect(text.contains("Number of stat entries = 1"))
    }
}
