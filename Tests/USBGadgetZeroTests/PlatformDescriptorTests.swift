import Testing
import USBCore
import USBGadgetZero

@Suite("Microsoft OS 2.0 descriptors and WebUSB URLs")
struct PlatformDescriptorTests {
    private func utf16(_ text: String) -> [UInt8] { text.utf8.flatMap { [$0, 0] } }

    @Test("the set of a WinUSB device, byte for byte")
    func winUSB() throws {
        let class0 = try #require(USBUUID("0123abcd-4567-89ef-0123-456789abcdef"))
        let set = MicrosoftOS2DescriptorSet(winUSB: [class0])
        let header: [UInt8] = [10, 0, 0, 0, 0x00, 0x00, 0x03, 0x06, 0xa2, 0x00]
        let compatible: [UInt8] = [20, 0, 3, 0] + Array("WINUSB".utf8) + [UInt8](repeating: 0, count: 10)
        let property: [UInt8] =
            [0x84, 0, 4, 0, 7, 0, 42, 0] + utf16("DeviceInterfaceGUIDs") + [0, 0] + [80, 0]
            + utf16("{0123ABCD-4567-89EF-0123-456789ABCDEF}") + [0, 0, 0, 0]
        #expect(set.bytes == header + compatible + property)
        #expect(header.count == 10 && compatible.count == 20 && property.count == 132 && set.bytes.count == 162)
    }

    @Test("subsets count what they hold: the 178 bytes of one WinUSB function in a composite device")
    func subsets() {
        let guid = USBUUID(high: 1, low: 2)
        let function = MicrosoftOS2DescriptorSet.Function(
            firstInterface: 2, features: MicrosoftOS2Feature.winUSB([guid]))
        let set = MicrosoftOS2DescriptorSet(configurations: [.init(index: 0, functions: [function])])
        #expect(
            Array(set.bytes[..<26]) == [
                10, 0, 0, 0, 0x00, 0x00, 0x03, 0x06, 0xb2, 0x00,
                8, 0, 1, 0, 0, 0, 0xa8, 0x00,
                8, 0, 2, 0, 2, 0, 0xa0, 0x00,
            ])
        #expect(set.bytes.count == 0xb2)
        let both = MicrosoftOS2DescriptorSet(configurations: [.init(index: 1, functions: [function, function])])
        #expect(both.bytes.count == 10 + 8 + 2 * 160 && Array(both.bytes[14..<18]) == [1, 0, 0x48, 0x01])
    }

    @Test(
        "each feature",
        arguments: [
            (.genericParent, [4, 0, 7, 0]), (.vendorRevision(0x1234), [6, 0, 8, 0, 0x34, 0x12]),
            (
                .compatibleID("NINE CHARS", sub: "ABC"),
                [20, 0, 3, 0] + Array("NINE CHA".utf8) + Array("ABC".utf8) + [0, 0, 0, 0, 0]
            ),
            (
                .registryProperty(name: "A", .number(0x0102_0304)),
                [18, 0, 4, 0, 4, 0, 4, 0, 65, 0, 0, 0, 4, 0, 4, 3, 2, 1]
            ),
            (.registryProperty(name: "", .binary([9])), [13, 0, 4, 0, 3, 0, 2, 0, 0, 0, 1, 0, 9]),
            (.registryProperty(name: "", .string("é")), [16, 0, 4, 0, 1, 0, 2, 0, 0, 0, 4, 0, 0xe9, 0, 0, 0]),
            (.registryProperty(name: "", .strings([])), [14, 0, 4, 0, 7, 0, 2, 0, 0, 0, 2, 0, 0, 0]),
        ] as [(MicrosoftOS2Feature, [UInt8])])
    func features(_ feature: MicrosoftOS2Feature, _ expected: [UInt8]) {
        #expect(feature.bytes == expected)
    }

    @Test("what is longer than lengths can say saturates, and traps nobody")
    func tooLong() {
        let property = MicrosoftOS2Feature.registryProperty(name: "A", .binary([UInt8](repeating: 1, count: 70_000)))
        #expect(Array(property.bytes[..<2]) == [0xff, 0xff])
        #expect(Array(MicrosoftOS2DescriptorSet(features: [property, property]).bytes[8..<10]) == [0xff, 0xff])
    }

    @Test(
        "a URL is a scheme and the rest",
        arguments: [
            ("https://example.com", 1, "example.com"), ("http://localhost:8000/", 0, "localhost:8000/"),
            ("HTTPS://Example.com", 1, "Example.com"), ("ftp://x", 255, "ftp://x"), ("http:/", 255, "http:/"),
        ] as [(String, UInt8, String)])
    func urls(_ text: String, scheme: UInt8, rest: String) throws {
        let url = try #require(WebUSBURL(text))
        #expect(url.bytes == [UInt8(3 + rest.utf8.count), 3, scheme] + Array(rest.utf8))
    }

    @Test("a URL has 1 to 252 bytes after its scheme")
    func urlLengths() {
        #expect(WebUSBURL("https://") == nil && WebUSBURL("") == nil)
        let longest = WebUSBURL("https://" + String(repeating: "a", count: 252))
        #expect(longest?.bytes.count == 255 && longest?.bytes.first == 255)
        #expect(WebUSBURL("https://" + String(repeating: "a", count: 253)) == nil)
        #expect(WebUSBURL("https://" + String(repeating: "é", count: 127)) == nil, "bytes, not characters")
    }

    @Test("URLs beyond the first are numbered on")
    func numbers() throws {
        let urls = try ["https://a", "https://b"].map { try #require(WebUSBURL($0)) }
        let platforms = PlatformDescriptors(microsoft: nil, urls: urls)
        #expect(platforms.capabilities == [.webUSB(vendorCode: 1, landingPage: 1)])
        #expect(platforms.answer(to: .getURL(2)) == [4, 3, 1, 0x62])
        #expect(platforms.answer(to: .getURL(3)) == nil && platforms.answer(to: .getMicrosoftSet()) == nil)
    }
}
