import HIDReports
import Testing

/// What a layout says of descriptors that stand as bytes.
@Suite struct LayoutTests {
    @Test func keyboard() throws {
        let layout = try Golden.keyboard.descriptor.layout()
        #expect(!layout.usesReportIDs)
        #expect(layout.applications == [.keyboard])
        #expect(layout.reports.map(\.kind) == [.input, .output])
        #expect(layout.report(.input, id: 0)?.byteCount == 8)
        #expect(layout.report(.output, id: 0)?.byteCount == 1)
        let fields = try #require(layout.report(.input, id: 0)?.fields)
        #expect(fields.map(\.bitOffset) == [0, 8, 16])
        #expect(fields.map(\.isPadding) == [false, true, false])
        #expect(fields[0].usage(at: 7) == .keyboard(0xe7))
        #expect(fields[0].usage(at: 8) == nil)
        #expect(fields[2].isArray)
        #expect(fields[2].count == 6)
        #expect(fields[2].usages == [.keyboard(0...0x65)])
        #expect(fields[2].logical == 0...0x65)
    }

    @Test(arguments: [
        (Golden.mouse, 4, 0), (.pointer, 6, 0), (.gamepad, 7, 0), (.consumer, 2, 0), (.fido, 64, 64),
        (.powerMeter, 64, 64), (.holtekKeyboard, 8, 1),
    ]) func reportsHaveTheirLengths(_ golden: Golden, _ input: Int, _ output: Int) throws {
        let layout = try golden.descriptor.layout()
        #expect(layout.longestReport(.input) == input)
        #expect(layout.longestReport(.output) == output)
    }

    @Test func eachReportIDHasItsReport() throws {
        let layout = try Golden.holtekMediaKeys.descriptor.layout()
        #expect(layout.usesReportIDs)
        #expect(layout.applications == [.systemControl, .consumerControl])
        #expect(layout.report(.input, id: 1)?.byteCount == 2)
        let media = try #require(layout.report(.input, of: [2, 0, 0, 0]))
        #expect(media.id == 2)
        #expect(media.byteCount == 4)
        #expect(media.fields[0].bitOffset == 8)
        #expect(media.fields[0].usage(at: 3) == .playPause)
        #expect(media.fields[0].usage(at: 4) == .scanNextTrack)
        #expect(media.fields[1].usage(at: 3) == .consumer(0x223))
        #expect(layout.report(.input, of: [3]) == nil)
        #expect(layout.report(.input, of: []) == nil)
    }

    @Test func hatHasItsPhysicalRangeInDegrees() throws {
        let fields = try #require(try Golden.gamepad.descriptor.layout().report(.input, id: 0)?.dataFields)
        #expect(fields[1].usage(at: 0) == .hatSwitch)
        #expect(fields[1].physical == 0...315)
        #expect(fields[1].unit == .degree)
        #expect(fields[2].physical == nil)
    }

    @Test func pushAndPopKeepTheGlobals() throws {
        let fields = try fields(
            """
            05 01 09 04 A1 01 15 00 25 7F 75 08 95 01 A4
            09 30 15 81 75 10 26 FF 0F 81 02 B4
            09 31 81 02 C0
            """)
        #expect(fields.map(\.bitSize) == [16, 8])
        #expect(fields.map(\.logical) == [-127...0xfff, 0...127])
    }

    @Test("a page that follows a usage is the usage's, unless it was in force at a later one")
    func pagesBehindUsages() throws {
        let behind = try fields("05 09 0B 04 00 01 00 A1 01 09 30 05 01 15 00 25 01 75 08 95 01 81 02 C0")
        #expect(behind[0].usage(at: 0) == .x)
        let mixed = try fields("05 01 09 04 A1 01 09 30 05 09 09 01 15 00 25 01 75 08 95 02 81 02 C0")
        #expect(mixed[0].usage(at: 0) == .x)
        #expect(mixed[0].usage(at: 1) == .button(1))
    }

    @Test func theFirstOfDelimitedUsagesCounts() throws {
        let fields = try fields(
            """
            05 01 09 04 A1 01 A9 01 09 30 09 31 A9 00 A9 01 09 32 09 33 A9 00
            15 81 25 7F 75 08 95 02 81 02 C0
            """)
        #expect(fields[0].usages == [UsageRange(.x), UsageRange(.z)])
    }

    @Test("an array of all 65536 usages of a page costs one range")
    func hugeRange() throws {
        let fields = try fields(
            "06 00 FF 09 01 A1 01 1A 00 00 2A FF FF 15 00 27 FF FF 00 00 75 10 95 04 81 00 C0")
        #expect(fields[0].usages.count == 1)
        #expect(fields[0].usageCount == 65536)
        #expect(fields[0].usage(at: 65535) == .vendor(page: 0xff00, id: 0xffff))
    }

    @Test("a maximum with its high bit set is unsigned over a minimum that is not negative")
    func unsignedMaximum() throws {
        #expect(try Golden.powerMeter.descriptor.layout().reports[0].fields[0].logical == 0...255)
    }

    @Test("an exponent is four bits or a signed byte", arguments: [("55 0E", -2 as Int8), ("55 FE", -2), ("55 03", 3)])
    func exponents(_ hex: String, _ exponent: Int8) throws {
        let fields = try fields("05 01 09 04 A1 01 \(hex) 09 30 15 81 25 7F 75 08 95 01 81 02 C0")
        #expect(fields[0].unitExponent == exponent)
    }

    @Test("the longest report has 16383 bytes besides an id")
    func longestReport() throws {
        let descriptor = ReportDescriptor {
            ReportCollection(.application, .vendor(page: 0xff00, id: 1)) {
                ReportID(1)
                Input(.vendor(page: 0xff00, id: 2), logical: 0...255, size: 8, count: 12288)
                Input(.vendor(page: 0xff00, id: 3), logical: 0...255, size: 8, count: 16383 - 12288)
            }
        }
        #expect(descriptor.issues == [])
        #expect(try descriptor.layout().longestReport(.input) == 16384)
    }

    private func fields(_ hex: String) throws -> [ReportLayout.Field] {
        try #require(try ReportDescriptor(bytes: hexBytes(hex)).layout().report(.input, id: 0)?.fields)
    }
}
