import CommandSupport
import DeviceModels
import SCSITarget
import Testing

@Suite("drive, under control")
struct DriveActionTests {
    private func message(_ body: () throws -> Void) -> String {
        do {
            try body()
            Issue.record("an error was expected")
            return ""
        } catch {
            return "\(error)"
        }
    }

    // MARK: eject

    @Test("eject takes the medium out, and insert puts it back with what was on it")
    func ejectAndInsert() throws {
        let drive = try DriveUnderControl("drive:size=1M,format=none")
        drive.write(7, 0xA5)
        #expect(try drive.perform("eject")["medium"] == .string("1 MiB in memory, blank"))
        #expect(drive.run([0x00]).sense == [2, 0x3A, 0])
        #expect(try drive.medium()["present"] == .bool(false))
        #expect(try drive.perform("insert")["bytes"] == .number(1 << 20))
        #expect(drive.run([0x00]).sense == [6, 0x28, 0])
        #expect(drive.read(7) == [UInt8](repeating: 0xA5, count: 512))
        #expect(drive.kinds() == ["ejected", "inserted"])
    }

    @Test("eject says so when the host has locked the medium in, and obeys force")
    func locked() throws {
        let drive = try DriveUnderControl("drive:size=1M,format=none")
        drive.lock()
        #expect(try drive.medium()["locked"] == .bool(true))
        let text = message { try drive.perform("eject") }
        #expect(text.contains("locked") && text.contains("unit 0") && text.contains("force=yes"))
        #expect(drive.run([0x00]).sense == nil, "nothing was done")
        #expect(drive.kinds() == [])
        try drive.perform("eject", [("force", .string("yes"))])
        #expect(drive.run([0x00]).sense == [2, 0x3A, 0])
    }

    @Test("eject lets go of an image file, with all that was written")
    func imageIsClosed() throws {
        let folder = try DriveFolder()
        let path = try folder.image("a.img", 1 << 20, 1)
        let drive = try DriveUnderControl("drive:image=\(path)")
        drive.write(0, 9)
        #expect(throws: ModelError.self) { try DriveUnderControl("drive:image=\(path)") }
        try drive.perform("eject")
        #expect(try DriveUnderControl("drive:image=\(path)").read(0).first == 9)
    }

    @Test("a medium that the host ejected can be taken out of the tray, or put in again")
    func tray() throws {
        let folder = try DriveFolder()
        let drive = try DriveUnderControl("drive:image=\(try folder.image("a.img", 1 << 20, 1))")
        #expect(drive.run([0x1B, 0, 0, 0, 2]).sense == nil)
        #expect(try drive.medium()["tray"] == .bool(true))
        try drive.perform("insert")
        #expect(drive.run([0x00]).sense == [6, 0x28, 0])
        #expect(drive.run([0x1B, 0, 0, 0, 2]).sense == nil)
        try drive.perform("eject")
        #expect(try drive.medium()["tray"] == .bool(false))
        #expect(drive.run([0x1B, 0, 0, 0, 3]).sense == [2, 0x3A, 0], "nothing is there to be loaded")
    }

    @Test("a unit without a medium has nothing to eject")
    func empty() throws {
        let drive = try DriveUnderControl("drive:size=1M,format=none")
        try drive.perform("eject")
        #expect(message { try drive.perform("eject") }.contains("insert"))
    }

    @Test("a fixed disk has nothing to eject or insert, force or not", arguments: ["eject", "insert"])
    func fixed(action: String) throws {
        let drive = try DriveUnderControl("drive:size=1M,format=none,removable=no")
        let arguments = [("force", JSON.bool(true))] + (action == "insert" ? [("size", .string("2M"))] : [])
        #expect(message { try drive.perform(action, arguments) }.contains("removable=yes"))
        #expect(drive.capacity() == 2_048)
    }

    // MARK: insert

    @Test("insert puts an image in place of the medium that is there")
    func exchange() throws {
        let folder = try DriveFolder()
        let (first, second) = (try folder.image("a.img", 1 << 20, 1), try folder.image("b.img", 2 << 20, 2))
        let drive = try DriveUnderControl("drive:image=\(first)")
        try drive.perform("insert", [("image", .string(second))])
        #expect(drive.run([0x00]).sense == [6, 0x28, 0])
        #expect(drive.capacity() == 4_096 && drive.read(0).first == 2)
        #expect(try drive.medium()["path"] == .string(second))
        #expect(drive.kinds() == ["ejected", "inserted"])
        drive.lock()
        #expect(message { try drive.perform("insert", [("image", .string(first))]) }.contains("force=yes"))
        try drive.perform("insert", [("image", .string(first)), ("force", .bool(true))])
        _ = drive.run([0x00])
        #expect(drive.capacity() == 2_048 && drive.read(0).first == 1)
    }

    @Test("insert of what cannot be had leaves the medium where it is")
    func insertFails() throws {
        let drive = try DriveUnderControl("drive:size=1M,format=none")
        #expect(message { try drive.perform("insert", [("image", .string("/no/such.img"))]) }.contains("/no/such.img"))
        #expect(drive.run([0x00]).sense == nil && drive.capacity() == 2_048)
        #expect(drive.kinds() == [])
    }

    @Test("the image that is in can be inserted again, exchanged on the disk or not")
    func sameImage() throws {
        let folder = try DriveFolder()
        let path = try folder.image("a.img", 1 << 20, 1)
        let drive = try DriveUnderControl("drive:image=\(path)")
        try drive.perform("insert", [("image", .string(path)), ("readonly", .bool(true))])
        _ = drive.run([0x00])
        #expect(drive.write(0, 5) == [7, 0x27, 0])
        #expect(try drive.medium()["readonly"] == .bool(true))
    }

    @Test("insert makes memory of a size, formatted unless told otherwise")
    func memory() throws {
        let drive = try DriveUnderControl("drive:size=1M,format=none,label=FIRST")
        try drive.perform("insert", [("size", .string("8M"))])
        _ = drive.run([0x00])
        #expect(drive.capacity() == 16_384)
        #expect(Array(drive.read(0)[43..<54]) == Array("FIRST      ".utf8), "the drive's label")
        #expect(try drive.medium()["label"] == .string("FIRST"))
        try drive.perform("insert", [("size", .number(4 << 20)), ("format", .string("none"))])
        _ = drive.run([0x00])
        #expect(drive.read(0).allSatisfy { $0 == 0 })
        try drive.perform(
            "insert", [("size", .string("8M")), ("label", .string("other")), ("readonly", .string("on"))])
        _ = drive.run([0x00])
        #expect(Array(drive.read(0)[43..<54]) == Array("OTHER      ".utf8))
        #expect(drive.write(0, 1) == [7, 0x27, 0])
    }

    @Test("insert makes a medium of a folder")
    func folder() throws {
        let folder = try DriveFolder()
        try folder.image("hello.txt", 5, 0x41)
        let drive = try DriveUnderControl("drive:size=1M,format=none")
        try drive.perform("insert", [("dir", .string(folder.path)), ("label", .string("FILES"))])
        _ = drive.run([0x00])
        #expect(Array(drive.read(0)[43..<48]) == Array("FILES".utf8))
        #expect(try drive.medium()["path"] == .string(folder.path))
    }

    @Test("a snapshot that is inserted leaves its image alone")
    func snapshot() throws {
        let folder = try DriveFolder()
        let path = try folder.image("a.img", 1 << 20, 1)
        let drive = try DriveUnderControl("drive:size=1M,format=none")
        try drive.perform("insert", [("image", .string(path)), ("snapshot", .bool(true))])
        _ = drive.run([0x00])
        drive.write(0, 9)
        #expect(drive.read(0).first == 9)
        try drive.perform("eject")
        #expect(try DriveUnderControl("drive:image=\(path),readonly").read(0).first == 1)
    }

    @Test("the files of a folder medium are copied back when it is taken out, not when a client has gone after that")
    func syncBack() throws {
        let (source, target) = (try DriveFolder(), try DriveFolder())
        try source.image("a.txt", 5, 0x41)
        let drive = try DriveUnderControl("drive:dir=\(source.path),sync-back=\(target.path)")
        #expect(target.size("a.txt") == -1)
        try drive.perform("eject")
        #expect(target.size("a.txt") == 5)
        try target.image("a.txt", 9, 0x42)
        drive.made.onRelease?()
        #expect(target.size("a.txt") == 9, "what came of the files meanwhile is left alone")
        try drive.perform("insert")
        drive.made.onRelease?()
        #expect(target.size("a.txt") == 5)
    }

    @Test("each slot of a card reader is its own")
    func cardReader() throws {
        let folder = try DriveFolder()
        let drive = try DriveUnderControl("drive:image=\(try folder.image("a.img", 1 << 20, 1)),luns=4")
        try drive.perform("insert", [("lun", .number(2)), ("image", .string(try folder.image("b.img", 1 << 20, 2)))])
        #expect(drive.run([0x00], lun: 0).sense == nil)
        #expect(drive.run([0x00], lun: 1).sense == [2, 0x3A, 0])
        #expect(drive.run([0x00], lun: 2).sense == [6, 0x28, 0])
        #expect(drive.read(0, lun: 2).first == 2)
        #expect(message { try drive.perform("insert", [("lun", .number(3))]) }.contains("never had"))
        #expect(message { try drive.perform("eject", [("lun", .number(4))]) }.contains("0 to 3"))
        guard case .array(let media) = try drive.perform("media")["media"] else { return }
        #expect(media.map { $0["present"] } == [.bool(true), .bool(false), .bool(true), .bool(false)])
    }

    // MARK: write-protect

    @Test("write-protect moves the switch: 6/2A/01, then writes are refused, until it is moved back")
    func writeProtect() throws {
        let drive = try DriveUnderControl("drive:size=1M,format=none")
        #expect(try drive.perform("write-protect")["readonly"] == .bool(true))
        #expect(drive.run([0x00]).sense == [6, 0x2A, 1])
        #expect(drive.write(0, 1) == [7, 0x27, 0])
        try drive.perform("write-protect", [("on", .string("no"))])
        #expect(drive.run([0x00]).sense == [6, 0x2A, 1])
        #expect(drive.write(0, 1) == nil)
        #expect(drive.kinds() == ["write-protect", "write-protect"])
        let fixed = try DriveUnderControl("drive:size=1M,format=none,readonly")
        #expect(message { try fixed.perform("write-protect", [("on", .bool(false))]) }.contains("readonly=yes"))
    }

    // MARK: resize

    @Test("resize makes memory larger, again and again, and keeps what is there", arguments: ["yes", "no"])
    func growMemory(removable: String) throws {
        let drive = try DriveUnderControl("drive:size=1M,format=none,removable=\(removable)")
        drive.write(2_047, 7)
        for mebibytes in [2, 3] {
            #expect(
                try drive.perform("resize", [("size", .string("\(mebibytes)M"))])["bytes"] == .number(mebibytes << 20))
            #expect(drive.run([0x00]).sense == [6, 0x2A, 9])
            #expect(drive.capacity() == UInt64(mebibytes) * 2_048)
        }
        // Across both seams, in one command.
        let pattern = (0..<(4_096 * 512)).map { UInt8(truncatingIfNeeded: $0 / 512) }
        #expect(drive.run([0x28, 0, 0, 0, 0x07, 0xFF, 0, 0, 1]).data == [UInt8](repeating: 7, count: 512))
        #expect(drive.run([0x2A, 0, 0, 0, 0x04, 0x00, 0, 0x10, 0], out: pattern).sense == nil)
        // Not with ==, which takes minutes to show the difference of so much.
        #expect(drive.run([0x28, 0, 0, 0, 0x04, 0x00, 0, 0x10, 0]).data.elementsEqual(pattern))
        #expect(drive.run([0x28, 0, 0, 0, 0x18, 0x00, 0, 0, 1]).sense == [5, 0x21, 0])
        guard removable == "yes" else { return }
        try drive.perform("eject")
        try drive.perform("insert")
        #expect(try drive.medium()["bytes"] == .number(3 << 20), "it stays so")
    }

    @Test("resize makes an image file larger, and it stays so", arguments: ["", ",size=1M"])
    func growImage(size: String) throws {
        let folder = try DriveFolder()
        let drive = try DriveUnderControl("drive:image=\(try folder.image("a.img", 1 << 20, 1))\(size)")
        drive.write(0, 9)
        try drive.perform("resize", [("size", .string("2M"))])
        #expect(folder.size("a.img") == 2 << 20)
        #expect(drive.run([0x00]).sense == [6, 0x2A, 9])
        #expect(drive.read(0).first == 9 && drive.write(4_095, 3) == nil)
        #expect(drive.run([0x1B, 0, 0, 0, 2]).sense == nil)
        #expect(drive.run([0x1B, 0, 0, 0, 3]).sense == nil, "the host loads what it ejected")
        #expect(drive.capacity() == 4_096)
    }

    @Test("a snapshot grows in memory, and leaves its image alone")
    func growSnapshot() throws {
        let folder = try DriveFolder()
        let drive = try DriveUnderControl("drive:image=\(try folder.image("a.img", 1 << 20, 1)),snapshot")
        try drive.perform("resize", [("size", .string("2M"))])
        _ = drive.run([0x00])
        #expect(drive.write(4_095, 3) == nil && drive.capacity() == 4_096)
        #expect(folder.size("a.img") == 1 << 20)
        try drive.perform("eject")
        try drive.perform("insert")
        _ = drive.run([0x00])
        #expect(drive.capacity() == 4_096)
    }

    @Test("resize of a removable medium that the host has locked in needs force; a fixed one does not")
    func growLocked() throws {
        let drive = try DriveUnderControl("drive:size=1M,format=none")
        drive.lock()
        #expect(message { try drive.perform("resize", [("size", .string("2M"))]) }.contains("force=yes"))
        try drive.perform("resize", [("size", .string("2M")), ("force", .bool(true))])
        let fixed = try DriveUnderControl("drive:size=1M,format=none,removable=no")
        fixed.lock()
        try fixed.perform("resize", [("size", .string("2M"))])
    }

    @Test("an image that cannot grow stays as it is")
    func growFails() throws {
        let folder = try DriveFolder()
        let path = try folder.image("a.img", 1 << 20, 1)
        let drive = try DriveUnderControl("drive:image=\(path)")
        #expect(throws: ModelError.self) { try drive.perform("resize", [("size", .number(Int.max / 512 * 512))]) }
        #expect(drive.run([0x00]).sense == nil && drive.capacity() == 2_048 && drive.write(0, 4) == nil)
        let readOnly = try DriveUnderControl("drive:size=1M,format=none")
        try readOnly.perform(
            "insert", [("size", .string("1M")), ("readonly", .bool(true)), ("format", .string("none"))])
        #expect(message { try readOnly.perform("resize", [("size", .string("2M"))]) }.contains("read-only"))
    }

    // MARK: Nonsense

    @Test(
        "nonsense is refused with a line that names the argument and what is allowed",
        arguments: [
            ("eject", [("lun", .number(1))], "lun=0"), ("eject", [("lun", .number(-1))], "0 to 15"),
            ("eject", [("lun", .string("x"))], "0 to 15"), ("eject", [("force", .string("perhaps"))], "yes|no"),
            ("eject", [("speed", .number(1))], "lun, force"), ("insert", [], "image="),
            ("insert", [("readonly", .bool(true))], "image="),
            ("insert", [("image", .string(""))], "PATH"), ("insert", [("image", .string("a\0b"))], "PATH"),
            ("insert", [("image", .array([]))], "PATH"), ("insert", [("size", .string("1000"))], "multiple"),
            ("insert", [("size", .string("99999999999T"))], "BYTES"), ("insert", [("size", .number(-5))], "BYTES"),
            ("insert", [("image", .string("/x")), ("dir", .string("/y"))], "exclude"),
            ("insert", [("size", .string("1M")), ("format", .string("ntfs"))], "fat|none"),
            ("insert", [("size", .string("1M")), ("label", .string("longer than eleven"))], "11"),
            ("insert", [("size", .string("1M")), ("snapshot", .bool(true))], "image="),
            ("insert", [("size", .number(512))], "format=none"),
            ("insert", [("dir", .string("/no/such/folder"))], "/no/such/folder"),
            ("write-protect", [("on", .string("half"))], "yes|no"), ("resize", [], "size"),
            ("resize", [("size", .string("512K"))], "only grows"), ("resize", [("size", .string("1M"))], "only grows"),
            ("resize", [("size", .number(1_048_577))], "multiple"), ("resize", [("size", .string(""))], "BYTES"),
            ("resize", [("size", .null)], "BYTES"), ("resize", [("size", .string("8388607T"))], "size"),
        ] as [(String, [(String, JSON)], String)])
    func nonsense(action: String, arguments: [(String, JSON)], expected: String) throws {
        let drive = try DriveUnderControl("drive:size=1M,format=none")
        let text = message { try drive.perform(action, arguments) }
        #expect(text.contains(expected), "\(text)")
        #expect(!text.contains("\n"))
        #expect(drive.run([0x00]).sense == nil && drive.capacity() == 2_048, "nothing was done")
        #expect(drive.kinds() == [])
    }
}
