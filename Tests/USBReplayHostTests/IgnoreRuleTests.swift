import CaptureTraces
import Testing
import USBCore
import USBReplay
import USBReplayHost

@Suite("Ignore rules")
struct IgnoreRuleTests {
    /// A device descriptor with a serial number, two strings, a vendor request, bulk data.
    private func recording() -> Recording {
        let recording = Recording()
        recording.descriptors.device = Self.device
        recording.control(.descriptor(1, length: 18), in: Self.device)
        recording.control(.descriptor(3, 2, length: 255), in: [4, 3, 0x41, 0])
        recording.control(.descriptor(3, 3, length: 255), in: [4, 3, 0x42, 0])
        recording.control(.configure(1))
        recording.control(.ask(1, length: 4), in: [1, 2, 3, 4])
        recording.read(1, [10, 11, 12, 13])
        return recording
    }

    private static let device: [UInt8] = [18, 1, 0, 2, 0, 0, 0, 64, 0x09, 0x12, 1, 0, 0x34, 0x12, 1, 2, 3, 1]

    private enum Place {
        static let device = 0
        static let product = 1
        static let serial = 2
        static let request = 4
        static let bulk = 5
    }

    /// Whether the replay passes with a rule when a byte of an answer is changed.
    private func passes(_ rule: String, _ place: Int, byte: Int, bits: UInt8 = 0xff) throws -> Bool {
        let rule = try IgnoreRule(rule)
        let recording = recording()
        let change: (RecordedTarget) -> Void = { target in target.other[place] = { $0.data[byte] ^= bits } }
        #expect(!recording.replay(HostReplaySettings(), change).report.passed, "the rule is what makes it pass")
        return recording.replay(HostReplaySettings(ignored: [rule]), change).report.passed
    }

    private func stallPasses(_ rule: String, _ place: Int) throws -> Bool {
        let settings = HostReplaySettings(ignored: [try IgnoreRule(rule)])
        return recording().replay(settings) { target in target.other[place] = { $0.status = .stalled } }.report.passed
    }

    @Test("An endpoint")
    func endpoint() throws {
        #expect(try passes("ep=0x81", Place.bulk, byte: 0))
        #expect(try passes("ep=129", Place.bulk, byte: 0))
        #expect(try !passes("ep=0x82", Place.bulk, byte: 0))
        #expect(try passes("ep=0", Place.request, byte: 0))
        #expect(try !passes("ep=0", Place.bulk, byte: 0))
    }

    @Test("Packets of the capture, by submission or end")
    func packets() throws {
        #expect(try passes("packet=12", Place.bulk, byte: 0))
        #expect(try passes("packet=11", Place.bulk, byte: 0))
        #expect(try passes("packet=9..11", Place.bulk, byte: 0))
        #expect(try !passes("packet=10", Place.bulk, byte: 0))
    }

    @Test("A standard request, with a kind of descriptor or without")
    func request() throws {
        #expect(try passes("request=GET_DESCRIPTOR", Place.device, byte: 4))
        #expect(try passes("request=GET_DESCRIPTOR(string)", Place.product, byte: 2))
        #expect(try passes("request=get_descriptor(0x03)", Place.product, byte: 2))
        #expect(try !passes("request=GET_DESCRIPTOR(string)", Place.device, byte: 4))
        #expect(try !passes("request=GET_STATUS", Place.device, byte: 4))
        #expect(try !passes("request=GET_DESCRIPTOR", Place.request, byte: 0))
    }

    @Test("A setup packet, with any value in some of its fields")
    func setup() throws {
        #expect(try passes("setup=c0:01:*:*", Place.request, byte: 0))
        #expect(try passes("setup=c0:01:0000:0:4", Place.request, byte: 0))
        #expect(try passes("setup=*:1", Place.request, byte: 0))
        #expect(try !passes("setup=c0:01:*:*:5", Place.request, byte: 0))
        #expect(try !passes("setup=c0:02", Place.request, byte: 0))
        #expect(try !passes("setup=c0:01", Place.bulk, byte: 0))
    }

    @Test("The serial number, all strings, the release number")
    func fields() throws {
        #expect(try passes("field=serial", Place.serial, byte: 2))
        #expect(try !passes("field=serial", Place.product, byte: 2))
        #expect(try passes("field=strings", Place.product, byte: 2))
        #expect(try passes("field=release", Place.device, byte: 12))
        #expect(try passes("field=release", Place.device, byte: 13))
        #expect(try !passes("field=release", Place.device, byte: 11))
    }

    @Test("Some bytes")
    func bytes() throws {
        #expect(try passes("ep=0x81,bytes=2..3", Place.bulk, byte: 2))
        #expect(try passes("ep=0x81,bytes=2..3", Place.bulk, byte: 3))
        #expect(try !passes("ep=0x81,bytes=2..3", Place.bulk, byte: 1))
        #expect(try passes("bytes=1", Place.bulk, byte: 1))
        #expect(try !passes("bytes=1", Place.bulk, byte: 2))
        #expect(try passes("bytes=2..", Place.bulk, byte: 3))
        #expect(try passes("bytes=0..4294967295", Place.bulk, byte: 3))
    }

    @Test("Some bits, from the first byte on")
    func mask() throws {
        #expect(try passes("mask=000f,ep=0x81", Place.bulk, byte: 1, bits: 0x01))
        #expect(try !passes("mask=000f,ep=0x81", Place.bulk, byte: 1, bits: 0x10))
        #expect(try !passes("mask=000f,ep=0x81", Place.bulk, byte: 2, bits: 0x01))
    }

    @Test("The data, the length, the status")
    func whole() throws {
        #expect(try passes("data", Place.bulk, byte: 0))
        #expect(try !passes("status", Place.bulk, byte: 0))
        #expect(try !passes("length", Place.bulk, byte: 0))
        #expect(try stallPasses("status", Place.bulk))
        #expect(try stallPasses("ep=0x81", Place.bulk))
        #expect(try !stallPasses("data", Place.bulk))
        let shorter: (RecordedTarget) -> Void = { target in
            target.other[Place.bulk] = {
                $0.data.removeLast()
                $0.actualLength -= 1
            }
        }
        #expect(recording().replay(HostReplaySettings(ignored: [try IgnoreRule("length")]), shorter).report.passed)
        #expect(!recording().replay(HostReplaySettings(ignored: [try IgnoreRule("data")]), shorter).report.passed)
    }

    @Test("Two rules leave out what each of them does")
    func several() throws {
        let rules = [try IgnoreRule("ep=0x81,bytes=0"), try IgnoreRule("setup=c0:01,bytes=1")]
        let replayed = recording().replay(HostReplaySettings(ignored: rules)) { target in
            target.other[Place.bulk] = { $0.data[0] = 0 }
            target.other[Place.request] = { $0.data[1] = 0 }
        }
        #expect(replayed.report.passed)
    }

    @Test("A rule that fits nothing is said: it may be mistyped")
    func unused() throws {
        let rules = try ["packet=999999", "status"].map { try IgnoreRule($0) }
        let notes = recording().replay(HostReplaySettings(ignored: rules)).report.notes
        #expect(notes.contains { $0.contains("'packet=999999'") && $0.contains("fits no transfer") })
        #expect(!notes.contains { $0.contains("'status'") })
    }

    @Test("A difference behind ignored ones is shown at its own place")
    func place() throws {
        let replayed = recording().replay(HostReplaySettings(ignored: [try IgnoreRule("bytes=0..1")])) { target in
            target.other[Place.bulk] = { $0.data = [0, 0, 12, 0] }
        }
        let divergence = try #require(replayed.report.divergences.first)
        #expect(divergence.firstDifference == 3)
    }

    @Test(
        "What is no rule is said, with what to write",
        arguments: [
            ("", "is not known"), ("ep=0x81,", "is not known"), ("colour=red", "there are ep="),
            ("ep", "needs a value"), ("ep=0x90", "is no endpoint"), ("ep=one", "is no endpoint"),
            ("ep=0x-1", "is no endpoint"), ("packet=0", "from 1 on"), ("packet=9..4", "from 1 on"),
            ("packet=4..", "from 1 on"), ("request=FETCH", "no standard request"),
            ("request=GET_DESCRIPTOR(soup)", "no kind of descriptor"),
            ("request=GET_DESCRIPTOR(string", "no kind of descriptor"), ("request=GET_STATUS(1)", "no kind"),
            ("setup=c0:001ff", "bmRequestType"), ("setup=100", "bmRequestType"), ("setup=", "bmRequestType"),
            ("setup=c0:01:0:0:0:0", "bmRequestType"), ("setup=c0:+1", "bmRequestType"),
            ("field=colour", "there are serial"), ("bytes=4..2", "bytes=2..3"), ("bytes=-1", "bytes=2..3"),
            ("bytes=1.2", "bytes=2..3"), ("bytes=99999999999", "bytes=2..3"), ("mask=f", "two hexadecimal digits"),
            ("mask=+f", "two hexadecimal digits"), ("mask=", "two hexadecimal digits"), ("data=1", "takes no value"),
        ])
    func errors(_ text: String, _ words: String) {
        let error = #expect(throws: IgnoreRuleError.self) { try IgnoreRule(text) }
        #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
    }
}
