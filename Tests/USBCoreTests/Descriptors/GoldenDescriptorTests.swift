import Testing
import USBCore

/// What devices send, byte by byte as the specification's tables have it.
@Suite struct GoldenDescriptorTests {
    @Test func highSpeedDriveHasTheDeviceDescriptorOfItsTable() {
        let expected = hexBytes(
            """
            12        // bLength
            01        // bDescriptorType: device
            00 02     // bcdUSB 2.00
            00 00 00  // class, subclass, protocol: each interface says its own
            40        // bMaxPacketSize0 64
            09 12     // idVendor
            01 00     // idProduct
            00 01     // bcdDevice 1.00
            01 02 03  // iManufacturer, iProduct, iSerialNumber
            01        // bNumConfigurations
            """)
        #expect(SampleDevices.drive(.high).deviceDescriptorBytes == expected)
    }

    @Test func highSpeedDriveHasAConfigurationOf32Bytes() {
        let expected = hexBytes(
            """
            09 02     // configuration
            20 00     // wTotalLength 32
            01 01 00  // bNumInterfaces, bConfigurationValue, iConfiguration
            80 32     // bus powered, 100 mA
            09 04     // interface
            00 00 02  // number, alternate, bNumEndpoints
            08 06 50  // mass storage, SCSI, bulk-only
            00        // iInterface
            07 05 81 02 00 02 00  // EP 1 IN bulk 512
            07 05 02 02 00 02 00  // EP 2 OUT bulk 512
            """)
        #expect(SampleDevices.drive(.high).configurationBytes(index: 0) == expected)
    }

    @Test func highSpeedDriveAnswersForFullSpeedToo() {
        let drive = SampleDevices.drive(.high)
        let qualifier = hexBytes(
            """
            0a 06     // device qualifier
            00 02     // bcdUSB 2.00
            00 00 00  // class, subclass, protocol
            40        // bMaxPacketSize0 64 at full speed
            01        // bNumConfigurations
            00        // reserved
            """)
        #expect(drive.qualifierBytes == qualifier)
        let other = hexBytes(
            """
            09 07 20 00 01 01 00 80 32  // other-speed configuration
            09 04 00 00 02 08 06 50 00  // interface
            07 05 81 02 40 00 00        // EP 1 IN bulk 64
            07 05 02 02 40 00 00        // EP 2 OUT bulk 64
            """)
        #expect(drive.otherSpeedConfigurationBytes(index: 0) == other)
        #expect(drive.otherSpeedConfigurationBytes(index: 1) == nil)
    }

    @Test(arguments: [Speed.full, .super]) func noQualifierWhereThereIsNoOtherSpeed(_ speed: Speed) {
        let drive = SampleDevices.drive(speed)
        #expect(drive.qualifierBytes == nil)
        #expect(drive.otherSpeedConfigurationBytes(index: 0) == nil)
    }

    @Test func superSpeedDriveHasCompanions() {
        let drive = SampleDevices.drive(.super)
        let device = hexBytes(
            """
            12 01
            20 03     // bcdUSB 3.20
            00 00 00
            09        // bMaxPacketSize0: 2^9
            09 12 01 00 00 01 01 02 03 01
            """)
        #expect(drive.deviceDescriptorBytes == device)
        let configuration = hexBytes(
            """
            09 02 2c 00 01 01 00 80  // wTotalLength 44
            0d                       // 104 mA in units of 8: 100 rounded up
            09 04 00 00 02 08 06 50 00
            07 05 81 02 00 04 00     // EP 1 IN bulk 1024
            06 30 00 00 00 00        // companion: no burst, no streams
            07 05 02 02 00 04 00     // EP 2 OUT bulk 1024
            06 30 00 00 00 00
            """)
        #expect(drive.configurationBytes(index: 0) == configuration)
    }

    @Test func superSpeedDriveHasABinaryObjectStore() {
        let expected = hexBytes(
            """
            05 0f 16 00 02        // BOS, wTotalLength 22, 2 capabilities
            07 10 02 02 00 00 00  // USB 2.0 extension: LPM
            0a 10 03              // SuperSpeed
            00                    // bmAttributes
            0e 00                 // full, high and SuperSpeed
            01                    // all works from full speed on
            0a ff 07              // U1 10 us, U2 2047 us
            """)
        #expect(SampleDevices.drive(.super).bosBytes == expected)
        #expect(SampleDevices.drive(.high).bosBytes == nil)
    }

    @Test func superSpeedPlusAddsItsCapability() {
        let expected = hexBytes(
            """
            05 0f 2a 00 03
            07 10 02 02 00 00 00
            0a 10 03 00 0e 00 01 0a ff 07
            14 10 0a 00           // SuperSpeedPlus
            01 00 00 00           // two sublink speeds, one id
            00 11 00 00           // works with one lane each way
            30 40 0a 00           // id 0: 10 Gb/s receive
            b0 40 0a 00           // id 0: 10 Gb/s transmit
            """)
        #expect(SampleDevices.drive(.superPlus).bosBytes == expected)
    }

    @Test func compositeKeepsTheOrderOfItsParts() {
        let device = SampleDevices.composite(.high)
        #expect(device.deviceDescriptorBytes[4..<7] == [0xef, 0x02, 0x01], "a device with associations says EF/02/01")
        let expected = hexBytes(
            """
            09 02 78 00 04 01 03 e0 00  // 120 bytes, 4 interfaces, "All of it", self-powered, wakes
            08 0b 00 02 02 02 01 04     // association of interfaces 0 and 1, "Serial"
            09 04 00 00 01 02 02 01 04  // CDC control, the same string
            05 24 00 10 01              //   header 1.10
            05 24 06 00 01              //   union of 0 and 1
            07 05 81 03 10 00 07        // EP 1 IN interrupt 16 bytes every 8 ms
            09 04 01 00 02 0a 00 00 00  // CDC data
            07 05 02 02 00 02 00
            07 05 82 02 00 02 00
            09 04 02 00 01 03 01 01 00  // boot keyboard
            09 21 11 01 00 01 22 3f 00  //   HID 1.11, report of 63 bytes
            07 05 83 03 08 00 07        // EP 3 IN interrupt: 8 ms is the longest within 10
            09 04 03 00 00 ff 00 00 05  // stream, nothing claimed
            09 04 03 01 01 ff 00 00 05  // stream at work
            07 05 84 05 c0 00 04        // EP 4 IN isochronous asynchronous, 192 bytes every 1 ms
            04 25 01 00                 //   the class's words about the endpoint
            """)
        #expect(device.configurationBytes(index: 0) == expected)
    }

    @Test func stringsAreUTF16BehindTheirLanguages() {
        let drive = SampleDevices.drive(.high)
        #expect(drive.stringBytes(index: 0, language: .unspecified) == [0x04, 0x03, 0x09, 0x04])
        let product = hexBytes("0c 03  44 00 72 00 69 00 76 00 65 00  // Drive")
        #expect(drive.stringBytes(index: 2, language: .englishUS) == product)
        #expect(drive.stringBytes(index: 2, language: .unspecified) == product)
        #expect(drive.stringBytes(index: 2, language: .german) == nil)
        #expect(drive.stringBytes(index: 4, language: .englishUS) == nil)
    }

    @Test func theTableForGetDescriptorAgreesWithTheSingleAnswers() {
        let drive = SampleDevices.drive(.high)
        func answer(_ type: DescriptorType, _ index: UInt8 = 0) -> [UInt8]? {
            drive.descriptorBytes(type: type, index: index, language: .englishUS)
        }
        #expect(answer(.device) == drive.deviceDescriptorBytes)
        #expect(answer(.configuration) == drive.configurationBytes(index: 0))
        #expect(answer(.configuration, 1) == nil)
        #expect(answer(.string, 3) == drive.stringBytes(index: 3, language: .englishUS))
        #expect(answer(.deviceQualifier) == drive.qualifierBytes)
        #expect(answer(.otherSpeedConfiguration) == drive.otherSpeedConfigurationBytes(index: 0))
        #expect(answer(.bos) == nil)
        #expect(answer(.hid) == nil)
        let fast = SampleDevices.drive(.super)
        #expect(fast.descriptorBytes(type: .bos, index: 0, language: .unspecified) == fast.bosBytes)
    }
}
