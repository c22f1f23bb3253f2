import TestSupport
import Testing
import USBIPWire

@Suite("Op phase")
struct OpPhaseTests {
    static let record = DeviceRecord(
        path: "/sys/devices/x", busID: "1-1", busNumber: 1, deviceNumber: 2, speed: 3, vendorID: 0x1209,
        productID: 0x0001, release: 0x0123, deviceClass: ClassRecord(0xef, 2, 1), configurationValue: 1,
        configurationCount: 2, interfaceCount: 2)
    static let recordHex = """
        2f 73 79 73 2f 64 65 76 69 63 65 73 2f 78 00*242  // path[256]
        31 2d 31 00*29                                    // busid[32]
        00000001                                          // busnum
        00000002                                          // devnum
        00000003                                          // speed: high
        1209 0001 0123                                    // idVendor idProduct bcdDevice
        ef 02 01                                          // class, subclass, protocol
        01 02 02                                          // bConfigurationValue, bNumConfigurations, bNumInterfaces
        """

    @Test("a request for the list is eight bytes")
    func listRequest() throws {
        #expect(
            try OpMessage.deviceListRequest
                == hex(
                    """
                    0111      // version 1.1.1
                    8005      // OP_REQ_DEVLIST
                    00000000  // status
                    """))
    }

    @Test("an empty list is twelve bytes")
    func emptyList() throws {
        #expect(
            try OpMessage.deviceListReply([])
                == hex(
                    """
                    0111 0005 00000000  // OP_REP_DEVLIST, ok
                    00000000            // ndev
                    """))
    }

    @Test("a list has every device and four bytes for each of its interfaces")
    func list() throws {
        let entry = DeviceListEntry(device: Self.record, interfaces: [ClassRecord(8, 6, 0x50), ClassRecord(3, 1, 2)])
        let device = try hex(Self.recordHex)
        let interfaces = try hex(
            """
            08 06 50 00  // interface 0, padding
            03 01 02 00  // interface 1, padding
            """)
        let reply = try hex("0111 0005 00000000 00000002") + device + interfaces + device + interfaces
        #expect(OpMessage.deviceListReply([entry, entry]) == reply)
        #expect(reply.count == 12 + 2 * (312 + 2 * 4))
    }

    @Test("a list entry counts its own interfaces, 255 at most")
    func interfaceCount() {
        let many = [ClassRecord](repeating: ClassRecord(255, 0, 0), count: 300)
        #expect(DeviceListEntry(device: Self.record, interfaces: []).device.interfaceCount == 0)
        let entry = DeviceListEntry(device: Self.record, interfaces: many)
        #expect(entry.device.interfaceCount == 255 && entry.interfaces.count == 255)
    }

    @Test("an import request is forty bytes")
    func importRequest() throws {
        let bytes = try hex(
            """
            0111 8003 00000000  // OP_REQ_IMPORT
            31 2d 31 00*29      // busid
            """)
        #expect(OpMessage.importRequest(busID: "1-1") == bytes)
        #expect(OpMessage.busID(inImportBody: bytes[8...]) == "1-1")
    }

    @Test("an import's answer is the header and the device without interfaces")
    func importReply() throws {
        let bytes = try hex("0111 0003 00000000") + hex(Self.recordHex)
        #expect(OpMessage.importReply(Self.record) == bytes)
        #expect(bytes.count == 320)
        #expect(DeviceRecord(parsing: bytes[8...]) == Self.record)
    }

    @Test(
        "a failed import is a bare header",
        arguments: [
            (.ok, 0), (.notAvailable, 1), (.deviceBusy, 2), (.deviceError, 3), (.noDevice, 4), (.error, 5),
        ] as [(OpStatus, UInt8)])
    func failedImport(status: OpStatus, code: UInt8) throws {
        #expect(try OpHeader(.importReply, status).bytes == hex("0111 0003 000000") + [code])
    }

    @Test("headers keep what they do not know", arguments: 1...20 as ClosedRange<UInt64>)
    func headerRoundTrip(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let bytes = random.bytes(8)
        #expect(OpHeader(parsing: bytes)?.bytes == bytes)
        #expect(OpHeader(parsing: bytes.dropLast(1 + random.below(8))) == nil)
    }

    @Test("device records survive the wire", arguments: 1...50 as ClosedRange<UInt64>)
    func recordRoundTrip(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let letters = Array("0123456789abcXYZ.:_-é日🔌")
        func text(_ bytes: Int) -> String {
            var text = ""
            while let letter = letters.randomElement(using: &random), text.utf8.count + letter.utf8.count <= bytes {
                text.append(letter)
            }
            return text
        }
        let record = DeviceRecord(
            path: text(random.below(256)), busID: text(random.below(32)), busNumber: random.any(),
            deviceNumber: random.any(), speed: random.any(), vendorID: random.any(), productID: random.any(),
            release: random.any(), deviceClass: ClassRecord(random.any(), random.any(), random.any()),
            configurationValue: random.any(), configurationCount: random.any(), interfaceCount: random.any())
        #expect(record.bytes.count == DeviceRecord.size)
        #expect(DeviceRecord(parsing: record.bytes) == record)
        #expect(DeviceRecord(parsing: record.bytes.dropLast()) == nil)
    }

    @Test("the device id has the bus in its high half and the device in its low half")
    func deviceID() {
        #expect(Self.record.deviceID == 0x0001_0002)
    }

    // MARK: Strings

    @Test("a string of 31 bytes fits, and longer ones are cut between characters")
    func longStrings() {
        let exact = String(repeating: "x", count: 31)
        #expect(OpMessage.busID(inImportBody: OpMessage.importRequest(busID: exact)[8...]) == exact)
        let long = OpMessage.importRequest(busID: exact + "yz")
        #expect(long.count == 40 && OpMessage.busID(inImportBody: long[8...]) == exact)
        // Thirty bytes, then a character of two: half a character would make the whole record unreadable.
        let split = OpMessage.importRequest(busID: String(repeating: "x", count: 30) + "é")
        #expect(OpMessage.busID(inImportBody: split[8...]) == String(repeating: "x", count: 30))
    }

    @Test(
        "a bus id that is not one is none",
        arguments: [
            "31*32",  // not terminated
            "00*32",  // empty
            "31 2d 31 00*28",  // cut
            "ff fe 00*30",  // not UTF-8
            "c3 00*31",  // a character cut in half
            "ed a0 80 00*29",  // a surrogate
            "",
        ])
    func badBusIDs(text: String) throws {
        #expect(try OpMessage.busID(inImportBody: hex(text)) == nil)
    }

    @Test("what follows a string's end is ignored")
    func afterTheEnd() throws {
        #expect(try OpMessage.busID(inImportBody: hex("31 2d 31 00 ff*28")) == "1-1")
    }

    @Test("a device record with a string that is not terminated is none")
    func unterminatedRecord() throws {
        let good = try hex(Self.recordHex)
        #expect(DeviceRecord(parsing: [UInt8](repeating: 0x2f, count: 256) + good[256...]) == nil)
        #expect(DeviceRecord(parsing: good[..<256] + [UInt8](repeating: 0x31, count: 32) + good[288...]) == nil)
    }
}
