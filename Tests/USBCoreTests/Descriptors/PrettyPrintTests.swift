import Testing
import USBCore

@Suite struct PrettyPrintTests {
    @Test func highSpeedDriveReadsLikeLsusb() {
        let expected = """
            Speed: high speed
            Device Descriptor:
              bLength                18
              bDescriptorType         1
              bcdUSB               2.00
              bDeviceClass            0 Defined at Interface level
              bDeviceSubClass         0
              bDeviceProtocol         0
              bMaxPacketSize0        64
              idVendor           0x1209
              idProduct          0x0001
              bcdDevice            1.00
              iManufacturer           1 Ghostplug
              iProduct                2 Drive
              iSerial                 3 0123456789AB
              bNumConfigurations      1
            Languages: 0x0409 English (US)
            Configuration Descriptor:
              bLength                 9
              bDescriptorType         2
              wTotalLength       0x0020
              bNumInterfaces          1
              bConfigurationValue     1
              iConfiguration          0
              bmAttributes         0x80
                (Bus Powered)
              MaxPower            100mA
              Interface Descriptor:
                bLength                 9
                bDescriptorType         4
                bInterfaceNumber        0
                bAlternateSetting       0
                bNumEndpoints           2
                bInterfaceClass         8 Mass Storage
                bInterfaceSubClass      6
                bInterfaceProtocol     80
                iInterface              0
                Endpoint Descriptor:
                  bLength                 7
                  bDescriptorType         5
                  bEndpointAddress     0x81  EP 1 IN
                  bmAttributes            2
                    Transfer Type            Bulk
                  wMaxPacketSize     0x0200  1x 512 bytes
                  bInterval               0
                Endpoint Descriptor:
                  bLength                 7
                  bDescriptorType         5
                  bEndpointAddress     0x02  EP 2 OUT
                  bmAttributes            2
                    Transfer Type            Bulk
                  wMaxPacketSize     0x0200  1x 512 bytes
                  bInterval               0

            """
        var drive = SampleDevices.drive(.high)
        drive.otherSpeed = nil
        #expect(drive.prettyPrint() == expected)
    }

    @Test func theOtherSpeedIsPrintedAtItsOwn() {
        let text = SampleDevices.drive(.high).prettyPrint()
        #expect(text.contains("Device Qualifier (for full speed):\n  bLength                10\n"))
        #expect(text.contains("Other Speed Configuration Descriptor:\n"))
        #expect(text.contains("wMaxPacketSize     0x0040  1x 64 bytes"))
    }

    @Test func compositeShowsAssociationsClassesAndIntervals() {
        let text = SampleDevices.composite(.high).prettyPrint()
        let parts = [
            """
              Interface Association:
                bLength                 8
                bDescriptorType        11
                bFirstInterface         0
                bInterfaceCount         2
                bFunctionClass          2 Communications
                bFunctionSubClass       2
                bFunctionProtocol       1
                iFunction               4 Serial
            """,
            """
                Class-Specific Interface Descriptor:
                  bLength                 5
                  bDescriptorType        36
                  data:
                    00 10 01
            """,
            """
                HID Descriptor:
                  bLength                 9
                  bDescriptorType        33
                  bcdHID               1.11
                  bCountryCode            0
                  bNumDescriptors         1
                  bDescriptorType        34 Report
                  wDescriptorLength      63
            """,
            """
                  bmAttributes            5
                    Transfer Type            Isochronous
                    Synch Type               Asynchronous
                    Usage Type               Data
                  wMaxPacketSize     0x00c0  1x 192 bytes
                  bInterval               4 (every 1 ms)
                  Class-Specific Endpoint Descriptor:
                    bLength                 4
                    bDescriptorType        37
                    data:
                      01 00
            """,
            "  bmAttributes         0xe0\n    Self Powered\n    Remote Wakeup\n",
        ]
        for part in parts { #expect(text.contains(part), "\(part)\n--- is not in ---\n\(text)") }
    }

    @Test func superSpeedShowsCompanionsAndCapabilities() {
        var drive = SampleDevices.drive(.super)
        drive.editEndpoint { $0.companion = CompanionDescriptor(maxBurst: 15, attributes: 5) }
        drive.bos?.capabilities.append(.webUSB(vendorCode: 0x21, landingPage: 1))
        let text = drive.prettyPrint()
        let parts = [
            "  bMaxPacketSize0         9 512 bytes\n",
            "  MaxPower            104mA\n",
            """
                  SuperSpeed Endpoint Companion:
                    bLength                 6
                    bDescriptorType        48
                    bMaxBurst              15
                    bmAttributes         0x05 MaxStreams 32
                    wBytesPerInterval       0
            """,
            """
            Binary Object Store Descriptor:
              bLength                 5
              bDescriptorType        15
              wTotalLength       0x002e
              bNumDeviceCaps          3
              USB 2.0 Extension Device Capability:
                bLength                 7
                bDescriptorType        16
                bDevCapabilityType      2
                bmAttributes   0x00000002
                  Link Power Management (LPM) Supported
              SuperSpeed USB Device Capability:
                bLength                10
                bDescriptorType        16
                bDevCapabilityType      3
                bmAttributes         0x00
                wSpeedsSupported   0x000e
                  Device can operate at full speed
                  Device can operate at high speed
                  Device can operate at SuperSpeed
                bFunctionalitySupport   1
                bU1DevExitLat          10 micro seconds
                bU2DevExitLat        2047 micro seconds
              Platform Device Capability:
                bLength                24
                bDescriptorType        16
                bDevCapabilityType      5
                PlatformCapabilityUUID {3408b638-09a9-47a0-8bfd-a0768815b665} WebUSB
                CapabilityData:
                  00 01 21 01
            """,
        ]
        for part in parts { #expect(text.contains(part), "\(part)\n--- is not in ---\n\(text)") }
    }

    @Test func sublinkSpeedsAreReadable() {
        let text = SampleDevices.drive(.superPlus).prettyPrint()
        #expect(text.contains("bmSublinkSpeedAttr[0] 0x000a4030 id 0, 10 Gb/s RX"))
        #expect(text.contains("bmSublinkSpeedAttr[1] 0x000a40b0 id 0, 10 Gb/s TX"))
    }

    @Test func lyingCountsArePrintedAsTheyAreSent() throws {
        let cut = try ConfigurationDescription(parsing: [UInt8](RealisticDescriptors.receiver.prefix(9)))
        let text = cut.prettyPrint(speed: .full)
        #expect(text.contains("wTotalLength       0x003b"))
        #expect(text.contains("bNumInterfaces          2"))
    }

    @Test func aHIDDescriptorThatEndsEarlyShowsItsBytes() {
        let setting = AlternateSetting(
            number: 0, interfaceClass: .hid,
            descriptors: [ClassDescriptor(type: .hid, 0x11, 0x01, 0x00, 0x02, 0x22, 0x34)])
        let text = ConfigurationDescription(items: [.interface(setting)]).prettyPrint(speed: .full)
        #expect(text.contains("11 01 00 02 22 34"))
    }

    @Test func aMissingStringIsSaid() {
        var drive = SampleDevices.drive(.high)
        drive.device.productIndex = 9
        #expect(drive.prettyPrint().contains("iProduct                9 (no such string)"))
    }
}
