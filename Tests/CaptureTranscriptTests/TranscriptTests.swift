import CaptureTraces
import CaptureTranscript
import CommandSupport
import Testing
import USBCore

@Suite("Transcripts")
struct TranscriptTests {
    @Test("Devices are merged by the packets, an IN transfer where it ends")
    func merging() throws {
        var first = MadeTrace(number: 1)
        first.data(.in(1), [1])
        first.change { ($0.submissionNumber, $0.completionNumber, $0.completed) = (1, 8, 4_000_000) }
        first.data(.out(1), [2])
        first.change { ($0.submissionNumber, $0.completionNumber) = (4, 5) }
        var second = MadeTrace(number: 2)
        second.data(.out(2), [3])
        second.change { ($0.submissionNumber, $0.completionNumber) = (2, 3) }
        second.data(.in(2), [4])
        second.change { ($0.submissionNumber, $0.completionNumber) = (6, 7) }
        let entries = try MadeTrace.entries([first.trace, second.trace])
        #expect(entries.map(\.packet) == [2, 4, 7, 8])
        #expect(entries.map(\.device) == [2, 1, 2, 1])
        #expect(entries.map(\.packets) == [2...3, 4...5, 6...7, 1...8])
        #expect(entries[3].time == 4_000_000)
        #expect(
            TranscriptEntry.heading(withDevice: true) + "\n"
                + entries.map { $0.line(withDevice: true, limit: .usual) }.joined(separator: "\n") == """
                     packet       seconds  device  endpoint  what it says
                          2      0.000000       2  EP 2 OUT  1 byte  03  |.|
                          4      0.001000       1  EP 1 OUT  1 byte  02  |.|
                          7      0.001500       2  EP 2 IN   1 byte  04  |.|
                          8      0.004000       1  EP 1 IN   1 byte  01  |.|
                    """)
    }

    @Test("Times that run backwards, or are as far apart as can be, are told as they are")
    func times() throws {
        var made = MadeTrace()
        made.data(.out(1), [1])
        made.change { ($0.submitted, $0.completed) = (.min, .max) }
        made.data(.out(1), [1])
        made.change { ($0.submitted, $0.completed) = (5_000_000, 1_000_000) }
        let transcript = try Transcript([made.trace], origin: 10_000_000)
        let first = try #require(try transcript.entry())
        #expect(first.time == .min)
        #expect(first.duration == .max)
        let second = try #require(try transcript.entry())
        #expect(second.time == -5_000_000)
        #expect(second.duration == -4_000_000)
        #expect(second.line(withDevice: false, limit: .usual).hasPrefix("      3     -0.005000  EP 1 OUT"))
    }

    @Test("An entry as JSON has stable members")
    func json() throws {
        var made = MadeTrace.composite
        made.control(0x80, 6, value: 0x0302, index: 0x0409, length: 255, MadeDescriptors.string("a\"b"))
        made.data(.in(1), [], .interrupt, requested: 8, marks: .noCompletion)
        made.change { $0.status = .abandoned }
        #expect(
            try made.entries().map(\.json.text) == [
                #"{"packet":1,"firstPacket":1,"lastPacket":2,"seconds":0.000000000,"duration":0.000500000,"device":1,"#
                    + #""endpoint":"0x80","type":"control","status":0,"outcome":"success","requested":255,"length":8,"#
                    + #""setup":"800602030904ff00","request":"GET_DESCRIPTOR","#
                    + #""text":"GET_DESCRIPTOR string 2 (0409), 255 bytes → \"a\\\"b\"","data":"0803610022006200","dataLength":8}"#,
                #"{"packet":3,"firstPacket":3,"lastPacket":3,"seconds":0.001000000,"device":1,"#
                    + #""endpoint":"0x81","type":"interrupt","status":null,"outcome":"unanswered","requested":8,"length":0,"#
                    + #""text":"no end in the capture","dataLength":0,"unanswered":true}"#,
            ])
    }

    @Test("The interface of an endpoint follows what the host selects")
    func selection() throws {
        var made = MadeTrace()
        made.device.descriptors.configurations = [
            0: MadeDescriptors.configuration(
                [MadeDescriptors.interface(0, 0xff, 0, 0), MadeDescriptors.endpoint(0x81, 3)], interfaces: 1),
            1: [9, 2, 25, 0, 1, 2, 0, 0x80, 50] + MadeDescriptors.interface(0, 3, 1, 1)
                + MadeDescriptors.endpoint(0x81, 3),
        ]
        made.device.descriptors.reports[0] = MadeDescriptors.bootKeyboard
        let keys: [UInt8] = [0, 0, 4, 0, 0, 0, 0, 0]
        made.data(.in(1), keys, .interrupt)
        made.control(0x00, 9, value: 2, status: .stalled)
        made.data(.in(1), keys, .interrupt)
        made.control(0x00, 9, value: 2)
        made.data(.in(1), keys, .interrupt)
        made.control(0x00, 9, value: 0)
        #expect(
            try made.words() == [
                "8 bytes", "SET_CONFIGURATION 2 → STALL", "8 bytes", "SET_CONFIGURATION 2", "A pressed",
                "SET_CONFIGURATION 0",
            ])
    }
}
