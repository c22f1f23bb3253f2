import DirectHost
import Testing
import USBCore

@testable import USBDeviceKit

@Suite("GET_DESCRIPTOR (USB 2.0 §9.4.3)")
struct DescriptorRequestTests {
    @Test("the device descriptor is the description's, in every state", arguments: Speed.all, DeviceState.allCases)
    func device(speed: Speed, state: DeviceState) throws {
        let bench = try Bench(speed, in: state)
        let bytes = bench.host.answer(.getDescriptor(.device))
        #expect(bytes == bench.gadget.description.deviceDescriptorBytes)
        #expect(bytes?.count == 18 && bytes?.first == 18)
    }

    @Test("an answer is cut to wLength and to the client's buffer, whichever is less")
    func truncation() throws {
        let bench = try Bench()
        let whole = bench.gadget.description.deviceDescriptorBytes
        for length in [0, 1, 8, 17, 18, 64, 65_535] {
            let answer = bench.host.answer(.getDescriptor(.device, length: UInt16(length)))
            #expect(answer == Array(whole.prefix(length)), "wLength \(length)")
        }
        let small = bench.host.submitControl(.getDescriptor(.device, length: 18), room: 5)
        #expect(bench.host.outcome(small)?.data == Array(whole.prefix(5)))
        let large = bench.host.submitControl(.getDescriptor(.device, length: 5), room: 64)
        #expect(bench.host.outcome(large)?.data == Array(whole.prefix(5)))
        #expect(bench.host.violations.isEmpty)
    }

    @Test("configurations go by index, not by value, and come whole", arguments: Speed.all)
    func configurations(speed: Speed) throws {
        let bench = try Bench(speed, in: .default)
        for index in 0..<2 {
            let bytes = try #require(bench.host.answer(.getDescriptor(.configuration, UInt8(index))))
            #expect(bytes == bench.gadget.description.configurationBytes(index: index))
            #expect(Int(bytes[2]) | Int(bytes[3]) << 8 == bytes.count, "wTotalLength")
            #expect(bytes[7] & 0x9f == 0x80, "bmAttributes: bit 7 set, bits 4:0 clear")
        }
        #expect(bench.host.refuses(.getDescriptor(.configuration, 2)))
        #expect(bench.host.refuses(.getDescriptor(.configuration, 255)))
    }

    @Test("a high-speed device tells what it would be at full speed")
    func otherSpeed() throws {
        let bench = try Bench(.high, in: .default)
        let qualifier = try #require(bench.host.answer(.getDescriptor(.deviceQualifier)))
        #expect(qualifier.count == 10 && qualifier[1] == 6 && qualifier[8] == 2)
        let other = try #require(bench.host.answer(.getDescriptor(.otherSpeedConfiguration)))
        #expect(other[1] == 7 && other == bench.gadget.description.otherSpeedConfigurationBytes(index: 0))
        #expect(bench.host.refuses(.getDescriptor(.otherSpeedConfiguration, 2)))
    }

    @Test("a device with one speed refuses qualifier and other speed", arguments: [Speed.full, .super, .superPlus])
    func oneSpeed(speed: Speed) throws {
        let bench = try Bench(speed, in: .default)
        #expect(bench.host.refuses(.getDescriptor(.deviceQualifier)))
        #expect(bench.host.refuses(.getDescriptor(.otherSpeedConfiguration)))
    }

    @Test("a full-speed device that could run at high speed says so")
    func fullSpeedOfTwo() throws {
        let bench = try Bench(SampleGadget(.full, offersOtherSpeed: true))
        #expect(bench.host.answer(.getDescriptor(.deviceQualifier))?.count == 10)
        #expect(bench.host.answer(.getDescriptor(.otherSpeedConfiguration))?[1] == 7)
    }

    @Test("the capabilities are there at SuperSpeed, and elsewhere only when declared")
    func capabilities() throws {
        for speed in [Speed.super, .superPlus] {
            let bench = try Bench(speed, in: .default)
            let head = try #require(bench.host.answer(.getDescriptor(.bos, length: 5)))
            let whole = try #require(bench.host.answer(.getDescriptor(.bos)))
            #expect(head == Array(whole.prefix(5)) && whole[0] == 5 && whole[1] == 15)
            #expect(Int(whole[2]) | Int(whole[3]) << 8 == whole.count)
        }
        let plain = try Bench(.high, in: .default)
        let version = try #require(plain.host.answer(.getDescriptor(.device)))
        #expect(version[3] == 2 && version[2] == 0, "bcdUSB 0200 promises no BOS")
        #expect(plain.host.refuses(.getDescriptor(.bos)))

        let declared = try Bench(SampleGadget(.high, bos: [.usb2Extension(attributes: 2)]))
        let declaredVersion = try #require(declared.host.answer(.getDescriptor(.device)))
        #expect(declaredVersion[3] == 2 && declaredVersion[2] >= 1)
        #expect(declared.host.answer(.getDescriptor(.bos))?[1] == 15)
    }

    @Test("strings go by index and language; index 0 lists the languages")
    func strings() throws {
        let host = try Bench().host
        #expect(host.answer(.getDescriptor(.string)) == [4, 3, 0x09, 0x04])
        #expect(host.answer(.getDescriptor(.string, 0, language: 0x0409, length: 255)) == [4, 3, 0x09, 0x04])
        let sample: [UInt8] = [14, 3] + "Sample".utf8.flatMap { [$0, 0] }
        #expect(host.answer(.getDescriptor(.string, 2, language: 0x0409)) == sample)
        #expect(host.answer(.getDescriptor(.string, 2, language: 0x0409, length: 2)) == [14, 3])
        #expect(host.refuses(.getDescriptor(.string, 2, language: 0x0407)), "no German")
        #expect(host.refuses(.getDescriptor(.string, 3, language: 0x0409)))
        #expect(host.refuses(.getDescriptor(.string, 0xee, language: 0)), "no Microsoft OS string")
    }

    @Test("a device without strings refuses even the list of languages (USB 2.0 §9.6.7)")
    func noStrings() throws {
        let host = try Bench(SampleGadget(hasStrings: false)).host
        #expect(host.refuses(.getDescriptor(.string)))
        #expect(host.refuses(.getDescriptor(.string, 1, language: 0x0409)))
    }

    @Test(
        "interface and endpoint descriptors cannot be asked for alone, nor can what chapter 9 does not know",
        arguments: [0, 4, 5, 8, 9, 10, 11, 12, 13, 14] as [UInt8], DeviceState.allCases)
    func unknownTypes(type: UInt8, state: DeviceState) throws {
        let host = try Bench(.high, in: state).host
        #expect(host.refuses(.getDescriptor(DescriptorType(rawValue: type))))
    }

    @Test("class descriptors are the gadget's to answer")
    func classDescriptors() throws {
        let host = try Bench(configuration: 1).host
        let report = SetupPacket(requestType: 0x81, request: 6, value: 0x2200, length: 40)
        #expect(host.answer(report) == [UInt8](0..<40))
        #expect(host.answer(.getDescriptor(DescriptorType(rawValue: 0x22), length: 7)) == [UInt8](0..<7))
        #expect(host.refuses(.getDescriptor(DescriptorType(rawValue: 0x23))))
    }

    @Test("SET_DESCRIPTOR is refused (USB 2.0 §9.4.8)", arguments: DeviceState.allCases)
    func setDescriptor(state: DeviceState) throws {
        let host = try Bench(.high, in: state).host
        #expect(host.refuses(.init(requestType: 0x00, request: 7, value: 0x0300, length: 4), [4, 3, 9, 4]))
    }
}

extension Speed {
    /// The speeds at which the sample gadget can run.
    static let all: [Speed] = [.full, .high, .super, .superPlus]
}
