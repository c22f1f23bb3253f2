import DirectHost
import Testing
import USBCore
import USBDeviceKit
import USBGadgetZero

@Suite("Vendor requests 5b and 5c")
struct VendorRequestTests {
    static let gadgets: [@Sendable () throws -> ZeroHost] = [
        { try ZeroHost() }, { try ZeroHost.loopback() }, { try ZeroHost(EchoGadget(), configuration: 1) },
    ]

    @Test("what was written is read back, whatever its length", arguments: gadgets)
    func roundTrip(_ make: @Sendable () throws -> ZeroHost) throws {
        let host = try make().host
        for length in [1, 8, 63, 64, 65, 511, 512, 513, 4_096, 65_535, 0, 3] {
            let bytes = numbered(length, from: length)
            let write = try #require(host.control(.write(length), bytes))
            #expect(write.status == .success && write.actualLength == length)
            #expect(host.control(.read(length))?.data == bytes, "\(length) bytes")
        }
        #expect(host.violations.isEmpty)
    }

    @Test("a read is as short as what was written, and cut to what was asked for")
    func lengths() throws {
        let host = try ZeroHost().host
        #expect(host.control(.read(64))?.data == [], "nothing was written")
        host.control(.write(5), [1, 2, 3, 4, 5])
        let long = try #require(host.control(.read(64)))
        #expect(long.status == .success && long.data == [1, 2, 3, 4, 5])
        let short = try #require(host.control(.read(2)))
        #expect(short.status == .success && short.data == [1, 2])
        #expect(host.control(.read(0))?.status == .success)
    }

    @Test(
        "wrong fields are stalled and leave the bytes as they are",
        arguments: [
            SetupPacket(requestType: 0x40, request: 0x5b, value: 1, length: 1),
            .init(requestType: 0x40, request: 0x5b, index: 1, length: 1),
            .init(requestType: 0x41, request: 0x5b, length: 1), .init(requestType: 0x20, request: 0x5b, length: 1),
            .init(requestType: 0xc0, request: 0x5b, length: 1), .init(requestType: 0x40, request: 0x5c, length: 1),
            .init(requestType: 0xc0, request: 0x5c, value: 1, length: 1),
            .init(requestType: 0xc0, request: 0x5c, index: 0x8000, length: 1),
            .init(requestType: 0xc1, request: 0x5c, length: 1), .init(requestType: 0xc0, request: 0x5a, length: 1),
            .init(requestType: 0xc0, request: 0x01, value: 1, index: 2, length: 255),
            .init(requestType: 0xc0, request: 0x02, index: 7, length: 255),
            .init(requestType: 0xc0, request: 0x5d, length: 8),
        ])
    func wrongFields(_ setup: SetupPacket) throws {
        let host = try ZeroHost().host
        host.control(.write(2), [8, 9])
        #expect(host.control(setup, setup.direction == .out ? [0] : [])?.status == .stalled)
        #expect(host.control(.read(9))?.data == [8, 9])
    }

    @Test("a client whose buffer and wLength differ gets and sets no more than either")
    func contradictions() throws {
        let host = try ZeroHost().host
        host.submitControl(.write(65_535), [1, 2, 3])
        #expect(host.control(.read(9))?.data == [1, 2, 3], "fewer bytes than wLength")
        host.submitControl(.write(2), [4, 5, 6, 7])
        #expect(host.control(.read(9))?.data == [4, 5], "more bytes than wLength")
        let read = host.submitControl(.read(1), room: 4_096)
        #expect(host.outcome(read)?.data == [4])
        for direction in [Direction.in, .out] {
            host.submitControl(.read(64), room: 64, direction: direction)
            host.submitControl(.write(64), room: 64, direction: direction)
            host.submitControl(.read(64), room: 0, direction: direction)
            host.submitControl(.write(64), room: 0, direction: direction)
        }
        #expect(host.violations.isEmpty && host.waiting.isEmpty)
    }

    @Test("a reset forgets what was written")
    func reset() throws {
        let zero = try ZeroHost()
        zero.host.control(.write(1), [1])
        zero.device.reset(.port)
        #expect(zero.host.control(.read(1))?.data == [])
    }
}
