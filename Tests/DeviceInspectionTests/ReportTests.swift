import DeviceInspection
import Testing
import USBCore

/// What people and programs read.
@Suite struct ReportTests {
    @Test func aKeyboardIsShownAsLsusbShowsIt() {
        let text = LawfulDevices.keyboard.report.text
        #expect(text.hasPrefix("1-1 1209:0002 Keyboard, full speed, /sys/devices/1-1\nDevice Descriptor:\n"))
        #expect(
            text.contains(
                """
                      bInterfaceClass         3 Human Interface Device
                      bInterfaceSubClass      1 Boot Interface Subclass
                      bInterfaceProtocol      1 Keyboard
                      iInterface              0
                      HID Device Descriptor:
                        bLength                 9
                        bDescriptorType        33
                        bcdHID               1.11
                        bCountryCode            0 Not supported
                        bNumDescriptors         1
                        bDescriptorType        34 Report
                        wDescriptorLength      23
                        Report Descriptor of 23 bytes:
                          05 01           Usage Page (Generic Desktop)
                          09 06           Usage (Keyboard)
                          A1 01           Collection (Application)
                          05 07             Usage Page (Keyboard)
                          19 E0             Usage Minimum (Left Control)
                          29 E7             Usage Maximum (Right GUI)
                          15 00             Logical Minimum (0)
                          25 01             Logical Maximum (1)
                          75 01             Report Size (1)
                          95 08             Report Count (8)
                          81 02             Input (Data, Variable, Absolute)
                          C0              End Collection
                      Endpoint Descriptor:
                        bLength                 7
                        bDescriptorType         5
                        bEndpointAddress     0x81  EP 1 IN
                        bmAttributes            3
                          Transfer Type            Interrupt
                          Synch Type               None
                          Usage Type               Data
                        wMaxPacketSize     0x0008  1x 8 bytes
                        bInterval              10 every 10 ms

                """))
    }

    @Test func aReportDescriptorIsDecodedInJSON() {
        var device = LawfulDevices.keyboard
        let whole = #""bytes":"05 01 09 06 a1 01 05 07 19 e0 29 e7 15 00 25 01 75 01 95 08 81 02 c0","#
        let usages =
            #""usages":[{"page":7,"first":224,"last":231,"name":"Keyboard / Left Control to Keyboard / Right GUI"}]"#
        for part in [
            #""classDescriptors":[{"bInterfaceNumber":0,"bDescriptorType":34,"#, whole,
            #""applications":["Generic Desktop / Keyboard"],"reports":[{"type":"input","id":0,"bytes":1,"fields":[{"#,
            #""bit":0,"size":1,"count":8,"flags":["variable"],"logical":[0,1],"#, usages,
        ] { #expect(device.report.json.contains(part), "\(part) is not in \(device.report.json)") }

        device.editReportDescriptor { $0.removeLast() }
        #expect(device.report.json.contains("81 02"))
        #expect(!device.report.json.contains("applications"), "what cannot be read is not decoded")
    }

    @Test func aFieldsUnitsAndPaddingAreDecodedInJSON() {
        var device = LawfulDevices.keyboard
        // An axis of 12 bits in hundredths of a centimetre, with a null state, and four constant bits; with an id.
        device.editReportDescriptor { bytes in
            bytes = [
                0x05, 0x01, 0x09, 0x02, 0xa1, 0x01, 0x85, 0x03, 0x09, 0x30, 0x15, 0x00, 0x26, 0xe8, 0x03, 0x35, 0x00,
                0x46, 0xd0, 0x07, 0x65, 0x11, 0x55, 0x0e, 0x75, 0x0c, 0x95, 0x01, 0x81, 0x42, 0x75, 0x04, 0x81, 0x03,
                0xc0,
            ]
        }
        #expect(device.report.issues == [])
        for part in [
            #"{"type":"input","id":3,"bytes":3,"fields":[{"bit":8,"size":12,"count":1,"flags":["variable","nullState"],"#,
            #""logical":[0,1000],"physical":[0,2000],"unit":"SI Linear: cm","unitExponent":-2,"#,
            #""usages":[{"page":1,"first":48,"last":48,"name":"Generic Desktop / X"}]},"#,
            #"{"bit":20,"size":4,"count":1,"flags":["constant","variable"]}]}]"#,
        ] { #expect(device.report.json.contains(part), "\(part) is not in \(device.report.json)") }
    }

    @Test func aReportDescriptorIsListedOnce() {
        var device = LawfulDevices.keyboard
        device.editConfiguration { bytes in
            var setting = bytes[9...]
            setting[12] = 1
            bytes += setting
        }
        #expect(device.report.issues == [])
        #expect(device.report.text.split(separator: "Usage (Keyboard)").count == 2)
        #expect(device.report.text.contains("\n        Report Descriptor of 23 bytes: as above\n"))
    }

    @Test func ofAReportDescriptorThatIsTooLongTheBytesAreShown() {
        var device = LawfulDevices.keyboard
        device.editReportDescriptor { $0 += [UInt8](repeating: 0xb4, count: 4097 - $0.count) }
        #expect(device.report.text.contains("Report Descriptor of 4097 bytes:\n          05 01 09 06 a1 01 05 07 19"))
        #expect(!device.report.text.contains("Usage Page"))
    }

    @Test func audioIsDecoded() {
        let text = LawfulDevices.headset.report.text
        for line in [
            "bDescriptorSubtype      1 (HEADER)", "wTotalLength       0x0028", "baInterfaceNr( 0)       1",
            "wTerminalType      0x0101 USB Streaming", "wTerminalType      0x0302 Headphones",
            "bDescriptorSubtype      6 (FEATURE_UNIT)", "bmaControls( 0)         1", "bmaControls( 1)         2",
            "wFormatTag         0x0001 PCM", "tSamFreq[ 0]        48000", "bDescriptorSubtype      1 (EP_GENERAL)",
        ] {
            #expect(text.contains("\(line)\n"), "\(line)")
        }
        #expect(!text.contains("further bytes"))
    }

    @Test func communicationsAreDecoded() {
        let report = LawfulDevices.serialPort.report
        #expect(report.text.contains("CDC Union:\n"))
        #expect(report.text.contains("Interface Association:\n"))
        #expect(report.json.contains(#""bControlInterface":0,"bSubordinateInterface":[1]"#))
        #expect(report.json.contains(#""associations":[{"name":"Interface Association","bLength":8"#))
    }

    @Test func unknownDescriptorsAreShownAsBytes() {
        var device = LawfulDevices.drive(.full)
        device.editConfiguration { $0.insert(contentsOf: [5, 0x41, 0xaa, 0xbb, 0xcc], at: 18) }
        #expect(device.report.issues == [])
        #expect(
            device.report.text.contains(
                "      Unknown Descriptor of type 0x41:\n        bLength                 5\n"
                    + "        bDescriptorType        65\n        data:\n          aa bb cc\n"))
    }

    @Test func fieldsHaveTheSpecificationsNamesInJSON() {
        let json = LawfulDevices.drive(.super).report.json
        for part in [
            #"{"import":{"busid":"1-1","path":"/sys/devices/1-1","speed":"SuperSpeed","idVendor":"1209","#,
            #""bcdUSB":"0320","bDeviceClass":0,"#, #""iProduct":2,"iProductText":"Drive","iSerialNumber":3,"#,
            #""wTotalLength":44,"bNumInterfaces":1,"#, #""bMaxPower":13,"#,
            #""bEndpointAddress":129,"bmAttributes":2,"wMaxPacketSize":1024,"bInterval":0,"#,
            #""bMaxBurst":0,"bmAttributes":0,"wBytesPerInterval":0"#,
            #""capabilities":[{"name":"USB 2.0 Extension Device Capability","#,
            #""strings":[{"index":1,"language":"0409","text":"Ghostplug","bytes":"14 03"#,
            #""selectedConfiguration":1,"status":0,"issues":[]}"#,
        ] {
            #expect(json.contains(part), "\(part) is not in \(json)")
        }
    }

    @Test func issuesAreInJSONAsInText() {
        var device = LawfulDevices.drive(.full)
        device.edit(.configuration) { $0[13] = 3 }
        #expect(
            device.report.json.hasSuffix(
                #""issues":[{"severity":"error","path":"configuration 1, interface 0 alternate 0","#
                    + #""message":"bNumEndpoints is 3, but there are 2 endpoints","clause":"USB 2.0 §9.6.5"}]}"#))
        #expect(
            device.report.text.hasSuffix(
                """
                Issues: 1 error
                  error: configuration 1, interface 0 alternate 0
                    bNumEndpoints is 3, but there are 2 endpoints (USB 2.0 §9.6.5)

                """))
    }

    @Test func noTextOfADeviceReachesATerminalAsItIs() {
        // Escape, the eight-bit CSI, a line feed, right-to-left override, a zero-width space.
        let evil: [UInt16] = [0x1b, 0x5b, 0x32, 0x4a, 0x9b, 0x0a, 0x202e, 0x200b, 0xd83d, 0xde00]
        var device = LawfulDevices.drive(.full)
        device[.string, 2, .englishUS] = StringDescriptor(units: evil).bytes
        device.record.path = "/sys/\u{1b}]0;title\u{07}"
        device.record.busID = "1\u{1b}c"
        let report = device.report
        expectHarmless(report)
        #expect(report.text.contains(#"2 \u{1b}[2J\u{9b}\u{a}\u{202e}\u{200b}😀"#))
        #expect(report.json.contains(#""iProductText":"\u001b[2J\u009b\n\u202e\u200b😀""#))
    }
}

/// Expects nothing in a report to control a terminal.
func expectHarmless(_ report: DeviceReport) {
    for (text, allowed) in [(report.text, "\n" as Unicode.Scalar?), (report.json, nil)] {
        for scalar in text.unicodeScalars where scalar != allowed {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator:
                Issue.record("U+\(String(scalar.value, radix: 16)) is in the report")
            default: break
            }
        }
    }
}
