import CaptureTraces
import CaptureTranscript
import CommandSupport
import Glibc
import Testing
import USBCapture
import USBCore

/// The folder of real captures: `GHOSTPLUG_CAPTURES`, or `../shared/captures` beside the package.
private enum RealCaptures {
    static let folder: String? = {
        if let path = unsafe getenv("GHOSTPLUG_CAPTURES") { return unsafe String(cString: path) }
        var parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
        while !parts.isEmpty {
            let root = parts.joined(separator: "/")
            if unsafe access(root + "/Package.swift", R_OK) == 0 {
                let folder = root + "/../shared/captures"
                return unsafe access(folder + "/INDEX.md", R_OK) == 0 ? folder : nil
            }
            parts.removeLast()
        }
        return nil
    }()

    static let isThere = folder != nil

    /// A file's bytes, up to a megabyte.
    static func bytes(_ path: String) -> [UInt8]? {
        guard let file = unsafe fopen(path, "r") else { return nil }
        defer { unsafe _ = fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let count = unsafe fread(&bytes, 1, bytes.count, file)
        return Array(bytes.prefix(count))
    }

    static func lines(_ name: String, device: String? = nil, filter: String? = nil) throws -> [String] {
        let reader = try CaptureReader(path: (folder ?? "") + "/" + name)
        let (traces, summary) = try TraceLoader.load(reader, choice: device.flatMap(DeviceChoice.parse))
        #expect(summary.trouble == nil)
        let filter = try filter.map { try TranscriptFilter(parsing: $0) }
        let transcript = try Transcript(traces, origin: summary.firstTime, filter: filter)
        var lines: [String] = []
        while let entry = try transcript.entry() { lines.append("\(entry.packet) \(entry.words)") }
        return lines
    }
}

@Suite(
    "Transcripts of real captures",
    .enabled(if: RealCaptures.isThere, "GHOSTPLUG_CAPTURES names no folder, and ../shared/captures is not there"))
struct RealCaptureTests {
    @Test("The keyboard's capture tells the keys that were typed, also from its twin without isochronous headers")
    func keyboard() throws {
        let plain = try RealCaptures.lines("holtek-keyboard.pcapng", device: "04d9:1603")
        let keys = plain.filter { $0.contains("pressed") || $0.contains("released") }
        #expect(keys.count == 14)
        #expect(keys.first == "150 I pressed")
        #expect(keys.last == "176 I released")
        #expect(plain.contains("148 SET_REPORT output of interface 0: Num Lock on"))
        #expect(plain.contains("143 SET_IDLE only when something changes of interface 1 → STALL"))
        #expect(try RealCaptures.lines("holtek-keyboard-linktype189.pcap", device: "04d9:1603") == plain)
    }

    @Test("The disk's capture tells its commands, and its other half what was typed on its serial port")
    func disk() throws {
        let commands = try RealCaptures.lines(
            "bluepill-msc-linux.pcapng", device: "1209:db42", filter: "scsi=READ(10)|WRITE(10)")
        #expect(commands.count == 45)
        #expect(commands.first == "153 READ(10) LBA 0 count 8 → 4096 bytes, good")
        #expect(commands.count { $0.contains("WRITE(10)") } == 2)
        #expect(commands.contains("455 WRITE(10) LBA 0 count 1 → 512 bytes, good"))
        let typed = try RealCaptures.lines(
            "bluepill-msc-linux.pcapng", device: "1209:db42", filter: "endpoint=1out and type=bulk")
        #expect(
            typed.prefix(8).map { $0.split(separator: " ", maxSplits: 1)[1] }.joined() == #""A""T""E""1"" ""E""0""\r""#)
        let lines = try RealCaptures.lines("bluepill-msc-linux.pcapng", device: "1209:db42")
        #expect(lines.contains("480 SET_LINE_CODING 57600 8N1 of interface 2"))
        #expect(
            lines.contains(
                "121 PREVENT ALLOW MEDIUM REMOVAL prevent → failed: ILLEGAL REQUEST, invalid command operation code "
                    + "(5/20/00)"))
    }

    @Test("The same disk on Windows tells its commands, from packets with stages of their own")
    func diskOnWindows() throws {
        let commands = try RealCaptures.lines("bluepill-msc-windows.pcapng", filter: "scsi=READ(10)|WRITE(10)")
        #expect(commands.count { $0.contains("READ(10)") } == 17)
        #expect(commands.count { $0.contains("WRITE(10)") } == 13)
    }

    @Test("USB/IP between two kernels tells the disk and the keyboard")
    func network() throws {
        let lines = try RealCaptures.lines("usbip-kernel-stub.pcapng")
        #expect(lines.contains { $0.hasSuffix("INQUIRY → \"QEMU\" \"QEMU HARDDISK\" \"2.5+\", disk, good") })
        #expect(lines.contains { $0.hasSuffix("WRITE(10) LBA 100 count 1 → 512 bytes, good") })
        #expect(lines.contains { $0.hasSuffix("GET_MAX_LUN of interface 0 → 0") })
        #expect(lines.contains { $0.hasSuffix("→ \"QEMU USB Keyboard\"") })
    }

    @Test(
        "Every capture is told to its end, each transfer once, as text and as JSON",
        arguments: [
            "bluepill-msc-linux.pcapng", "bluepill-msc-windows.pcapng", "holtek-keyboard.pcapng",
            "holtek-keyboard-linktype189.pcap", "elecom-mouse.pcap", "qemu-tablet-windows.pcap",
            "km003c-meter-plugin.pcapng", "km003c-meter-session.pcapng", "fingerprint-fpcmoc.pcapng",
            "fingerprint-synaptics.pcapng", "fingerprint-realtek.pcapng", "usbip-kernel-stub.pcapng",
        ])
    func all(name: String) throws {
        let folder = try #require(RealCaptures.folder)
        let (traces, summary) = try TraceLoader.load(CaptureReader(path: "\(folder)/\(name)"), choice: nil)
        let transcript = try Transcript(traces, origin: summary.firstTime, limit: .bytes(.max))
        var packets: [Int] = []
        while let entry = try transcript.entry() {
            packets.append(entry.packet)
            #expect(!entry.words.isEmpty)
            #expect(entry.words.unicodeScalars.allSatisfy { PrintableText.isHarmless($0) })
            #expect(entry.data.count == entry.dataCount)
            #expect(try JSON(parsing: entry.json.text.utf8) == entry.json)
        }
        #expect(packets == packets.sorted())
        #expect(Set(packets).count == packets.count)
        let commands = try traces.map { try BulkOnlyReader.commands(of: $0).count }.reduce(0, +)
        #expect(packets.count <= traces.map(\.transfers.count).reduce(0, +))
        #expect(packets.count >= commands)
    }

    @Test(
        "Captures with wrong bytes in them are told as far as they make sense",
        arguments: [
            "holtek-keyboard.pcapng", "elecom-mouse.pcap", "km003c-meter-plugin.pcapng", "bluepill-msc-windows.pcapng",
        ])
    func damaged(name: String) throws {
        let folder = try #require(RealCaptures.folder)
        let original = try #require(RealCaptures.bytes("\(folder)/\(name)"))
        var state: UInt64 = 7
        func random(below limit: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % limit
        }
        for _ in 0..<40 {
            var bytes = original
            for _ in 0..<1 + random(below: 200) {
                bytes[random(below: bytes.count)] = UInt8(truncatingIfNeeded: random(below: 256))
            }
            guard let reader = try? CaptureReader(bytes: bytes) else { continue }
            let (traces, summary) = try TraceLoader.load(reader, choice: nil)
            let facts = CaptureFacts(
                name: name, format: reader.format, size: reader.size, comments: reader.comments,
                dropped: reader.dropped)
            let report = CaptureReport(summary, facts)
            #expect(report.text.unicodeScalars.allSatisfy { $0 == "\n" || PrintableText.isHarmless($0) })
            _ = try JSON(parsing: report.json.text.utf8)
            let transcript = try Transcript(traces, origin: summary.firstTime)
            while let entry = try transcript.entry() {
                #expect(entry.words.unicodeScalars.allSatisfy { PrintableText.isHarmless($0) })
            }
        }
    }
}
