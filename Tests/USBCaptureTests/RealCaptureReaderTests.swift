import Testing
import USBCapture
import USBCore

@Suite(
    "Real captures of usbmon",
    .enabled(if: RealCaptures.folder != nil, "The real captures are not here: set GHOSTPLUG_CAPTURES to their folder."))
struct RealCaptureReaderTests {
    @Test(
        "have as many events as packets, and nothing that is cut",
        arguments: [
            ("bluepill-msc-linux.pcapng", 1680, 149_020), ("elecom-mouse.pcap", 16, 84),
            ("fingerprint-fpcmoc.pcapng", 228, 3146), ("fingerprint-realtek.pcapng", 277, 2032),
            ("fingerprint-synaptics.pcapng", 310, 1036), ("holtek-keyboard-linktype189.pcap", 177, 1520),
            ("holtek-keyboard.pcapng", 177, 1520), ("km003c-meter-plugin.pcapng", 402, 3826),
            ("km003c-meter-session.pcapng", 2524, 23_135),
        ])
    func counts(name: String, packets: Int, bytes: Int) throws {
        let reader = try CaptureReader(path: try #require(RealCaptures.folder) + "/" + name)
        let read = ReadCapture(reader)
        #expect(read.error == nil)
        #expect(read.events.count == packets)
        #expect(read.events.map(\.number) == Array(1...packets))
        #expect(read.data.reduce(0) { $0 + $1.count } == bytes)
        #expect(read.events.allSatisfy { !$0.isCut })
        #expect(reader.skippedPackets == 0)
    }

    @Test("are the same with the old header, but for what it lacks")
    func oldHeader() throws {
        func events(_ name: String) -> [CapturedEvent] {
            ReadCapture(RealCaptures.bytes(name)).events.map {
                var event = $0
                event.offset = 0
                event.dataOffset = nil
                event.interval = 0
                event.startFrame = 0
                event.flags = 0
                return event
            }
        }
        let new = events("holtek-keyboard.pcapng")
        #expect(new == events("holtek-keyboard-linktype189.pcap"))
        #expect(new.count == 177)
    }

    @Test(
        "of any kind keep what readers promise, whole and cut anywhere",
        arguments: [
            "bluepill-msc-linux.pcapng", "bluepill-msc-windows.pcapng", "qemu-tablet-windows.pcap",
            "usbip-kernel-stub.pcapng", "holtek-keyboard-linktype189.pcap", "fingerprint-fpcmoc.pcapng",
        ])
    func promises(name: String) throws {
        let bytes = RealCaptures.bytes(name)
        #expect(try CaptureExercise(bytes).events > 0)
        for share in 1..<12 { try CaptureExercise(Array(bytes.prefix(bytes.count * share / 12 + share))) }
    }
}
