import TestSupport
import Testing

@Suite("Commented hexadecimal")
struct HexTests {
    @Test(
        "reads digits, repeats and comments",
        arguments: [
            ("", []), ("0a", [10]), ("0a0B 0c", [10, 11, 12]), ("ff*3 00", [255, 255, 255, 0]),
            ("01 // 02\n03 # 04\n05", [1, 3, 5]), ("01//ff", [1]), ("// only this", []),
        ] as [(String, [UInt8])])
    func reads(text: String, bytes: [UInt8]) throws {
        #expect(try hex(text) == bytes)
    }

    @Test("refuses what is neither", arguments: ["0", "0g", "012", "00*", "0001*2", "00*-1", "00*2*3", "01 / 02"])
    func refuses(text: String) {
        #expect(throws: HexError.self) { try hex(text) }
    }
}
