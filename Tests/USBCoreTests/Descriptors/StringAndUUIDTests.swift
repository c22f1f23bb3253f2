import Testing
import USBCore

@Suite struct StringDescriptorTests {
    @Test(arguments: ["", "Drive", "Gerät", "\u{1f47b} plug", "日本", "e\u{301}"]) func textSurvives(_ text: String)
        throws
    {
        let read = try StringDescriptor(parsing: StringDescriptor(text).bytes)
        #expect(read == StringDescriptor(text))
        #expect(read.text.unicodeScalars.elementsEqual(text.unicodeScalars))
    }

    @Test func aLongStringEndsWithAWholeCharacter() throws {
        // 125 units, then a ghost of two: the pair must not be torn.
        let long = StringDescriptor(String(repeating: "x", count: 125) + "\u{1f47b}")
        #expect(long.bytes.count == 2 + 2 * 125)
        #expect(long.bytes.first == 252)
        // A letter with 126 accents is one character and does not fit at all.
        let accents = StringDescriptor("ab" + "e" + String(repeating: "\u{301}", count: 126))
        #expect(try StringDescriptor(parsing: accents.bytes).text == "ab")
    }

    @Test func unpairedSurrogatesStayAsTheyCame() throws {
        let bytes: [UInt8] = [0x06, 0x03, 0x3d, 0xd8, 0x41, 0x00]
        let string = try StringDescriptor(parsing: bytes)
        #expect(string.units == [0xd83d, 0x0041])
        #expect(string.text == "\u{fffd}A")
        #expect(string.bytes == bytes)
    }

    @Test func theListOfLanguagesIsRead() throws {
        #expect(try StringTable.parseLanguages([0x06, 0x03, 0x09, 0x04, 0x07, 0x04]) == [.englishUS, .german])
        #expect(throws: DescriptorError.self) { try StringTable.parseLanguages([0x02]) }
    }

    @Test func indexZeroHoldsNoString() {
        var table = StringTable()
        table[0, .englishUS] = "no"
        #expect(table.isEmpty)
        table[1, .englishUS] = "yes"
        #expect(table.indices == [1])
        table[1, .englishUS] = nil
        #expect(table.indices == [])
        #expect(table.languages == [.englishUS])
    }
}

@Suite struct USBUUIDTests {
    @Test func descriptorsHaveItInMixedOrder() throws {
        let uuid = try #require(USBUUID("d8dd60df-4589-4cc7-9cd2-659d9e648a9f"))
        #expect(uuid == .microsoftOS2)
        let bytes = hexBytes("df 60 dd d8 89 45 c7 4c 9c d2 65 9d 9e 64 8a 9f")
        #expect(uuid.bytes == bytes)
        #expect(USBUUID(bytes: bytes) == uuid)
        #expect(uuid.description == "d8dd60df-4589-4cc7-9cd2-659d9e648a9f")
        #expect(USBUUID("{3408B638-09A9-47A0-8BFD-A0768815B665}") == .webUSB)
    }

    @Test(arguments: [
        "", "d8dd60df", "d8dd60df-4589-4cc7-9cd2-659d9e648a9", "d8dd60dfx4589-4cc7-9cd2-659d9e648a9f",
        "g8dd60df-4589-4cc7-9cd2-659d9e648a9f", "+8dd60df-4589-4cc7-9cd2-659d9e648a9f", "{}",
    ])
    func textThatIsNone(_ text: String) { #expect(USBUUID(text) == nil) }

    @Test func sixteenBytesAreNeeded() {
        #expect(USBUUID(bytes: [UInt8](repeating: 0, count: 15)) == nil)
        #expect(USBUUID(bytes: []) == nil)
    }

    @Test func microsoftOS2CapabilityIsOfItsTable() {
        let expected = hexBytes(
            """
            1c 10 05 00                                      // platform capability of 28 bytes
            df 60 dd d8 89 45 c7 4c 9c d2 65 9d 9e 64 8a 9f  // Microsoft OS 2.0
            00 00 03 06                                      // from Windows 8.1 on
            b2 00                                            // 178 bytes of descriptors
            20 00                                            // vendor code, no other enumeration
            """)
        #expect(Capability.microsoftOS2(setLength: 178, vendorCode: 0x20).bytes == expected)
    }
}
