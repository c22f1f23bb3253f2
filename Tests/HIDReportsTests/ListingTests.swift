import HIDReports
import Testing

/// Descriptors as text.
@Suite struct ListingTests {
    @Test func keyboard() {
        #expect(
            Golden.keyboard.descriptor.listing == """
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
                95 01             Report Count (1)
                75 08             Report Size (8)
                81 01             Input (Constant, Array, Absolute)
                95 05             Report Count (5)
                75 01             Report Size (1)
                05 08             Usage Page (LED)
                19 01             Usage Minimum (Num Lock)
                29 05             Usage Maximum (Kana)
                91 02             Output (Data, Variable, Absolute)
                95 01             Report Count (1)
                75 03             Report Size (3)
                91 01             Output (Constant, Array, Absolute)
                95 06             Report Count (6)
                75 08             Report Size (8)
                15 00             Logical Minimum (0)
                25 65             Logical Maximum (101)
                05 07             Usage Page (Keyboard)
                19 00             Usage Minimum (No Event)
                29 65             Usage Maximum (Application)
                81 00             Input (Data, Array, Absolute)
                C0              End Collection

                """)
    }

    @Test(
        "items in words",
        arguments: [
            ("15 81 25 FF", "25 FF           Logical Maximum (-1)"),
            ("15 00 25 FF", "25 FF           Logical Maximum (255)"),
            ("35 81 45 FF", "45 FF           Physical Maximum (-1)"),
            ("15 81 A4 15 00 B4 25 FF", "25 FF           Logical Maximum (-1)"),
            ("0B 38 02 0C 00", "0B 38 02 0C 00  Usage (Consumer / AC Pan)"),
            ("06 00 FF 09 20", "09 20           Usage (0x20)"),
            ("06 01 FF", "06 01 FF        Usage Page (Vendor 0xFF01)"),
            ("06 D0 F1", "06 D0 F1        Usage Page (FIDO Alliance)"),
            ("05 09 29 10", "29 10           Usage Maximum (Button 16)"),
            ("55 0E", "55 0E           Unit Exponent (-2)"),
            ("65 14", "65 14           Unit (English Rotation: deg)"),
            ("66 01 10", "66 01 10        Unit (SI Linear: s)"),
            ("67 21 E1 00 00", "67 21 E1 00 00  Unit (SI Linear: cm^2 g s^-2)"),
            ("65 0F", "65 0F           Unit (0xF)"),
            ("81 46", "81 46           Input (Data, Variable, Relative, Null State)"),
            ("B2 A2 01", "B2 A2 01        Feature (Data, Variable, Absolute, No Preferred, Volatile, Buffered Bytes)"),
            ("A1 80", "A1 80           Collection (Vendor 0x80)"),
            ("A1 07", "A1 07           Collection (Reserved 0x07)"),
            ("A9 01", "A9 01           Delimiter (Open)"),
            ("79 02", "79 02           String Index (2)"),
            ("FE 01 F0 AA", "FE 01 F0 AA     (long item)"),
            ("D0", "D0              (reserved)"),
            ("75 08 26 FF", "26 FF           (an item that is cut off)"),
        ]) func words(_ hex: String, _ line: String)
    {
        let lines = ReportDescriptor(bytes: hexBytes(hex)).listing.split(separator: "\n")
        #expect(lines.last.map { String($0) } == line)
    }

    @Test(
        "usages by name",
        arguments: [
            (Usage.hatSwitch, "Generic Desktop / Hat Switch"), (.keyboard(0x28), "Keyboard / Enter"),
            (.keyboard(0x3a), "Keyboard / F1"), (.keyboard(0x53), "Keyboard / Num Lock"),
            (.keyboard(0x65), "Keyboard / Application"), (.keyboard(0x73), "Keyboard / F24"),
            (.keyboard(0x87), "Keyboard / International 1"), (.keyboard(0x90), "Keyboard / Lang 1"),
            (.keyboard(0xa4), "Keyboard / ExSel"), (.keyboard(0xdd), "Keyboard / Keypad Hexadecimal"),
            (.keyboard(0xe7), "Keyboard / Right GUI"), (.keyboard(0xa5), "Keyboard / 0xA5"),
            (.contactIdentifier, "Digitizer / Contact Identifier"), (.scanTime, "Digitizer / Scan Time"),
            (.accelerator, "Simulation / Accelerator"), (.volumeDecrement, "Consumer / Volume Decrement"),
            (.button(12), "Button / Button 12"), (.vendor(page: 0xff12, id: 0x345), "Vendor 0xFF12 / 0x0345"),
            (Usage(page: 0x1234, id: 1), "0x1234 / 0x01"),
        ]) func names(_ usage: Usage, _ text: String)
    {
        #expect(usage.description == text)
    }
}
