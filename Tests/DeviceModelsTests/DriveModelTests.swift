import DeviceModels
import Glibc
import Logging
import SCSITarget
import Testing
import USBCore
import USBDeviceKit
import USBMassStorage

@Suite("drive")
struct DriveModelTests {
    private func make(_ text: String, index: Int = 0) throws -> ModelDevice {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return try ModelRegistry.make(
            DeviceSpecification(parsing: text), ModelContext(index: index, logger: logger))
    }

    private func units(_ made: ModelDevice) throws -> [LogicalUnit] {
        let device = try #require(made.device as? GadgetDevice)
        return try #require(device.gadget as? MassStorageGadget).target.units
    }

    private func read(_ unit: LogicalUnit, _ offset: UInt64, _ count: Int) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        try unsafe bytes.withUnsafeMutableBytes { unsafe try unit.store?.read(into: $0, at: offset) }
        return bytes
    }

    @Test("by default is 64 MiB of memory with an empty FAT file system")
    func byDefault() throws {
        let made = try make("drive")
        let unit = try #require(try units(made).first)
        #expect(unit.blockCount == 131_072)
        #expect(try read(unit, 510, 2) == [0x55, 0xaa], "a boot sector's signature")
        #expect(try read(unit, 43, 11) == Array("GHOSTPLUG  ".utf8), "the label in the boot sector")
        #expect(made.backing == "64 MiB in memory, FAT \"GHOSTPLUG\"")
        #expect(made.device.identity.speed == .high)
        #expect(made.device.identity.interfaces == [.init(8, 6, 0x50)])
    }

    @Test("takes its identity from its keys")
    func identity() throws {
        let made = try make("drive:vid=0781,pid=0x5567,speed=super,product=Cruzer,vendor=SanDisk,size=8M,format=none")
        #expect(made.device.identity.vendorID == 0x0781)
        #expect(made.device.identity.productID == 0x5567)
        #expect(made.device.identity.speed == .super)
        #expect(made.device.identity.name == "SanDisk Cruzer")
        #expect(try read(try units(made)[0], 0, 512).allSatisfy { $0 == 0 }, "a blank disk")
    }

    @Test("has a serial number that stays the same from run to run and differs between drives")
    func serial() throws {
        func serial(_ text: String, _ index: Int) throws -> String {
            try units(try make(text, index: index))[0].configuration.serialNumber
        }
        let first = try serial("drive:size=8M", 0)
        #expect(try serial("drive:size=8M", 0) == first)
        #expect(try serial("drive:size=8M", 1) != first)
        #expect(first.count == 12 && first.allSatisfy(\.isHexDigit))
        #expect(try serial("drive:size=8M,serial=ABC", 0) == "ABC")
    }

    @Test("creates an image file of the size asked for, and keeps what an existing one holds")
    func image() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/disk.img"
        do {
            let made = try make("drive:image=\(path),size=16M,format=none")
            let unit = try units(made)[0]
            try unsafe ([7, 7, 7] as [UInt8]).withUnsafeBytes { unsafe try unit.store?.write($0, at: 4096) }
            #expect(made.close() == nil)
        }
        let unit = try units(try make("drive:image=\(path)"))[0]
        #expect(unit.blockCount == 32_768)
        #expect(try read(unit, 4096, 3) == [7, 7, 7])
    }

    @Test("with snapshot leaves the image as it is")
    func snapshot() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/disk.img"
        _ = try make("drive:image=\(path),size=1M,format=none")
        do {
            let unit = try units(try make("drive:image=\(path),snapshot"))[0]
            try unsafe ([9] as [UInt8]).withUnsafeBytes { unsafe try unit.store?.write($0, at: 0) }
            #expect(try read(unit, 0, 1) == [9])
        }
        #expect(try read(try units(try make("drive:image=\(path)"))[0], 0, 1) == [0])
    }

    @Test("is a card reader with empty slots when there are more units than images")
    func cardReader() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/card.img"
        let units = try units(try make("drive:image=\(path),size=1M,luns=3,format=none"))
        #expect(units.map(\.isMediumPresent) == [true, false, false])
        #expect(Set(units.map(\.configuration.serialNumber)).count == 3)
    }

    @Test(
        "refuses wrong keys and values with a line that names the key and what is allowed",
        arguments: [
            ("drive:siez=1G", "siez", "size"),
            ("drive:size=1Q", "size=1Q", "K, M, G or T"),
            ("drive:size=0", "size=0", "size takes"),
            ("drive:size=99999999999T", "size", "takes"),
            ("drive:size=1000", "size=1000", "multiple of the block size 512"),
            ("drive:blocksize=513", "blocksize=513", "512|1024|2048|4096"),
            ("drive:speed=low", "speed=low", "full|high|super"),
            ("drive:luns=17", "luns=17", "1 to 16"),
            ("drive:readonly=maybe", "readonly=maybe", "yes|no"),
            ("drive:vid=12345", "vid=12345", "hexadecimal"),
            ("drive:label=more than eleven", "label", "11"),
            ("drive:vendor=Vendör", "vendor", "ASCII"),
            ("drive:serial=a b", "serial", "0-9"),
            ("drive:format=ntfs", "format=ntfs", "fat|none"),
            ("drive:snapshot", "snapshot", "image="),
            ("drive:sync-back=/tmp/x", "sync-back", "dir="),
            ("drive:dir=/tmp,image=/tmp/x", "dir=", "image="),
            ("drive:image=", "image=", "PATH"),
            ("drive:image=a,image=b,luns=1", "luns=1", "2 images"),
            ("drive:image=/no/such/disk.img", "/no/such/disk.img", "size"),
            ("drive:dir=/no/such/folder", "/no/such/folder", ""),
            ("toaster", "toaster", "drive"),
        ])
    func refusals(_ text: String, key: String, allowed: String) {
        let error = #expect(throws: ModelError.self) { try make(text) }
        let line = error?.description ?? ""
        #expect(line.contains(key), "the line names the key: \(line)")
        #expect(line.contains(allowed), "the line says what is allowed: \(line)")
        #expect(!line.contains("\n"))
    }

    @Test("documents exactly the keys that it reads")
    func examples() throws {
        let known = Set(DriveModel.keys.map(\.name))
        for example in DriveModel.examples {
            let specification = try DeviceSpecification(parsing: example.specification)
            #expect(specification.options.allSatisfy { known.contains($0.key) }, "\(example.specification)")
        }
    }
}

/// A folder that goes when the test ends.
final class TemporaryFolder {
    let path: String

    init() throws {
        var template = "/tmp/ghostplug-test-XXXXXX".utf8CString.map { $0 }
        try #require(unsafe mkdtemp(&template) != nil, "a folder under /tmp")
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        for name in ["disk.img", "card.img"] { unsafe unlink("\(path)/\(name)") }
        unsafe rmdir(path)
    }
}
