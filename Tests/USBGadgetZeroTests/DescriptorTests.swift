import DirectHost
import Testing
import USBCore
import USBDeviceKit
import USBGadgetZero

@Suite("Gadget zero's descriptors")
struct DescriptorTests {
    static let speeds: [Speed] = [.full, .high, .super]

    /// Every shape that a speed allows, in steps.
    static func configurations(at speed: Speed) -> [ZeroGadget.Configuration] {
        var all: [ZeroGadget.Configuration] = []
        let bulkSizes: [UInt16?] = speed == .full ? [nil, 8, 16, 32, 64] : [nil, speed == .high ? 512 : 1_024]
        let bursts: [(burst: UInt8, mult: UInt8)] = speed == .super ? [(0, 0), (1, 0), (15, 2)] : [(0, 0)]
        let transactions: [UInt8] = speed == .high ? [1, 2, 3] : [1]
        for bulkSize in bulkSizes {
            for (burst, mult) in bursts {
                for count in transactions {
                    for interval in [1, 4, 16] as [UInt8] {
                        for isLoopbackFirst in [false, true] {
                            var configuration = ZeroGadget.Configuration()
                            configuration.speed = speed
                            configuration.beginsWithLoopback = isLoopbackFirst
                            configuration.bulk.packetSize = bulkSize
                            configuration.bulk.burst = burst
                            configuration.isochronous.packetSize = count == 1 && burst == 0 ? 200 : nil
                            configuration.isochronous.transactions = count
                            configuration.isochronous.burst = burst
                            configuration.isochronous.mult = mult
                            configuration.isochronous.interval = interval
                            configuration.interrupt.packetSize = speed == .full ? 64 : 1_024
                            configuration.interrupt.interval = interval
                            all.append(configuration)
                        }
                    }
                }
            }
        }
        return all + [ZeroGadget.Configuration()]
    }

    @Test("break no law, and are not unwise either, at any speed and in any shape", arguments: speeds)
    func lawful(speed: Speed) {
        for configuration in Self.configurations(at: speed) {
            #expect(ZeroGadget(configuration).description.validate().isEmpty, "\(configuration)")
        }
    }

    @Test("what the specification forbids is refused, not exported")
    func unlawful() {
        var configuration = ZeroGadget.Configuration()
        configuration.bulk.packetSize = 64
        #expect(throws: DescriptorError.self) { try GadgetDevice(ZeroGadget(configuration)) }
        configuration = ZeroGadget.Configuration()
        configuration.isochronous.transactions = 3
        configuration.isochronous.packetSize = 100
        #expect(throws: DescriptorError.self) { try GadgetDevice(ZeroGadget(configuration)) }
        for transactions in [0, 255] as [UInt8] {
            configuration.isochronous.packetSize = 0
            configuration.isochronous.transactions = transactions
            _ = ZeroGadget(configuration)
        }
    }

    @Test("are gadget zero's: vendor class, two configurations, source and sink first", arguments: speeds)
    func device(speed: Speed) throws {
        var configuration = ZeroGadget.Configuration()
        configuration.speed = speed
        let host = try ZeroHost(ZeroGadget(configuration), configuration: 3).host
        let device = try #require(host.control(.getDescriptor(.device))?.data)
        let version: [UInt8] = speed == .super ? [0x20, 0x03] : [0x00, 0x02]
        #expect(Array(device[2..<7]) == version + [0xff, 0, 0])
        #expect(Array(device[8..<12]) == [0x25, 0x05, 0xa0, 0xa4])
        #expect(device[17] == 2)
        let values = (0..<2).map { host.control(.getDescriptor(.configuration, UInt8($0)))?.data[5] }
        #expect(values == [3, 2])
    }

    @Test("at high speed, byte for byte")
    func highSpeed() throws {
        let host = try ZeroHost().host
        let bytes = try #require(host.control(.getDescriptor(.configuration))?.data)
        let bulk: [UInt8] = [7, 5, 0x81, 2, 0, 2, 0, 7, 5, 0x01, 2, 0, 2, 0]
        let expected: [UInt8] =
            [9, 4, 0, 0, 2, 0xff, 0, 0] + [bytes[17]] + bulk + [9, 4, 0, 1, 4, 0xff, 0, 0] + [bytes[40]] + bulk
            + [7, 5, 0x82, 1, 0, 4, 4, 7, 5, 0x02, 1, 0, 4, 4] + [9, 4, 0, 2, 4, 0xff, 0, 0] + [bytes[77]] + bulk
            + [7, 5, 0x83, 3, 64, 0, 4, 7, 5, 0x03, 3, 64, 0, 4]
        #expect(Array(bytes[..<6]) == [9, 2, 106, 0, 1, 3] && bytes.count == 106)
        #expect(bytes[7] == 0x80, "what usbtest's case 9 asks of the attributes: bit 7 set, bits 4:0 clear")
        #expect(Array(bytes[9...]) == expected)
        let loopback = try #require(host.control(.getDescriptor(.configuration, 1))?.data)
        #expect(Array(loopback[9..<17]) == [9, 4, 0, 0, 2, 0xff, 0, 0] && Array(loopback[18...]) == bulk)
    }

    @Test("at SuperSpeed with a companion behind each endpoint")
    func superSpeed() throws {
        var configuration = ZeroGadget.Configuration()
        configuration.speed = .super
        configuration.bulk.burst = 7
        configuration.isochronous.burst = 15
        configuration.isochronous.mult = 2
        let host = try ZeroHost(ZeroGadget(configuration), configuration: 3).host
        let bytes = try #require(host.control(.getDescriptor(.configuration))?.data)
        #expect(bytes.count == 9 + (9 + 26) + (9 + 52) + (9 + 52))
        #expect(Array(bytes[18..<31]) == [7, 5, 0x81, 2, 0, 4, 0, 6, 48, 7, 0, 0, 0])
        let isochronous = bytes[79..<92]
        #expect(Array(isochronous) == [7, 5, 0x82, 1, 0, 4, 4, 6, 48, 15, 2, 0, 0xc0], "49152 bytes in an interval")
        #expect(Array(bytes.suffix(13)) == [7, 5, 0x03, 3, 64, 0, 4, 6, 48, 0, 0, 64, 0])
    }

    @Test("a qualifier and the other speed's configurations at high speed, and only there", arguments: speeds)
    func otherSpeed(speed: Speed) throws {
        var configuration = ZeroGadget.Configuration()
        configuration.speed = speed
        configuration.interrupt.packetSize = speed == .full ? 64 : 512
        let host = try ZeroHost(ZeroGadget(configuration), configuration: 3).host
        let qualifier = host.control(.getDescriptor(.deviceQualifier))
        let other = host.control(.getDescriptor(.otherSpeedConfiguration))
        guard speed == .high else {
            #expect(qualifier?.status == .stalled && other?.status == .stalled)
            return
        }
        #expect(qualifier?.data == [10, 6, 0, 2, 0xff, 0, 0, 64, 2, 0])
        let bytes = try #require(other?.data)
        #expect(Array(bytes[..<6]) == [9, 7, 106, 0, 1, 3] && bytes[7] == 0x80)
        #expect(Array(bytes[18..<25]) == [7, 5, 0x81, 2, 64, 0, 0])
        #expect(Array(bytes[55..<62]) == [7, 5, 0x82, 1, 0xff, 3, 4], "1023 bytes, the most at full speed")
        #expect(Array(bytes[92..<99]) == [7, 5, 0x83, 3, 64, 0, 1], "64 bytes each millisecond")
        #expect(host.control(.getDescriptor(.otherSpeedConfiguration, 1))?.data[5] == 2)
    }

    @Test("a binary object store at SuperSpeed; below it usbtest's case 10 wants a STALL", arguments: speeds)
    func objectStore(speed: Speed) throws {
        var configuration = ZeroGadget.Configuration()
        configuration.speed = speed
        let host = try ZeroHost(ZeroGadget(configuration), configuration: 3).host
        let store = try #require(host.control(.getDescriptor(.bos)))
        guard speed == .super else {
            #expect(store.status == .stalled)
            return
        }
        #expect(Array(store.data[..<5]) == [5, 15, 22, 0, 2] && store.data.count == 22)
        #expect(Array(store.data[5..<12]) == [7, 16, 2, 2, 0, 0, 0])
        #expect(Array(store.data[12..<15]) == [10, 16, 3])
    }

    @Test("a serial number, and descriptors 4 and 5 stalled as usbtest's case 10 wants it")
    func rest() throws {
        let host = try ZeroHost().host
        let device = try #require(host.control(.getDescriptor(.device))?.data)
        let setup = SetupPacket(
            requestType: 0x80, request: 6, value: 0x0300 | UInt16(device[16]), index: 0x0409, length: 255)
        let text = try #require(host.control(setup)?.data.dropFirst(2))
        #expect(
            String(decoding: stride(from: 2, to: text.endIndex, by: 2).map { text[$0] }, as: UTF8.self)
                == "000000000001")
        #expect(host.control(.getDescriptor(.interface))?.status == .stalled)
        #expect(host.control(.getDescriptor(.endpoint))?.status == .stalled)
    }
}
