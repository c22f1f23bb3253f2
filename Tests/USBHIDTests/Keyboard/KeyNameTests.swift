import HIDReports
import Testing
import USBHID

@Suite("Names of keys")
struct KeyNameTests {
    @Test(
        "keys have the usages of the HID Usage Tables",
        arguments: [
            ("a", 0x04), ("z", 0x1d), ("1", 0x1e), ("9", 0x26), ("0", 0x27), ("enter", 0x28), ("f1", 0x3a),
            ("f12", 0x45), ("f13", 0x68), ("f24", 0x73), ("kp1", 0x59), ("kp9", 0x61), ("kp0", 0x62), ("delete", 0x4c),
            ("CTRL", 0xe0), ("AltGr", 0xe6), ("super", 0xe3), ("0x64", 0x64), ("0xE7", 0xe7),
        ] as [(String, UInt8)])
    func usages(name: String, usage: UInt8) { #expect(KeyNames.key(name) == .keyboard(usage)) }

    @Test("media and power keys are on their own pages")
    func pages() {
        #expect(KeyNames.key("volumeup") == .volumeIncrement && KeyNames.key("playpause") == .playPause)
        #expect(KeyNames.key("nexttrack") == .scanNextTrack && KeyNames.key("mute") == .mute)
        #expect(KeyNames.key("power") == .systemPowerDown && KeyNames.key("sleep") == .systemSleep)
        #expect(KeyNames.key("kbmute") == .keyboard(0x7f))
    }

    @Test("each name is one key's, and each key's first name leads back to it")
    func unique() throws {
        #expect(Set(KeyNames.all).count == KeyNames.all.count)
        for name in KeyNames.all {
            let key = try #require(KeyNames.key(name), "\(name)")
            #expect(KeyNames.name(of: key) == name)
            #expect(!name.contains("+") && !name.contains(" ") && name == name.lowercased())
        }
    }

    @Test("every key that Linux has a code for has a name")
    func linux() {
        // The entries of hid_keyboard[] in drivers/hid/hid-input.c that are neither 0 nor unknown, to 0xE7.
        let mapped: [ClosedRange<UInt8>] = [
            0x04...0x81, 0x85...0x85, 0x87...0x8c, 0x90...0x94, 0x9c...0x9c, 0xb6...0xb7, 0xd8...0xd8, 0xe0...0xe7,
        ]
        for usage in mapped.joined() { #expect(KeyNames.name(of: .keyboard(usage)) != nil, "\(usage)") }
    }

    @Test(
        "what is no name is no key",
        arguments: ["", " ", "+", "foo", "0x", "0x3", "0x03", "0xff", "0x+4", "0x004", "ä"])
    func unknown(name: String) { #expect(KeyNames.key(name) == nil) }

    @Test("a misspelt name brings near ones")
    func near() {
        #expect(KeyNames.near("entre").first == "enter" && KeyNames.near("volumup").first == "volumeup")
        #expect(KeyNames.near("delte").first == "delete" && KeyNames.near("shft").first == "shift")
        #expect(KeyNames.near("xyzzyxyzzy").isEmpty)
        #expect(KeyNames.near(String(repeating: "x", count: 100_000)).isEmpty)
    }

    @Test("chords are names with + in between, in any case")
    func chords() throws {
        #expect(try KeyChord(parsing: "Ctrl+Alt+Del").keys == [.keyboard(0xe0), .keyboard(0xe2), .keyboard(0x4c)])
        #expect(try KeyChord(parsing: "shift+volumedown").keys == [.keyboard(0xe1), .volumeDecrement])
    }

    @Test("what is no chord is refused in words")
    func refused() throws {
        func message(_ text: String) -> String {
            do throws(KeyNameError) {
                _ = try KeyChord(parsing: text)
                return ""
            } catch { return error.description }
        }
        #expect(message("ctrl+entre").hasPrefix("there is no key 'entre'; did you mean enter"))
        #expect(message("qqqqqqqq").contains("names are such as"))
        for text in ["", "+", "ctrl+", "+a", "a++b"] { #expect(message(text).hasPrefix("a key is missing")) }
        #expect(message("a+b+a") == "'a' is twice in one chord")
        #expect(message("ctrl+LCTRL").contains("twice"))
        #expect(message("\u{1b}[31m").contains("'?[31m'"))
        let many = (0x04...0x24).map { "0x" + ($0 < 16 ? "0" : "") + String($0, radix: 16) }
        #expect(message(many.joined(separator: "+")) == "a chord has at most 32 keys")
    }
}
