import CaptureTraces
import CaptureTranscript
import Testing
import USBCore

@Suite("Filter expressions")
struct FilterTests {
    private static func entry(
        endpoint: UInt8 = 0x81, type: TransferType = .interrupt, status: TransferStatus? = .success,
        packets: ClosedRange<Int> = 10...11, time: Int64 = 1_500_000_000
    ) -> TranscriptEntry {
        var entry = TranscriptEntry(
            device: 2, packet: packets.upperBound, packets: packets, time: time,
            endpoint: EndpointAddress(rawValue: endpoint), type: type, status: status)
        entry.length = 64
        entry.words = "READ(10) LBA 0 count 8 → 4096 bytes, good"
        entry.scsi = "READ(10)"
        return entry
    }

    private static func matches(_ expression: String, _ entry: TranscriptEntry) throws -> Bool {
        try TranscriptFilter(parsing: expression).matches(entry)
    }

    @Test(
        "A comparison lets pass what it says",
        arguments: [
            "device=2", "device=1..3", "device!=1", "device=1|2", "endpoint=0x81", "endpoint=1in", "endpoint=1",
            "endpoint!=1out", "type=interrupt", "type=control|interrupt", "TYPE=Interrupt", "type!=bulk", "type~inter",
            "status=0", "status=success", "status!=stall", "status>=0", "scsi=READ(10)", "scsi=read(10)", "scsi=READ",
            "scsi~read", "scsi!=WRITE", "packet=10", "packet=11..50", "packet=..10", "packet=11..", "time=1.5",
            "time=1.4..2", "time>1", "time<=1.5", "length>63", "length<65", "length>=64", "length<=0x40",
            "text~\"lba 0\"", "text~4096", "text ~ good", "not device=3", "device=2 and type=interrupt",
            "device=3 or type=interrupt", "not (device=3 or type=bulk)", "(device=2)",
            "device=3 or device=2 and length=64",
            "not not device=2", "NOT device=1 AND device=2", "request!=GET_DESCRIPTOR", "status=-32..0",
        ])
    func passes(expression: String) throws { #expect(try Self.matches(expression, Self.entry())) }

    @Test(
        "A comparison holds back what it does not say",
        arguments: [
            "device=3", "device>2", "endpoint=0x01", "endpoint=1out", "endpoint=2", "type=bulk", "status!=0",
            "status=stall", "status<0", "scsi=READ(1)", "scsi=REA", "scsi=WRITE(10)", "packet=9", "packet>11",
            "packet<10", "time>1.5", "time=..1.499", "length=65", "text~\"lba 1\"", "request=GET_DESCRIPTOR",
            "not device=2", "device=2 and type=bulk", "(device=3 or device=2) and length=65", "device!=1|2",
        ])
    func holdsBack(expression: String) throws { #expect(try !Self.matches(expression, Self.entry())) }

    @Test("Names with spaces are written with underscores or in quotes")
    func names() throws {
        var entry = Self.entry()
        entry.scsi = "TEST UNIT READY"
        #expect(try Self.matches("scsi=TEST_UNIT_READY", entry))
        #expect(try Self.matches("scsi=\"Test Unit Ready\"|INQUIRY", entry))
        entry.request = "GET_DESCRIPTOR"
        #expect(try Self.matches("request=get_descriptor", entry))
    }

    @Test("What never ended is neither success nor failure, but unanswered")
    func unanswered() throws {
        let entry = Self.entry(status: nil)
        #expect(try Self.matches("status=unanswered", entry))
        #expect(try Self.matches("status!=0", entry))
        #expect(try !Self.matches("status<0", entry))
        #expect(try Self.matches("status=cancelled", Self.entry(status: TransferStatus(rawValue: -2))))
    }

    @Test("Endpoint 0 is one endpoint whichever way a request goes")
    func controlEndpoint() throws {
        let entry = Self.entry(endpoint: 0x80, type: .control)
        for text in ["endpoint=0", "endpoint=0x00", "endpoint=0in", "endpoint=0out"] {
            #expect(try Self.matches(text, entry))
        }
    }

    struct Mistake: CustomTestStringConvertible {
        var text: String
        var column: Int
        var part: String
        var testDescription: String { "'\(text)'" }
    }

    @Test(
        "A mistake is named with its place",
        arguments: [
            Mistake(text: "", column: 1, part: "a condition is expected"),
            Mistake(text: "   ", column: 4, part: "a condition is expected"),
            Mistake(text: "devise=2", column: 1, part: "there is no 'devise'"),
            Mistake(text: "device=2 and", column: 13, part: "a condition is expected"),
            Mistake(text: "device=2 and and", column: 14, part: "there is no 'and'"),
            Mistake(
                text: "device=2 type=bulk", column: 10, part: "'and', 'or' or the end is expected, not 'type=bulk'"),
            Mistake(text: "(device=2", column: 1, part: "')' is missing"),
            Mistake(text: "(device=2 x", column: 11, part: "'and', 'or' or ')' is expected, not 'x'"),
            Mistake(text: "device=2)", column: 9, part: "no '(' for this ')'"),
            Mistake(text: "()", column: 2, part: "a condition is expected, not ')'"),
            Mistake(text: "device", column: 7, part: "after 'device', '=', '!=', '<', '<=', '>' or '>=' is expected"),
            Mistake(text: "device 2", column: 8, part: "after 'device'"),
            Mistake(text: "device~2", column: 7, part: "'~' does not go with device"),
            Mistake(text: "text=x", column: 5, part: "'=' does not go with text; '~' does"),
            Mistake(text: "type<bulk", column: 5, part: "'<' does not go with type"),
            Mistake(text: "endpoint>1", column: 9, part: "'>' does not go with endpoint"),
            Mistake(text: "device=", column: 8, part: "a value of device is missing"),
            Mistake(text: "type=bulk|", column: 11, part: "a value of type is missing"),
            Mistake(text: "type=bulk|bulky", column: 11, part: "there is no type 'bulky'"),
            Mistake(text: "device=two", column: 8, part: "'two' is no value of device"),
            Mistake(text: "packet=50..10", column: 8, part: "'50..10' is no value of packet"),
            Mistake(text: "packet=..", column: 8, part: "'..' is no value of packet"),
            Mistake(text: "packet>10..50", column: 8, part: "'10..50' is no value of packet"),
            Mistake(text: "packet=99999999999999999999", column: 8, part: "is no value of packet"),
            Mistake(text: "time=nan", column: 6, part: "'nan' is no value of time"),
            Mistake(text: "time=99999999999999", column: 6, part: "is no value of time"),
            Mistake(text: "endpoint=0x91", column: 10, part: "'0x91' is no endpoint"),
            Mistake(text: "endpoint=16", column: 10, part: "'16' is no endpoint"),
            Mistake(text: "status=fine", column: 8, part: "'fine' is no status"),
            Mistake(text: "status>stall", column: 8, part: "'stall' is no status"),
            Mistake(text: "text~\"abc", column: 6, part: "the closing '\"' is missing"),
            Mistake(text: "not", column: 4, part: "a condition is expected"),
            Mistake(text: "=2", column: 1, part: "a condition is expected, not '=2'"),
            Mistake(text: "dev\u{1b}=2", column: 1, part: "there is no 'dev'"),
        ])
    func mistakes(mistake: Mistake) {
        do throws(FilterError) {
            _ = try TranscriptFilter(parsing: mistake.text)
            Issue.record("no error")
        } catch {
            #expect(error.column == mistake.column)
            #expect(error.message.contains(mistake.part), "\(error)")
            #expect(error.description.hasPrefix("at character \(mistake.column): "))
        }
    }

    @Test("Nesting has a limit, so that no expression ends the program")
    func nesting() throws {
        let deep = String(repeating: "(", count: 10_000) + "device=2" + String(repeating: ")", count: 10_000)
        #expect(throws: FilterError.self) { try TranscriptFilter(parsing: deep) }
        #expect(throws: FilterError.self) {
            try TranscriptFilter(parsing: String(repeating: "not ", count: 10_000) + "device=2")
        }
        let long = Array(repeating: "device=2", count: 5000).joined(separator: " or ")
        #expect(try Self.matches(long, Self.entry()))
    }

    @Test("Texts in quotes keep what would end a value")
    func quotes() throws {
        var entry = Self.entry()
        entry.words = "say \"a|b (c)\""
        #expect(try Self.matches(#"text~"\"a|b (c)""#, entry))
    }
}
