import CaptureTraces
import CaptureTranscript
import CommandSupport
import Testing
import USBCapture
import USBCore

@Suite("Transfers in words")
struct TransferWordsTests {
    @Test("A keyboard's reports tell the keys that went down and up")
    func keyboard() throws {
        var made = MadeTrace.composite
        func keys(_ modifiers: UInt8, _ keys: UInt8...) -> [UInt8] {
            [modifiers, 0] + keys + [UInt8](repeating: 0, count: 6 - keys.count)
        }
        made.data(.in(1), keys(0), .interrupt)
        made.data(.in(1), keys(0x02), .interrupt)
        made.data(.in(1), keys(0x02, 0x04), .interrupt)
        made.data(.in(1), keys(0x02, 0x04), .interrupt)
        made.data(.in(1), keys(0, 0x05), .interrupt)
        made.data(.in(1), keys(0), .interrupt)
        made.data(.in(1), [], .interrupt, requested: 8, status: .cancelled)
        #expect(
            try made.words() == [
                "at rest", "Left Shift pressed", "A pressed", "nothing new",
                "Left Shift released, A released, B pressed", "B released", "cancelled",
            ])
    }

    @Test("A mouse's reports tell buttons and movements")
    func mouse() throws {
        var made = MadeTrace.composite
        made.data(.in(2), [0, 5, 0xfe], .interrupt)
        made.data(.in(2), [1, 0, 0], .interrupt)
        made.data(.in(2), [1, 0, 1], .interrupt)
        made.data(.in(2), [0, 0, 0], .interrupt)
        #expect(try made.words() == ["X +5, Y -2", "Button 1 pressed", "Y +1", "Button 1 released"])
    }

    @Test("Reports with ids, positions and media keys are told by their own fields")
    func otherReports() throws {
        var made = MadeTrace.composite
        made.device.descriptors.reports[0] = [
            // Report 1: a pointer with two positions, of which the second can be absent. Report 2: media keys.
            0x05, 0x01, 0x09, 0x02, 0xa1, 0x01, 0x85, 0x01, 0x15, 0x00, 0x26, 0xff, 0x7f, 0x75, 0x10, 0x95, 0x01, 0x09,
            0x30, 0x81, 0x02, 0x15, 0x01, 0x25, 0x08, 0x75, 0x08, 0x09, 0x39, 0x81, 0x42, 0xc0, 0x05, 0x0c, 0x09, 0x01,
            0xa1, 0x01, 0x85, 0x02, 0x15, 0x00, 0x26, 0xff, 0x03, 0x19, 0x00, 0x2a, 0xff, 0x03, 0x75, 0x10, 0x95, 0x01,
            0x81, 0x00, 0xc0,
        ]
        made.data(.in(1), [1, 0x34, 0x12, 3], .interrupt)
        made.data(.in(1), [1, 0x34, 0x12, 0], .interrupt)
        made.data(.in(1), [2, 0xe9, 0], .interrupt)
        made.data(.in(1), [1, 0x35, 0x12, 0], .interrupt)
        made.data(.in(1), [2, 0, 0], .interrupt)
        made.data(.in(1), [3, 1], .interrupt)
        #expect(
            try made.words() == [
                "report 1: X 4660, Hat Switch 3", "report 1: Hat Switch none", "report 2: Volume Increment pressed",
                "report 1: X 4661", "report 2: Volume Increment released", "2 bytes",
            ])
    }

    @Test("A hub's interrupt endpoint tells which ports changed")
    func hubChanges() throws {
        var made = MadeTrace()
        made.device.descriptors.configurations[0] = MadeDescriptors.configuration(
            [MadeDescriptors.interface(0, 9, 0, 0), MadeDescriptors.endpoint(0x81, 3)], interfaces: 1)
        made.data(.in(1), [0x05], .interrupt)
        made.data(.in(1), [0x00, 0x01], .interrupt)
        made.data(.in(1), [0x00], .interrupt)
        #expect(try made.words() == ["changed: the hub, port 2", "changed: port 8", "nothing changed"])
    }

    @Test("Reports are shown as bytes where no descriptor, or only a broken one, tells what they mean")
    func unknownReports() throws {
        for descriptor: [UInt8]? in [nil, [], [0xa1], [0xff, 0xff, 0xff]] {
            var made = MadeTrace.composite
            made.device.descriptors.reports[0] = descriptor
            made.data(.in(1), [1, 2, 3], .interrupt)
            let entry = try #require(try made.entries().first)
            #expect(entry.words == "3 bytes")
            #expect(entry.line(withDevice: false, limit: .usual).hasSuffix("3 bytes  01 02 03  |...|"))
        }
    }

    @Test("A descriptor that declares millions of values costs no more than showing the bytes")
    func hugeReports() throws {
        var made = MadeTrace.composite
        let field: [UInt8] = [0x09, 0x01, 0x81, 0x02]
        made.device.descriptors.reports[0] =
            [0x05, 0x01, 0x09, 0x06, 0xa1, 0x01, 0x15, 0x00, 0x25, 0x01, 0x75, 0x01, 0x96, 0x00, 0x02]
            + (0..<200).flatMap { _ in field } + [0xc0]
        for _ in 0..<1000 { made.data(.in(1), [1], .interrupt) }
        #expect(try made.words().allSatisfy { $0 == "1 byte" })
    }

    @Test("Serial data are text, with escapes for what no terminal should get")
    func serial() throws {
        var made = MadeTrace.composite
        made.data(.out(4), Array("AT+\"x\"\\\r\n".utf8))
        made.data(.in(4), Array("grün\t\u{1b}[2J".utf8))
        made.data(.in(4), [0x41, 0xff, 0x00, 0x0a])
        made.data(.in(3), [0xa1, 0x20, 0, 0, 2, 0, 2, 0, 3, 0], .interrupt)
        made.data(.in(4), [UInt8](repeating: 0x61, count: 300))
        let words = try made.words()
        #expect(
            words.dropLast() == [
                #""AT+\"x\"\\\r\n""#, #""grün\t\u{1b}[2J""#, #""A\xff\x00\n""#, "SERIAL_STATE DCD DSR",
            ])
        #expect(words.last == "\"" + String(repeating: "a", count: 256) + "\" +44")
        #expect(try made.words(limit: .bytes(4)).last == "\"aaaa\" +296")
    }

    @Test("A command of a disk is one line: what was asked, what came, and how it ended")
    func commands() throws {
        var made = MadeTrace.composite
        let block = [UInt8](repeating: 7, count: 512)
        let inquiry: [UInt8] = [0, 0x80, 4, 2, 31, 0, 0, 0] + Array("Vendor  Product\u{7}        1.0 ".utf8)
        made.command([0x12, 0, 0, 0, 36, 0], expected: 36, input: inquiry)
        made.command([0x00, 0, 0, 0, 0, 0], expected: 0, status: 1)
        made.command(
            [0x03, 0, 0, 0, 18, 0], expected: 18,
            input: [0x70, 0, 2, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x3a, 0, 0, 0, 0, 0])
        made.command(
            [0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0], expected: 8, input: [0, 0, 0x07, 0xff, 0, 0, 2, 0], residue: 8)
        made.command([0x28, 0, 0, 0, 0, 5, 0, 0, 1, 0], expected: 512, input: block)
        made.command([0x2a, 0, 0, 0, 0, 6, 0, 0, 1, 0], expected: 512, output: block)
        made.command([0x1a, 0, 0x3f, 0, 192, 0], expected: 192, input: [3, 0, 0x80, 0], residue: 188)
        made.command([0x1b, 0, 0, 0, 2, 0], expected: 0, lun: 1)
        made.command([0xd0, 0, 0, 0, 0, 0], expected: 0, status: 2)
        made.command([0x28, 0, 0, 0, 0, 5, 0, 0, 1, 0], expected: 512, input: Array(block.prefix(100)), status: nil)
        let entries = try made.entries()
        #expect(
            entries.map(\.words) == [
                #"INQUIRY → "Vendor" "Product\u{7}" "1.0", disk, removable, good"#,
                "TEST UNIT READY → failed: NOT READY, medium not present (2/3a/00)",
                "REQUEST SENSE → NOT READY, medium not present (2/3a/00), good",
                "READ CAPACITY(10) → 2048 blocks of 512 bytes, 1 MiB, residue 8, good",
                "READ(10) LBA 5 count 1 → 512 bytes, good", "WRITE(10) LBA 6 count 1 → 512 bytes, good",
                "MODE SENSE(6) page 3f → 4 bytes, write protected, good", "LUN 1: START STOP UNIT eject → good",
                "operation code d0h → phase error",
                "READ(10) LBA 5 count 1 → 100 bytes of 512, no status in the capture",
            ])
        #expect(entries[4].packets == 23...28)
        #expect(entries[4].packet == 23)
        #expect(entries[4].data == Array(block.prefix(32)))
        #expect(entries[4].dataCount == 512)
        #expect(entries[4].status == .success)
        #expect(entries[9].status == nil)
        #expect(entries[1].json["result"] == .string("failed"))
        #expect(entries[4].json["lba"] == .number(5))
        #expect(try made.entries(filter: "scsi=READ(10) and packet=27").count == 1)
    }

    @Test("A command's endpoint is that of its data, and of what asks for them where there are none")
    func commandEndpoints() throws {
        var made = MadeTrace.composite
        let block = [UInt8](repeating: 7, count: 512)
        made.command([0x28, 0, 0, 0, 0, 5, 0, 0, 1, 0], expected: 512, input: block)
        made.command([0x28, 0, 0, 0, 0, 5, 0, 0, 1, 0], expected: 512, input: [], status: 1, residue: 512)
        made.command([0x2a, 0, 0, 0, 0, 6, 0, 0, 1, 0], expected: 512, output: block)
        made.command([0x00, 0, 0, 0, 0, 0], expected: 0)
        #expect(try made.entries().map(\.endpoint) == [.in(5), .out(5), .out(5), .out(5)])
        #expect(try made.entries(filter: "endpoint=5in and scsi=READ(10)").map(\.packet) == [1])
        let line = try #require(try made.entries().first).line(withDevice: false, limit: .usual)
        #expect(line.hasSuffix("EP 5 IN   READ(10) LBA 5 count 1 → 512 bytes, good"))
    }

    @Test("What another endpoint does meanwhile is no part of a command")
    func otherEndpoints() throws {
        var made = MadeTrace.composite
        made.command([0x28, 0, 0, 0, 0, 5, 0, 0, 1, 0], expected: 512, status: nil)
        made.data(.in(4), Array("serial".utf8))
        made.change { $0.completionNumber = 99 }
        made.data(.in(5), [UInt8](repeating: 7, count: 512))
        #expect(try made.entries().map(\.packets) == [1...6, 3...99])
    }

    @Test("What is on a disk's endpoints beside commands is shown as it is")
    func strayStorage() throws {
        var made = MadeTrace.composite
        made.data(.in(5), [1, 2, 3])
        made.command([0x00, 0, 0, 0, 0, 0], expected: 0)
        made.data(.out(5), [9])
        #expect(try made.words() == ["3 bytes", "TEST UNIT READY → good", "1 byte"])
    }

    @Test("Other transfers tell their size, their end and their bytes")
    func others() throws {
        var made = MadeTrace()
        made.data(.out(1), Array(0..<40))
        made.data(.in(1), [], requested: 64, status: .stalled)
        made.data(.in(1), [], requested: 64, marks: .noCompletion)
        made.change { $0.status = .abandoned }
        made.isochronous(.in(2), [1, 2], statuses: [.success, .missed, .success])
        made.data(.in(1), [0x41], requested: 64, status: TransferStatus(rawValue: -999))
        let entries = try made.entries()
        #expect(
            entries.map(\.words) == [
                "40 bytes", "STALL", "no end in the capture", "3 packets, 2 bytes, 1 failed", "1 byte → error -999",
            ])
        #expect(
            entries[0].line(withDevice: true, limit: .usual).hasSuffix(" 1e 1f  |................................| +8"))
        let whole = try #require(try made.entries(limit: .bytes(100)).first).line(withDevice: true, limit: .bytes(100))
        #expect(whole.hasSuffix(" 26 27  |................................ !\"#$%&'|"))
        let bare = try #require(try made.entries(limit: .bytes(0)).first).line(withDevice: true, limit: .bytes(0))
        #expect(bare.hasSuffix("EP 1 OUT  40 bytes"))
    }

    @Test("Data that have gone since the trace was made are an error, not a trap")
    func lostData() throws {
        var made = MadeTrace()
        made.data(.out(1), [1, 2, 3])
        let trace = made.trace
        made.loseData()
        #expect(throws: CaptureError.self) { try MadeTrace.entries([trace]) }
    }
}
