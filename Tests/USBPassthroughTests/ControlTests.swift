import DirectHost
import Testing
import USBCore
import USBDeviceKit

@testable import USBPassthrough

@Suite("Requests that reach the device")
struct ControlTests {
    @Test("a request's setup packet and data reach the device as they are, and its answer the host")
    func passedOn() throws {
        let bench = try Bench { $0.control = { .completed($0.setup?.direction == .in ? [1, 2, 3] : []) } }
        let read = bench.control(.vendorIn(64))
        #expect(read?.status == .success && read?.data == [1, 2, 3])
        let written = bench.control(.vendorOut(4), [9, 8, 7, 6])
        #expect(written?.status == .success && written?.actualLength == 4)
        #expect(bench.control(.vendorOut(0))?.status == .success)
        // A request that asks for no bytes is OUT for Linux, whatever it says of itself.
        #expect(bench.control(.vendorIn(0))?.status == .success)
        bench.finish()
    }

    @Test("setup packet and data as libusb gets them")
    func submitted() throws {
        let bench = try Bench { $0.control = { _ in nil } }
        bench.on { host in
            host.submitControl(.vendorOut(3), [7, 8, 9])
            host.submitControl(.vendorIn(5))
        }
        #expect(bench.fake.inFlight.map(\.setup) == [.vendorOut(3), .vendorIn(5)])
        #expect(bench.fake.inFlight.map(\.sent) == [[7, 8, 9], []])
        #expect(bench.fake.inFlight.allSatisfy { $0.timeout == 0 && $0.type == .control })
        bench.finish()
    }

    @Test("descriptors are the device's own bytes")
    func descriptors() throws {
        let bench = try Bench()
        let device = try #require(bench.fake.device(bench.path))
        let setup = SetupPacket(requestType: 0x80, request: 6, value: 0x0100, length: 64)
        let answer = bench.control(setup)
        #expect(answer?.data.count == 18 && answer?.data.prefix(2) == [18, 1])
        #expect(answer?.data[8...11] == [0x09, 0x12, 0x01, 0x00])
        let whole = SetupPacket(requestType: 0x80, request: 6, value: 0x0201, length: 4096)
        let expected = device.standardAnswer(
            FakeTransfer(
                number: 0, endpoint: .in(0), type: .control, length: 4096, flags: 0, timeout: 0, setup: whole,
                sent: [], packets: [])
        ).data
        #expect(bench.control(whole)?.data == expected && !expected.isEmpty)
        bench.finish()
    }

    @Test("a device that answers more than it was asked for is cut to the host's room")
    func babble() throws {
        let bench = try Bench { $0.control = { _ in .completed([UInt8](repeating: 1, count: 64)) } }
        let id = bench.on { $0.submitControl(.vendorIn(64), room: 8) }
        #expect(bench.outcome(id)?.actualLength == 8)
        bench.finish()
    }

    // MARK: More than libusb carries

    @Test("a host that asks for more than 4096 bytes gets what there is, if it is less", arguments: [4097, 65535])
    func longRead(length: UInt16) throws {
        let bench = try Bench { $0.control = { .completed([UInt8](repeating: 7, count: min(4095, $0.length))) } }
        let answer = bench.control(.vendorIn(length))
        #expect(answer?.status == .success && answer?.data.count == 4095)
        bench.finish()
    }

    @Test("4096 bytes can be asked for and had")
    func longestRead() throws {
        let bench = try Bench { $0.control = { .completed([UInt8](repeating: 7, count: $0.length)) } }
        let answer = bench.control(.vendorIn(4096))
        #expect(answer?.status == .success && answer?.data.count == 4096)
        bench.finish()
    }

    @Test("an answer that may be longer than 4096 bytes is no answer")
    func tooLongRead() throws {
        let bench = try Bench { $0.control = { .completed([UInt8](repeating: 7, count: $0.length)) } }
        let answer = bench.control(.vendorIn(5000))
        #expect(answer?.status == .invalid && answer?.actualLength == 0)
        bench.finish()
    }

    @Test("a failed request for much says how it failed")
    func failedLongRead() throws {
        let bench = try Bench { $0.control = { _ in .failed(.stall) } }
        #expect(bench.control(.vendorIn(5000))?.status == .stalled)
        bench.finish()
    }

    @Test("4096 bytes can be sent, more are refused and the device sees nothing of them")
    func longWrite() throws {
        let bench = try Bench { $0.control = { _ in .completed() } }
        let bytes = (0..<4096).map { UInt8(truncatingIfNeeded: $0) }
        let answer = bench.control(.vendorOut(4096), bytes)
        #expect(answer?.status == .success && answer?.actualLength == 4096)
        #expect(bench.control(.vendorOut(4097), bytes + [0])?.status == .invalid)
        #expect(bench.fake.count(.submit) == 1)
        bench.finish()
    }

    // MARK: Hostile hosts

    @Test("a data stage shorter than the setup packet says is refused: the rest would be somebody's memory")
    func shortWrite() throws {
        let bench = try Bench { $0.control = { _ in .completed() } }
        let short = bench.on { $0.submitControl(.vendorOut(64), [1, 2], room: 2) }
        #expect(bench.outcome(short)?.status == .invalid)
        // The client says that it reads, the setup packet that it writes.
        let reversed = bench.on { $0.submitControl(.vendorOut(64), room: 64, direction: .in) }
        #expect(bench.outcome(reversed)?.status == .invalid)
        #expect(bench.fake.count(.submit) == 0)
        bench.finish()
    }

    @Test("a request to read in a transfer that writes brings no bytes, and does no harm")
    func reversedRead() throws {
        let bench = try Bench { $0.control = { .completed([UInt8](repeating: 7, count: $0.length)) } }
        let id = bench.on { $0.submitControl(.vendorIn(64), [1, 2, 3], room: 3, direction: .out) }
        #expect(bench.outcome(id) != nil)
        bench.finish()
    }

    @Test("data beyond what the setup packet says stays here")
    func longPayload() throws {
        let bench = try Bench { $0.control = { _ in nil } }
        bench.on { _ = $0.submitControl(.vendorOut(2), [1, 2, 3, 4], room: 4) }
        #expect(bench.fake.inFlight.map(\.sent) == [[1, 2]])
        bench.finish()
    }
}
