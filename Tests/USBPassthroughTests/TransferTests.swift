import CLibUSB
import DirectHost
import Testing
import USBCore
import USBDeviceKit

@testable import USBPassthrough

@Suite("Bulk and interrupt transfers")
struct TransferTests {
    @Test("bytes reach the host as the device sent them, short or whole", arguments: [EndpointAddress.in(1), .in(2)])
    func reading(endpoint: EndpointAddress) throws {
        let bench = try Bench()
        for count in [0, 1, 7, 512, 4096] {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) }
            let answer = bench.read(endpoint, 4096, .completed(bytes))
            #expect(answer?.status == .success && answer?.data == bytes)
        }
        bench.finish()
    }

    @Test("bytes reach the device as the host sent them", arguments: [EndpointAddress.out(1), .out(2)], [false, true])
    func writing(endpoint: EndpointAddress, landing: Bool) throws {
        let bench = try Bench()
        bench.on { $0.usesLanding = landing }
        for count in [0, 1, 512, 70_000] {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 3) }
            let id = bench.on { $0.submitOut(endpoint, bytes) }
            #expect(bench.fake.arrivals(on: endpoint).first?.sent == bytes)
            bench.fake.finish(endpoint, .completed())
            let answer = bench.outcome(id)
            #expect(answer?.status == .success && answer?.actualLength == count)
        }
        bench.finish()
    }

    @Test("large buffers are shared with the kernel, up to a limit, and freed at the end", arguments: [true, false])
    func sharing(isSharing: Bool) throws {
        let bench = try Bench()
        bench.fake.monitor.withLock { bench.fake.isSharing = isSharing }
        let ids = bench.on { host in (0..<6).map { _ in host.submitIn(.in(1), 1 << 20) } }
        let shared = bench.fake.monitor.withLock { bench.fake.shared }
        // Elsewhere the processor may read it slowly.
        #if arch(x86_64)
            #expect(shared.values.sorted() == (isSharing ? Array(repeating: 1 << 20, count: 4) : []))
        #endif
        let bytes = [UInt8](repeating: 0x5a, count: 1 << 20)
        for id in ids {
            bench.fake.finish(.in(1), .completed(bytes))
            #expect(bench.outcome(id)?.data == bytes)
        }
        // Another large one finds one of them.
        #expect(bench.read(.in(1), 1 << 20, .completed(bytes))?.data == bytes)
        #expect(bench.fake.monitor.withLock { bench.fake.shared } == shared)
        bench.finish()
    }

    @Test("a transfer that the device took in part says how much")
    func partly() throws {
        let bench = try Bench()
        let answer = bench.write(.out(1), [1, 2, 3, 4], FakeOutcome(status: .stall, count: 3))
        #expect(answer?.status == .stalled && answer?.actualLength == 3)
        let read = bench.read(.in(1), 64, .failed(.error, [9, 8]))
        #expect(read?.status == .protocolError && read?.data == [9, 8])
        bench.finish()
    }

    @Test("what is submitted is of the endpoint's type, without a time limit or libusb's own freeing")
    func parameters() throws {
        let bench = try Bench()
        bench.on { host in
            for endpoint in [EndpointAddress.in(1), .in(2)] { host.submitIn(endpoint, 64) }
            for endpoint in [EndpointAddress.out(1), .out(2)] { host.submitOut(endpoint, [1, 2, 3]) }
        }
        #expect(bench.fake.inFlight.map(\.type) == [.bulk, .interrupt, .bulk, .interrupt])
        #expect(bench.fake.inFlight.map(\.endpoint) == [.in(1), .in(2), .out(1), .out(2)])
        #expect(bench.fake.inFlight.map(\.length) == [64, 64, 3, 3])
        #expect(bench.fake.inFlight.allSatisfy { $0.timeout == 0 && $0.flags == 0 })
        bench.finish()
    }

    @Test("any number can be in flight, in the order in which they came, and each gets its own bytes")
    func many() throws {
        let bench = try Bench()
        let count = 300
        let ids = bench.on { host in (0..<count).map { _ in host.submitIn(.in(1), 64) } }
        let flying = bench.fake.arrivals(on: .in(1), count)
        #expect(flying.count == count)
        // Last first, which only isolated devices do, but what if.
        for (index, transfer) in flying.enumerated().reversed() {
            bench.fake.finish(transfer.number, .completed([UInt8(index & 0xff), UInt8(index >> 8)]))
        }
        for (index, id) in ids.enumerated() {
            #expect(bench.outcome(id)?.data == [UInt8(index & 0xff), UInt8(index >> 8)])
        }
        bench.finish()
    }

    @Test("a device that answers at once, for a long time, needs no more transfers of libusb's than were in flight")
    func reuse() throws {
        let bench = try Bench { device in
            device.answer = { .completed([UInt8](repeating: 5, count: $0.length)) }
        }
        for _ in 0..<200 {
            let id = bench.on { $0.submitIn(.in(1), 1000) }
            #expect(bench.outcome(id)?.data.count == 1000)
        }
        #expect(bench.fake.count(.allocateTransfer) <= 2)
        bench.finish()
    }

    @Test("an endpoint that the selected settings do not have answers STALL, and nothing reaches libusb")
    func noEndpoint() throws {
        let bench = try Bench()
        for endpoint in [EndpointAddress.in(7), .out(3), .in(5), .in(3)] {
            #expect(bench.on { $0.device.transferType(of: endpoint) } == nil)
            let id = bench.on { host in
                endpoint.direction == .in ? host.submitIn(endpoint, 8) : host.submitOut(endpoint, [1])
            }
            #expect(bench.outcome(id)?.status == .stalled)
        }
        #expect(bench.fake.count(.submit) == 0)
        bench.finish()
    }

    @Test("hardware keeps time by itself")
    func schedule() throws {
        let bench = try Bench()
        #expect(bench.on { $0.device.schedule(of: .in(2)) } == nil)
        bench.finish()
    }

    @Test("a halted endpoint stalls until the halt is cleared")
    func halted() throws {
        let bench = try Bench()
        let waiting = bench.on { $0.submitIn(.in(1), 8) }
        _ = bench.fake.arrivals(on: .in(1))
        bench.fake.halt(.in(1), of: bench.path)
        #expect(bench.outcome(waiting)?.status == .stalled)
        #expect(bench.outcome(bench.on { $0.submitIn(.in(1), 8) })?.status == .stalled)
        #expect(bench.control(.clearHalt(.in(1)))?.status == .success)
        #expect(bench.read(.in(1), 8, .completed([1]))?.status == .success)
        bench.finish()
    }

    @Test("libusb without memory for a transfer: ENOMEM")
    func noTransfer() throws {
        let bench = try Bench()
        bench.fake.fail(.allocateTransfer, .noMemory)
        #expect(bench.outcome(bench.on { $0.submitIn(.in(1), 8) })?.status == .outOfMemory)
        #expect(bench.read(.in(1), 8, .completed([1]))?.status == .success)
        bench.finish()
    }
}

@Suite("Statuses: what libusb says, and what the host is told")
struct StatusTests {
    @Test(
        "of a transfer that has ended",
        arguments: [
            (FakeOutcome.Status.completed, 0 as Int32), (.error, -71), (.timedOut, -110), (.stall, -32),
            (.noDevice, -108), (.overflow, -75),
        ],
        [EndpointAddress.in(1), .out(1), .in(2), .out(2)])
    func ended(row: (status: FakeOutcome.Status, errno: Int32), endpoint: EndpointAddress) throws {
        let bench = try Bench()
        let answer =
            endpoint.direction == .in
            ? bench.read(endpoint, 64, .failed(row.status)) : bench.write(endpoint, [1], .failed(row.status))
        #expect(answer?.status.rawValue == row.errno)
        bench.finish()
    }

    @Test(
        "of a request that has ended",
        arguments: [
            (FakeOutcome.Status.completed, 0 as Int32), (.error, -71), (.timedOut, -110), (.stall, -32),
            (.noDevice, -108), (.overflow, -75),
        ], [SetupPacket.vendorIn(8), .vendorOut(0)])
    func requestEnded(row: (status: FakeOutcome.Status, errno: Int32), setup: SetupPacket) throws {
        let bench = try Bench { $0.control = { _ in .failed(row.status) } }
        #expect(bench.control(setup)?.status.rawValue == row.errno)
        bench.finish()
    }

    /// Libusb's errors as the answers to a submission; out of memory is a matter of its own.
    static let refusals: [(LibUSBError, Int32)] = [
        (.io, -71), (.invalidParameter, -22), (.access, -19), (.noDevice, -19), (.notFound, -19), (.busy, -16),
        (.timeout, -110), (.overflow, -75), (.pipe, -32), (.interrupted, -71), (.noMemory, -12),
        (.notSupported, -22), (.other, -71), (LibUSBError(rawValue: -42), -71),
    ]

    @Test("of a transfer that libusb refuses", arguments: refusals)
    func refused(error: LibUSBError, errno: Int32) throws {
        let bench = try Bench()
        bench.fake.fail(.submit, error)
        let id = bench.on { $0.submitIn(.in(1), 64) }
        let answer = bench.outcome(id)
        #expect(answer?.status.rawValue == errno && answer?.actualLength == 0)
        bench.finish()
    }

    @Test(
        "of a request that libusb, or the system under it, refuses: what is not there is a STALL",
        arguments: refusals.map { row in
            ([.io, .invalidParameter, .notFound, .other] as [LibUSBError]).contains(row.0) ? (row.0, -32) : row
        })
    func requestRefused(error: LibUSBError, errno: Int32) throws {
        let bench = try Bench()
        bench.fake.fail(.submit, error)
        #expect(bench.control(.vendorIn(8))?.status.rawValue == errno)
        bench.finish()
    }

    @Test(
        "of a request that is a call: what the device does not have is a STALL",
        arguments: [
            (LibUSBError.io, -32 as Int32), (.invalidParameter, -32), (.access, -19), (.noDevice, -19),
            (.notFound, -32), (.busy, -16), (.timeout, -110), (.overflow, -75), (.pipe, -32), (.noMemory, -12),
            (.notSupported, -22), (.other, -32),
        ])
    func callRefused(error: LibUSBError, errno: Int32) throws {
        let bench = try Bench()
        bench.fake.fail(.clearHalt, error)
        #expect(bench.control(.clearHalt(.in(1)))?.status.rawValue == errno)
        bench.fake.fail(.setAlternate, error)
        #expect(bench.control(.setInterface(0, alternate: 1))?.status.rawValue == errno)
        bench.finish()
    }

    @Test("of a packet: a failed one was missed")
    func packets() {
        let told = FakeOutcome.Status.allCases.map { status in
            TransferStatus(packet: libusb_transfer_status(rawValue: status.rawValue)).rawValue
        }
        #expect(told == [0, -18, -110, -104, -32, -108, -75])
    }

    @Test("a status that this libusb does not have yet is a protocol error")
    func unknown() {
        #expect(TransferStatus(completion: libusb_transfer_status(rawValue: 77)) == .protocolError)
    }
}
