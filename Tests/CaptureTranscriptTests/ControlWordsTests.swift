import CaptureTraces
import CaptureTranscript
import Testing
import USBCore

@Suite("Requests in words")
struct ControlWordsTests {
    @Test("Standard requests are named, and their descriptors told")
    func standard() throws {
        var made = MadeTrace()
        made.control(0x80, 6, value: 0x0100, length: 18, MadeDescriptors.device())
        made.control(0x80, 6, value: 0x0100, length: 8, Array(MadeDescriptors.device().prefix(8)))
        made.control(0x80, 6, value: 0x0300, length: 255, [4, 3, 0x09, 0x04])
        made.control(0x80, 6, value: 0x0302, index: 0x0409, length: 255, MadeDescriptors.string("Blue \u{1b}[31m"))
        made.control(0x00, 5, value: 7)
        made.control(0x00, 9, value: 1)
        made.control(0x01, 11, value: 2, index: 1)
        made.control(0x81, 10, index: 1, length: 1, [2])
        made.control(0x80, 0, length: 2, [3, 0])
        made.control(0x82, 0, index: 0x81, length: 2, [1, 0])
        made.control(0x02, 1, index: 0x81)
        made.control(0x00, 3, value: 1)
        made.control(0x80, 8, length: 1, [1])
        made.control(0x80, 6, value: 0x0f00, length: 5, [5, 15, 22, 0, 2])
        made.control(0x80, 6, value: 0x0600, length: 10, status: .stalled)
        #expect(
            try made.words() == [
                "GET_DESCRIPTOR device, 18 bytes → 1209:db42, USB 2.00, class by interface, release 1.00, EP0 64 bytes, "
                    + "1 configuration",
                "GET_DESCRIPTOR device, 8 bytes → USB 2.00, EP0 64 bytes, the first 8",
                "GET_DESCRIPTOR string 0, 255 bytes → languages 0409 English (US)",
                #"GET_DESCRIPTOR string 2 (0409), 255 bytes → "Blue \u{1b}[31m""#,
                "SET_ADDRESS 7", "SET_CONFIGURATION 1", "SET_INTERFACE 1 alternate 2", "GET_INTERFACE 1 → alternate 2",
                "GET_STATUS of the device → self-powered, remote wakeup on", "GET_STATUS of EP 1 IN → halted",
                "CLEAR_FEATURE ENDPOINT_HALT of EP 1 IN", "SET_FEATURE DEVICE_REMOTE_WAKEUP of the device",
                "GET_CONFIGURATION → 1", "GET_DESCRIPTOR BOS, 5 bytes → 2 capabilities, 22 bytes of which here 5",
                "GET_DESCRIPTOR device qualifier, 10 bytes → STALL",
            ])
        #expect(
            try made.entries().map(\.request).prefix(4) == [
                "GET_DESCRIPTOR", "GET_DESCRIPTOR", "GET_DESCRIPTOR", "GET_DESCRIPTOR",
            ])
    }

    @Test("A configuration tells its interfaces, and when it is cut")
    func configuration() throws {
        let bytes = try #require(MadeTrace.composite.device.descriptors.configurations[0])
        var made = MadeTrace()
        made.control(0x80, 6, value: 0x0200, length: 9, Array(bytes.prefix(9)))
        made.control(0x80, 6, value: 0x0200, length: UInt16(bytes.count), bytes)
        #expect(
            try made.words() == [
                "GET_DESCRIPTOR configuration 0, 9 bytes → value 1, 5 interfaces, bus-powered, 103 bytes of which here 9",
                "GET_DESCRIPTOR configuration 0, 103 bytes → value 1, 5 interfaces (0 HID keyboard, 1 HID mouse, 2 CDC "
                    + "ACM, 3 CDC data, 4 mass storage), bus-powered, 103 bytes",
            ])
    }

    @Test("Requests of classes are named by the interface that they address")
    func classes() throws {
        var made = MadeTrace.composite
        made.control(0x21, 0x0a)
        made.control(0x21, 0x0a, value: 0x0300)
        made.control(0x21, 0x09, value: 0x0200, length: 1, [0x02])
        made.control(0x81, 6, value: 0x2200, length: 63, MadeDescriptors.bootKeyboard)
        made.control(0xa1, 0x03, length: 1, [1])
        made.control(0x21, 0x0b, value: 0)
        made.control(0x21, 0x20, index: 2, length: 7, [0x00, 0xc2, 0x01, 0x00, 0, 0, 8])
        made.control(0xa1, 0x21, index: 2, length: 7, [0x80, 0x25, 0, 0, 2, 2, 7])
        made.control(0x21, 0x22, value: 3, index: 2)
        made.control(0x21, 0x22, value: 0, index: 2)
        made.control(0xa1, 0xfe, index: 4, length: 1, [0])
        made.control(0x21, 0xff, index: 4)
        #expect(
            try made.words() == [
                "SET_IDLE only when something changes of interface 0", "SET_IDLE every 12 ms of interface 0",
                "SET_REPORT output of interface 0: Num Lock off, Caps Lock on, Scroll Lock off, Compose off, Kana off",
                "GET_DESCRIPTOR report of interface 0, 63 bytes → Generic Desktop / Keyboard; 2 reports",
                "GET_PROTOCOL of interface 0 → report", "SET_PROTOCOL boot of interface 0",
                "SET_LINE_CODING 115200 8N1 of interface 2", "GET_LINE_CODING of interface 2 → 9600 7E2",
                "SET_CONTROL_LINE_STATE DTR RTS of interface 2", "SET_CONTROL_LINE_STATE none of interface 2",
                "GET_MAX_LUN of interface 4 → 0", "BULK_ONLY_RESET of interface 4",
            ])
    }

    @Test("What has no name is shown as it is")
    func raw() throws {
        var made = MadeTrace.composite
        made.control(0xc0, 0x20, value: 0x1234, index: 5, length: 4, [0xde, 0xad, 0x41, 0x42])
        made.control(0x40, 0x21, length: 2, [1, 2])
        made.control(0x21, 0x77, index: 4)
        made.control(0x80, 0x99, length: 1, [0])
        let entries = try made.entries()
        #expect(
            entries.map { $0.line(withDevice: false, limit: .usual) } == [
                "      1      0.000000  EP 0      vendor request c0 20 wValue 1234 wIndex 0005 wLength 4 → 4 bytes  "
                    + "de ad 41 42  |..AB|",
                "      3      0.001000  EP 0      vendor request 40 21 wValue 0000 wIndex 0000 wLength 2, 2 bytes  "
                    + "01 02  |..|",
                "      5      0.002000  EP 0      mass storage class request 21 77 wValue 0000 wIndex 0004 wLength 0",
                "      7      0.003000  EP 0      standard request 80 99 wValue 0000 wIndex 0000 wLength 1 → 1 byte  "
                    + "00  |.|",
            ])
    }

    @Test("Hubs and their ports are told, also where no descriptor says that it is one")
    func hubs() throws {
        var made = MadeTrace()
        made.control(0xa3, 0, index: 2, length: 4, [0x01, 0x03, 0x01, 0x00])
        made.control(0x23, 3, value: 4, index: 2)
        made.control(0x23, 1, value: 16, index: 2)
        made.device.descriptors.device = []
        #expect(
            try made.words() == [
                "GET_STATUS of port 2 → connected, powered, low speed; changed: connection",
                "SET_FEATURE PORT_RESET of port 2", "CLEAR_FEATURE C_PORT_CONNECTION of port 2",
            ])
    }

    @Test("A request that has lost its beginning, its end or a part of its data says so")
    func incomplete() throws {
        var made = MadeTrace()
        made.data(.in(0), [1, 2, 3], .control, marks: .noSubmission)
        made.control(0x80, 6, value: 0x0100, length: 18)
        made.change {
            $0.marks.insert(.noCompletion)
            $0.completionNumber = 0
            $0.status = .abandoned
        }
        made.control(0x80, 6, value: 0x0100, length: 18, MadeDescriptors.device())
        made.change {
            $0.marks.insert(.isCut)
            $0.actual = 20
        }
        made.control(0x80, 6, value: 0x0100, length: 18, MadeDescriptors.device())
        made.change { $0.marks.insert(.isInjected) }
        let words = try made.words()
        #expect(words[0] == "the end of a request whose beginning is not in the capture, 3 bytes")
        #expect(words[1] == "GET_DESCRIPTOR device, 18 bytes → no end in the capture")
        #expect(words[2].hasSuffix("1 configuration (cut: the capture has 18 of 20 bytes)"))
        #expect(words[3].hasSuffix("1 configuration (told by the capturing system)"))
        #expect(try made.entries(filter: "status=unanswered").count == 1)
    }

    @Test("No request and no answer, however wrong, ends the program")
    func nonsense() throws {
        var made = MadeTrace.composite
        var state: UInt64 = 42
        func random() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state >> 33
        }
        for _ in 0..<4000 {
            let length = Int(random() % 12)
            let types: [UInt8] = [0x80, 0x81, 0x00, 0x01, 0x21, 0xa1, 0x23, 0xa3, 0xc0, 0x40, 0x02, 0x82, 0x20, 0xa0]
            let type = types[Int(random() % UInt64(types.count))]
            made.control(
                type, UInt8(truncatingIfNeeded: random() % 2 == 0 ? random() % 16 : random()),
                value: UInt16(truncatingIfNeeded: random() % 3 == 0 ? random() : (random() % 0x30) << 8),
                index: UInt16(random() % 6), length: UInt16(length),
                (0..<length).map { _ in UInt8(truncatingIfNeeded: random()) })
        }
        #expect(try made.words().count == 4000)
    }
}
