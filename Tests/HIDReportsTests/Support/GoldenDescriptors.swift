import HIDReports
import Testing

/// A descriptor whose bytes stand as they are, for what is declared or read to be held against.
struct Golden: CustomTestStringConvertible, Sendable {
    var name: String
    var descriptor: ReportDescriptor

    init(_ name: String, _ hex: String) {
        self.name = name
        descriptor = ReportDescriptor(bytes: hexBytes(hex))
    }

    var testDescription: String { name }
}

extension Golden {
    static let keyboard = Golden(
        "boot keyboard",
        """
        05 01 09 06 A1 01 05 07 19 E0 29 E7 15 00 25 01 75 01 95 08 81 02 95 01 75 08 81 01 95 05 75 01
        05 08 19 01 29 05 91 02 95 01 75 03 91 01 95 06 75 08 15 00 25 65 05 07 19 00 29 65 81 00 C0
        """)
    static let mouse = Golden(
        "wheel mouse",
        """
        05 01 09 02 A1 01 09 01 A1 00 05 09 19 01 29 03 15 00 25 01 95 03 75 01 81 02 95 01 75 05 81 01
        05 01 09 30 09 31 09 38 15 81 25 7F 75 08 95 03 81 06 C0 C0
        """)
    static let pointer = Golden(
        "absolute pointer",
        """
        05 01 09 02 A1 01 09 01 A1 00 05 09 19 01 29 03 15 00 25 01 95 03 75 01 81 02 95 01 75 05 81 01
        05 01 09 30 09 31 15 00 26 FF 7F 35 00 46 FF 7F 75 10 95 02 81 02
        05 01 09 38 15 81 25 7F 35 00 45 00 75 08 95 01 81 06 C0 C0
        """)
    static let gamepad = Golden(
        "gamepad",
        """
        05 01 09 05 A1 01 05 09 19 01 29 10 15 00 25 01 75 01 95 10 81 02 05 01 09 39 15 00 25 07 35 00
        46 3B 01 65 14 75 04 95 01 81 42 65 00 75 04 95 01 81 03 09 30 09 31 09 32 09 35 15 81 25 7F 35 00
        45 00 75 08 95 04 81 02 C0
        """)
    static let consumer = Golden(
        "consumer control", "05 0C 09 01 A1 01 15 00 26 FF 03 19 00 2A FF 03 75 10 95 01 81 00 C0")
    static let fido = Golden(
        "FIDO authenticator",
        """
        06 D0 F1 09 01 A1 01 09 20 15 00 26 FF 00 75 08 95 40 81 02 09 21 15 00 26 FF 00 75 08 95 40 91 02 C0
        """)

    /// Descriptors that break no law.
    static let lawful = [keyboard, mouse, pointer, gamepad, consumer, fido]

    /// The second interface of a keyboard, 04D9:1603: system keys in one report, media keys in another.
    static let holtekMediaKeys = Golden(
        "Holtek 04D9:1603, media keys",
        """
        05 01 09 80 A1 01 85 01 19 81 29 83 15 00 25 01 95 03 75 01 81 02 95 01 75 05 81 01 C0
        05 0C 09 01 A1 01 85 02 15 00 25 01 09 E9 09 EA 09 E2 09 CD 19 B5 29 B8 75 01 95 08 81 02
        0A 8A 01 0A 21 02 0A 2A 02 1A 23 02 2A 27 02 81 02
        0A 83 01 0A 96 01 0A 92 01 0A 9E 01 0A 94 01 0A 06 02 09 B2 09 B4 81 02 C0
        """)
    /// The first interface of the same keyboard, whose array has more values than usages.
    static let holtekKeyboard = Golden(
        "Holtek 04D9:1603, keys",
        """
        05 01 09 06 A1 01 05 07 19 E0 29 E7 15 00 25 01 75 01 95 08 81 02 95 01 75 08 81 01 95 03 75 01
        05 08 19 01 29 03 91 02 95 05 75 01 91 01 95 06 75 08 26 FF 00 05 07 19 00 29 91 81 00 C0
        """)
    /// A USB power meter, 5FC9:0063, whose greatest value is -1 to hosts that read it as signed.
    static let powerMeter = Golden(
        "power meter 5FC9:0063", "06 00 FF 09 01 A1 01 09 02 15 00 25 FF 75 08 95 40 81 02 09 03 91 02 C0")

    static let all = lawful + [holtekMediaKeys, holtekKeyboard, powerMeter]
}
