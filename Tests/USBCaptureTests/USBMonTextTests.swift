import Testing
import USBCore

@testable import USBCapture

func decodeText(_ text: String) -> Decoding {
    var decoding = Decoding(NetworkDecoder(), [])
    let source = USBMonTextSource(ByteSource(bytes: Array(text.utf8)))
    let output = DecodedEvents()
    do throws(CaptureError) {
        while try source.decode(into: output) {}
    } catch {
        decoding.error = error
    }
    for (event, data) in output.events {
        guard case .owned(let bytes) = data else { continue }
        decoding.events.append(Decoded(event: event, data: bytes))
    }
    return decoding
}

@Suite("usbmon text")
struct USBMonTextTests {
    @Test("The lines that the kernel's documentation shows: control IN, and bulk OUT that is longer than 32 bytes")
    func documentation() throws {
        let decoding = decodeText(
            """
            d5ea89a0 3575914555 S Ci:1:001:0 s a3 00 0000 0003 0004 4 <
            d5ea89a0 3575914560 C Ci:1:001:0 0 4 = 01050000
            dd65f0e8 4128379752 S Bo:1:005:2 -115 31 = 55534243 5e000000 00000000 00000600 00000000 00000000 00000000 000000
            dd65f0e8 4128379808 C Bo:1:005:2 0 31 >

            """)
        #expect(decoding.error == nil)
        try #require(decoding.events.count == 4)
        let events = decoding.events.map(\.event)
        #expect(events[0].setup == SetupPacket(requestType: 0xa3, request: 0, value: 0, index: 3, length: 4))
        #expect(events.map(\.kind) == [.submission, .completion, .submission, .completion])
        #expect(events.map(\.type) == [.control, .control, .bulk, .bulk])
        #expect(events.map(\.endpoint) == [.in(0), .in(0), .out(2), .out(2)])
        #expect(events.map(\.urb) == [0xd5ea_89a0, 0xd5ea_89a0, 0xdd65_f0e8, 0xdd65_f0e8])
        #expect(events.map(\.length) == [4, 4, 31, 31])
        #expect(events.map(\.status) == [.success, .success, .success, .success])
        #expect((events[2].bus, events[2].device) == (1, 5))
        #expect(decoding.events[1].data == [1, 5, 0, 0])
        #expect(decoding.events[2].data.count == 31)
        #expect(decoding.events[2].data.prefix(5) == [0x55, 0x53, 0x42, 0x43, 0x5e])
        #expect(events[1].time - events[0].time == 5000)
        #expect(events.map(\.number) == [1, 2, 3, 4])
        #expect(events[1].offset == 60)
        #expect(!events.contains { $0.isCut })
    }

    @Test("More than 32 bytes are cut; so are data that the kernel could not read")
    func cut() {
        let words = Array(repeating: "00112233", count: 8).joined(separator: " ")
        let decoding = decodeText(
            """
            a1 1 C Bi:2:003:1 0 512 = \(words)
            a1 2 S Bo:2:003:1 -115 4 D
            a1 3 C Bo:2:003:1 0 4 >
            a1 4 S Bi:2:003:1 -115 4 <

            """)
        #expect(decoding.error == nil)
        #expect(decoding.events.map(\.event.isCut) == [true, true, false, false])
        #expect(decoding.events.map(\.data.count) == [32, 0, 0, 0])
        #expect(decoding.events.first?.event.length == 512)
    }

    @Test("Interrupt and isochronous transfers have an interval; of the packets there are the first five")
    func isochronous() throws {
        let decoding = decodeText(
            """
            ffff8e 100 S Ii:1:003:1 -115:8 4 <
            ffff8e 200 C Ii:1:003:1 -2:8 0
            ffff8f 300 S Zi:1:004:2 -115:1:1050 6 -18:0:192 -18:192:192 -18:384:192 -18:576:192 -18:768:192 1152 <
            ffff8f 400 C Zi:1:004:2 0:1:1050:0 2 0:0:2 -18:192:0 2 = 0102

            """)
        #expect(decoding.error == nil)
        try #require(decoding.events.count == 4)
        let events = decoding.events.map(\.event)
        #expect(events.map(\.type) == [.interrupt, .interrupt, .isochronous, .isochronous])
        #expect(events.map(\.interval) == [8, 8, 1, 1])
        #expect(events[1].status == TransferStatus(rawValue: -2))
        #expect(events[2].packets.count == 5)
        #expect(events[2].packets.map(\.offset) == [0, 192, 384, 576, 768])
        #expect(events[2].isCut, "there were six packets")
        #expect(events[2].startFrame == 1050)
        #expect(events[3].packets.map(\.length) == [2, 0])
        #expect(events[3].packets.map(\.status) == [.success, .missed])
        #expect(decoding.events[3].data == [1, 2])
        #expect(!events[3].isCut)
    }

    @Test("The older format without the bus, a refused submission, and a setup stage that could not be read")
    func others() throws {
        let decoding = decodeText(
            """
            c1 1 S Co:002:00 s 00 09 0001 0000 0000 0
            c1 2 C Co:002:00 0 0
            c2 3 E Bo:1:002:1 -19 0
            c3 4 S Ci:1:002:0 Z __ __ ____ ____ ____ 18 <
            """ + "\n")
        #expect(decoding.error == nil)
        try #require(decoding.events.count == 4)
        let events = decoding.events.map(\.event)
        #expect((events[0].bus, events[0].device, events[0].endpoint) == (0, 2, .out(0)))
        #expect(events[0].setup?.request == 9)
        #expect(events[2].kind == .refusal)
        #expect(events[2].status == .noDevice)
        #expect(events[3].setup == nil)
        #expect(events[3].length == 18)
    }

    @Test("The clock begins again at 0 after 4096 seconds, and may run back a little")
    func clock() {
        let second: Int64 = 1_000_000_000
        var clock = WrappingClock()
        #expect(
            [4000, 4095, 1, 4094, 2, 3000, 4090, 5].map { clock.unwrap($0 * second) / second } == [
                4000, 4095, 4097, 4094, 4098, 7096, 8186, 8197,
            ])
        var old = WrappingClock()
        #expect(old.unwrap(4_294_900_000_000) == 4_294_900_000_000)
        #expect(old.unwrap(32_704_000) == 4_294_967_296_000 + 32_704_000)
    }

    @Test("A bad line ends reading, with its offset; a last line that is cut says so")
    func bad() {
        let good = "a1 1 C Co:2:003:0 0 0\n"
        let bad = [
            "nonsense", "a1 1 X Co:2:003:0 0 0", "a1 1 C Qo:2:003:0 0 0", "a1 1 C Cx:2:003:0 0 0",
            "a1 1 C Co:2:003:16 0 0",
            "a1 1 C Co:2:003 0", "a1 1 C Co:70000:003:0 0 0", "a1 1 C Co:2:003:0 5 0", "a1 1 C Co:2:003:0 0",
            "a1 1 C Co:2:003:0 0 99999999999", "a1 1 C Ci:2:003:0 0 4", "a1 1 C Ci:2:003:0 0 4 = 0102030",
            "a1 1 C Ci:2:003:0 0 1 = 0102", "a1 1 C Ci:2:003:0 0 4 = 0102030405", "a1 1 C Ci:2:003:0 0 4 = xx",
            "a1 1 S Ci:2:003:0 s 80 06 0100 0000 4 <", "a1 1 S Ci:2:003:0 s 8 06 0100 0000 0012 18 <",
            "a1 1 C Zi:1:004:2 0:1:1050:0 2 0:0:2 2 = 0102", "a1 1 C Co:2:003:0 0 0 more",
            "a1 99999999999 C Co:2:003:0 0 0", "a1 -1 C Co:2:003:0 0 0", "12345678901234567 1 C Co:2:003:0 0 0",
        ]
        for line in bad {
            let decoding = decodeText(good + "\n" + line + "\n" + good)
            #expect(decoding.events.count == 1, "\(line)")
            #expect(decoding.error?.kind == .damaged, "\(line)")
            #expect(decoding.error?.offset == Int64(good.utf8.count + 1), "\(line)")
            #expect(decoding.error?.packet == 2, "\(line)")
        }
        let cut = decodeText(good + good.dropLast(4))
        #expect(cut.error?.kind == .cut)
        #expect(cut.error?.offset == Int64(good.utf8.count))
        #expect(decodeText(good + String(good.dropLast())).events.count == 2, "a last line may lack its newline")
        #expect(decodeText(String(repeating: "a", count: 10_000)).error?.kind == .excessive)
    }

    @Test(
        "A file is told to be usbmon's text by its first line",
        arguments: [
            ("ffff88 12 S Ci:1:001:0 s a3 00 0000 0003 0004 4 <\nrubbish", true), ("\n\nc1 1 C Co:002:00 0 0", true),
            ("", false), ("P: /devices/usb1", false), ("c1 1 Q Co:002:00 0 0", false), ("\u{a}\u{d}\u{d}\u{a}", false),
            ("deadbeef", false),
        ])
    func isText(text: String, expected: Bool) {
        let bytes = Array(text.utf8)
        #expect(unsafe bytes.withUnsafeBytes { unsafe USBMonText.isText($0) } == expected)
    }

    @Test("Cut at every byte, and with changed bytes, lines give errors or sound events")
    func hostile() {
        let text = """
            d5ea89a0 3575914555 S Ci:1:001:0 s a3 00 0000 0003 0004 4 <
            d5ea89a0 3575914560 C Ci:1:001:0 0 4 = 01050000
            ffff8f 300 S Zi:1:004:2 -115:1:1050 6 -18:0:192 -18:192:192 -18:384:192 -18:576:192 -18:768:192 1152 <
            ffff8f 400 C Zi:1:004:2 0:1:1050:0 2 0:0:2 -18:192:0 2 = 0102

            """
        for count in 0...text.utf8.count {
            let decoding = decodeText(String(decoding: Array(text.utf8).prefix(count), as: UTF8.self))
            expectSound(decoding, "cut to \(count) bytes")
        }
        for seed in 1...3000 {
            var dice = Dice(UInt64(seed))
            var bytes = Array(text.utf8)
            for _ in 0...3 {
                let place = Int.random(in: 0..<bytes.count, using: &dice)
                bytes[place] = Array("0123456789abcdef :-=<\n\u{0}".utf8).randomElement(using: &dice) ?? 0
            }
            expectSound(decodeText(String(decoding: bytes, as: UTF8.self)), "seed \(seed)")
        }
    }

    @Test("The clock begins again after 4096 s, and stays at its end where it does so too often for 64 bits")
    func clockLimit() {
        var clock = WrappingClock()
        #expect(clock.unwrap(4_095_000_000_000) == 4_095_000_000_000)
        #expect(clock.unwrap(1_000_000_000) == 4_097_000_000_000)
        #expect(clock.unwrap(4_095_500_000_000) == 4_095_500_000_000, "a line that came late")
        var last: Int64 = 0
        for _ in 0..<2_300_000 {
            _ = clock.unwrap(4_000_000_000_000)
            last = clock.unwrap(0)
        }
        #expect(last == .max)
        #expect(clock.unwrap(4_095_000_000_000) > .max - 4_096_000_000_000)
    }
}
