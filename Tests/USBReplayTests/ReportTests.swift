import Testing
import USBCore
import USBReplay

@Suite("Divergences and reports")
struct ReportTests {
    private func divergence(_ expected: [UInt8], _ actual: [UInt8], subject: String = "EP 1 OUT") -> Divergence {
        Divergence(
            .otherData, by: .host, packet: 112, endpoint: .out(1), subject: subject, time: 5, expected: expected,
            actual: actual)
    }

    @Test("the text has both sides in hexadecimal and marks the first difference under it")
    func text() {
        let text = divergence([2, 0, 0, 0], [2, 0, 0, 1]).text()
        #expect(
            text == """
                the host wrote 01 where the recording (packet 112) has 00, byte 3 of EP 1 OUT
                  recording 0000  02 00 00 00
                  host      0000  02 00 00 01
                                           ^^

                """)
    }

    @Test("of long data the part around the first difference is kept")
    func excerpts() {
        var other = [UInt8](repeating: 0, count: 5000)
        other[4000] = 9
        let divergence = divergence([UInt8](repeating: 0, count: 5000), other)
        #expect(divergence.firstDifference == 4000)
        #expect(divergence.excerptStart == 3984)
        #expect(divergence.expected.count == Divergence.excerptLimit)
        #expect(divergence.actual[16] == 9)
        #expect(divergence.text().contains("5000 bytes"))
    }

    @Test(
        "data that only end earlier are told by their lengths",
        arguments: [([UInt8](1...4), [UInt8](1...2)), ([], [1])])
    func lengths(expected: [UInt8], actual: [UInt8]) {
        let divergence = Divergence(
            .otherLength, by: .device, packet: 3, endpoint: .in(2), subject: "EP 2 IN", time: 0, expected: expected,
            actual: actual)
        #expect(divergence.firstDifference == min(expected.count, actual.count))
        #expect(divergence.words.contains("has \(expected.count), the same up to"))
        #expect(divergence.words.hasPrefix("the device answered"))
    }

    @Test("every kind has words", arguments: Divergence.Kind.allCases)
    func kinds(kind: Divergence.Kind) {
        let divergence = Divergence(
            kind, by: .host, packet: 7, endpoint: .in(0), subject: "GET_REPORT", time: 0, detail: "why")
        #expect(divergence.words.contains("GET_REPORT"))
        #expect(divergence.words.hasSuffix(": why"))
        #expect(divergence.endpoint == .out(0))
    }

    @Test("the first hundred divergences are kept, all are counted")
    func bounded() {
        var report = ReplayReport(subject: "1209:db42")
        for index in 0..<250 { report.add(divergence([0], [UInt8(truncatingIfNeeded: index + 1)])) }
        #expect(report.divergences.count == ReplayReport.divergenceLimit)
        #expect(report.divergenceCount == 250)
        #expect(!report.passed)
        #expect(report.text(showing: 2).contains("and 248 more"))
        for index in 0..<250 { report.note("note \(index % 120)") }
        #expect(report.notes.count == ReplayReport.noteLimit)
    }

    @Test("JUnit has a test case for each endpoint, with failures where something diverged")
    func junit() {
        var report = ReplayReport(subject: "meter")
        report.count(.in(0), .control) { $0.matched += 2 }
        report.count(.out(1), .bulk) { $0.diverged += 1 }
        report.add(divergence([1], [2], subject: "a \"<b>\" & 'c'\u{1b}[31m\u{0}"))
        let xml = report.junit(name: "a<b>&\".pcap")
        #expect(xml.contains("tests=\"2\" failures=\"1\""))
        #expect(xml.contains("<testcase classname=\"a&lt;b&gt;&amp;&quot;.pcap\" name=\"EP 0 control\"/>"))
        #expect(xml.contains("&quot;&lt;b&gt;&quot; &amp; &apos;c&apos;?[31m?"))
        #expect(!xml.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" })
        #expect(xml.contains("<failure type=\"other data\" message=\"the host wrote 02"))
        let both = ReplayReport.junit([("one", report), ("two", ReplayReport(subject: "nothing"))])
        #expect(
            both.contains("<testsuites name=\"ghostplug replay\" tests=\"3\" failures=\"1\" errors=\"0\" skipped=\"1\"")
        )
    }

    @Test("JUnit skips endpoints on which nothing was compared, and fails a replay that nobody used where that matters")
    func unused() {
        var report = ReplayReport(subject: "meter")
        report.count(.out(0), .control) { $0.unrecorded += 2 }
        report.count(.in(1), .bulk) { $0.notReached = 3 }
        #expect(report.comparedNothing)
        let tolerant = report.junit(name: "meter")
        #expect(tolerant.contains("tests=\"2\" failures=\"0\" errors=\"0\" skipped=\"2\""))
        #expect(tolerant.contains("name=\"EP 1 IN bulk\">\n      <skipped message=\"nothing was compared\"/>"))
        let strict = report.junit(name: "meter", requiresUse: true)
        #expect(strict.contains("tests=\"3\" failures=\"1\" errors=\"0\" skipped=\"2\""))
        #expect(strict.contains("<failure type=\"unused\" message=\"no host used it\">"))
        report.count(.in(1), .bulk) { $0.matched += 1 }
        #expect(!report.comparedNothing)
        #expect(!report.junit(name: "meter", requiresUse: true).contains("<failure"))
    }

    @Test("JUnit has the failure of an endpoint that was not counted, even beyond the divergences that are kept")
    func beyondTheLimit() {
        var report = ReplayReport(subject: "meter")
        for _ in 0..<ReplayReport.divergenceLimit { report.add(divergence([1], [2])) }
        report.add(Divergence(.noAnswer, by: .device, packet: 7, endpoint: .in(3), subject: "EP 3 IN", time: 0))
        let xml = report.junit(name: "meter")
        #expect(xml.contains("tests=\"2\" failures=\"2\""))
        #expect(xml.contains("1 more divergence, not kept"))
    }

    @Test("JSON escapes what it must")
    func json() {
        var report = ReplayReport(subject: "a\"b\\c\n")
        report.add(divergence([1], [2]))
        let json = report.json()
        #expect(json.hasPrefix("{\"subject\":\"a\\\"b\\\\c?\",\"passed\":false,\"divergences\":1,"))
        #expect(json.contains("\"expected\":\"01\",\"expected_count\":1,\"actual\":\"02\""))
    }

    @Test("requests have the names of their specifications")
    func names() {
        let setReport = SetupPacket(requestType: 0x21, request: 9, value: 0x0201, index: 1, length: 3)
        #expect(RequestName.words(setReport, interfaceClass: 3) == "SET_REPORT (output 1) to interface 1")
        #expect(RequestName.words(setReport).hasPrefix("class request 21 09"))
        let string = SetupPacket(requestType: 0x80, request: 6, value: 0x0302, index: 0x0409, length: 255)
        #expect(RequestName.words(string) == "GET_DESCRIPTOR (string 2)")
        let halt = SetupPacket(requestType: 0x02, request: 1, value: 0, index: 0x81)
        #expect(RequestName.words(halt) == "CLEAR_FEATURE (ENDPOINT_HALT) to EP 1 IN")
    }
}
