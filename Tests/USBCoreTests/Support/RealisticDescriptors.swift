/// Descriptors of the shapes that devices in the field have, written by hand after their class specifications.
enum RealisticDescriptors {
    /// A USB audio 1.0 headset: class descriptors everywhere, and endpoints of nine bytes.
    static let audio = hexBytes(
        """
        09 02 6e 00 02 01 00 80 32        // 110 bytes, 2 interfaces, 100 mA
        09 04 00 00 00 01 01 00 00        // audio control
        09 24 01 00 01 28 00 01 01        //   header 1.00, 40 bytes, one streaming interface
        0c 24 02 01 01 01 00 02 03 00 00 00  // input terminal: USB streaming, stereo
        0a 24 06 02 01 01 01 02 02 00     //   feature unit: mute, volume
        09 24 03 03 02 03 00 02 00        //   output terminal: headphones
        09 04 01 00 00 01 02 00 00        // audio streaming, nothing claimed
        09 04 01 01 01 01 02 00 00        // audio streaming at work
        07 24 01 01 01 01 00              //   general: PCM
        0b 24 02 01 02 02 10 01 80 bb 00  //   format: stereo, 16 bits, 48000 Hz
        09 05 01 09 c0 00 01 00 00        // EP 1 OUT isochronous adaptive, 192 bytes, bRefresh and bSynchAddress
        07 25 01 01 00 00 00              //   the class's words about the endpoint
        """)

    /// A keyboard and mouse receiver at full speed.
    static let receiver = hexBytes(
        """
        09 02 3b 00 02 01 00 a0 31        // bus powered, wakes, 98 mA
        09 04 00 00 01 03 01 01 00        // boot keyboard
        09 21 11 01 00 01 22 3b 00        //   HID 1.11
        07 05 81 03 08 00 08              // EP 1 IN every 8 ms
        09 04 01 00 01 03 01 02 00        // boot mouse
        09 21 11 01 00 01 22 94 00
        07 05 82 03 08 00 02              // EP 2 IN every 2 ms
        """)

    /// A SuperSpeed drive with UAS: pipe usage descriptors after companions, streams on three pipes.
    static let uas = hexBytes(
        """
        09 02 79 00 01 01 00 80 70        // 121 bytes, 896 mA
        09 04 00 00 02 08 06 50 00        // bulk-only
        07 05 81 02 00 04 00  06 30 0f 00 00 00
        07 05 02 02 00 04 00  06 30 0f 00 00 00
        09 04 00 01 04 08 06 62 00        // UAS
        07 05 81 02 00 04 00  06 30 0f 05 00 00  04 24 03 00  // data in, 32 streams
        07 05 02 02 00 04 00  06 30 0f 05 00 00  04 24 04 00  // data out
        07 05 83 02 00 04 00  06 30 0f 05 00 00  04 24 02 00  // status
        07 05 04 02 00 04 00  06 30 00 00 00 00  04 24 01 00  // command
        """)

    /// A SuperSpeed hub's one interface: the companion of an interrupt endpoint.
    static let hub = hexBytes(
        """
        09 02 1f 00 01 01 00 e0 00        // self-powered, wakes
        09 04 00 00 01 09 00 00 00
        07 05 81 13 02 00 08              // EP 1 IN interrupt, notification, 2 bytes
        06 30 00 00 02 00
        """)

    /// A binary device object store: LPM with BESL, SuperSpeed, a container and WebUSB.
    static let store = hexBytes(
        """
        05 0f 42 00 04                    // 66 bytes, 4 capabilities
        07 10 02 1e f4 00 00              // LPM, BESL
        0a 10 03 00 0e 00 01 0a 20 00
        14 10 04 00 01 23 45 67 89 ab cd ef 01 23 45 67 89 ab cd ef
        18 10 05 00 38 b6 08 34 a9 09 a0 47 8b fd a0 76 88 15 b6 65 00 01 21 01  // WebUSB
        """)

    static let configurations = [audio, receiver, uas, hub]
}
