import DirectHost
import Testing
import USBCore

@testable import USBDeviceKit

@Suite("Pipes and queues")
struct PipeTests {
    private let bench: Bench
    private var host: DirectHost { bench.host }
    private var input: InPipe { bench.gadget.input }

    init() throws { bench = try Bench(configuration: 1) }

    @Test("IN transfers wait for data and are served first come, first served")
    func parking() {
        let ids = (0..<3).map { _ in host.submitIn(.in(1), 64) }
        #expect(host.waiting == ids)
        host.forget()
        for byte: UInt8 in 1...3 { #expect(input.send([byte])) }
        #expect(host.completions.map(\.id) == ids && host.completions.map(\.data) == [[1], [2], [3]])
    }

    @Test("data wait for transfers, in order, one piece for each; an empty piece is an empty packet")
    func queueing() {
        for piece: [UInt8] in [[1, 2], [], [3]] { #expect(input.send(piece)) }
        #expect(host.read(.in(1), 64)?.data == [1, 2])
        let empty = host.read(.in(1), 64)
        #expect(empty?.status == .success && empty?.actualLength == 0)
        #expect(host.read(.in(1), 64)?.data == [3])
        #expect(host.read(.in(1), 64) == nil)
    }

    @Test("a cancelled transfer leaves the line, wherever in it it stands", arguments: 0..<3)
    func cancel(place: Int) {
        var ids = (0..<3).map { _ in host.submitIn(.in(1), 64) }
        let cancelled = ids.remove(at: place)
        host.cancel(cancelled)
        #expect(host.outcome(cancelled)?.status == .cancelled && host.waiting == ids)
        host.forget()
        let last = host.submitIn(.in(1), 64)
        for byte: UInt8 in 1...3 { input.send([byte]) }
        #expect(host.completions.map(\.id) == ids + [last], "the others, then one that came after")
    }

    @Test("a pipe keeps a bounded number of empty packets, in order")
    func emptyPackets() {
        let pipe = InPipe(1)
        for _ in 0..<InPipe.maximumCount { #expect(pipe.send([])) }
        #expect(!pipe.send([]), "one more than \(InPipe.maximumCount)")
    }

    @Test("a pipe keeps what it has room for and refuses more")
    func capacity() {
        let events = bench.gadget.events
        #expect(events.capacity == 100)
        #expect(events.send([UInt8](repeating: 1, count: 60)) && !events.send([UInt8](repeating: 2, count: 41)))
        #expect(events.send([UInt8](repeating: 3, count: 40)) && !events.send([4]))
        #expect(host.read(.in(3), 64)?.data.first == 1)
        #expect(events.send([4]), "what was fetched has left room")
        #expect(host.read(.in(3), 64)?.data.first == 3 && host.read(.in(3), 64)?.data == [4])
    }

    @Test("a waiting transfer takes data of any size: the capacity is for those that wait")
    func pastCapacity() {
        let id = host.submitIn(.in(3), 500)
        #expect(bench.gadget.events.send([UInt8](repeating: 9, count: 300)))
        #expect(host.outcome(id)?.actualLength == 300)
    }

    @Test("more data than the host asked for is babble, with what fits")
    func babble() {
        input.send([1, 2, 3, 4])
        let outcome = host.read(.in(1), 3)
        #expect(outcome?.status == .overflow && outcome?.data == [1, 2, 3])
    }

    @Test("a pipe with a source fills every transfer at once")
    func source() {
        input.onRequest { room, output in
            for index in 0..<room { output.append(UInt8(truncatingIfNeeded: index)) }
        }
        #expect(host.read(.in(1), 300)?.data == (0..<300).map { UInt8(truncatingIfNeeded: $0) })
        input.onRequest { _, _ in }
        #expect(host.read(.in(1), 300)?.data == [] && host.read(.in(1), 0)?.status == .success)
        #expect(host.violations.isEmpty)
    }

    @Test("an OUT pipe lends each transfer and takes it whole, the empty one too")
    func output() {
        var received: [[UInt8]] = []
        bench.gadget.output.onReceive { bytes in received.append([UInt8](copying: bytes)) }
        for bytes: [UInt8] in [[1, 2, 3], [], [UInt8](repeating: 5, count: 70_000)] {
            let outcome = host.write(.out(1), bytes)
            #expect(outcome?.status == .success && outcome?.actualLength == bytes.count)
        }
        #expect(received.map(\.count) == [3, 0, 70_000] && received[0] == [1, 2, 3])
    }

    @Test("halting a pipe drops what it had to say")
    func haltDropsData() {
        input.send([1])
        #expect(host.accepts(.halt(.in(1))) && host.accepts(.clearHalt(.in(1))))
        #expect(host.read(.in(1), 64) == nil)
    }
}

@Suite("A transfer is answered exactly once")
struct OwnershipTests {
    /// Does with each transfer what it is told.
    private final class Keeper: USBDevice {
        var queue = URBQueue()
        var isDropping = false
        let identity = DeviceIdentity(
            speed: .high, vendorID: 1, productID: 2, release: 0, deviceClass: .init(0, 0, 0), configurationValue: 0,
            configurationCount: 1, interfaces: [], name: "")

        func attach(to port: any DevicePort) {}
        func connect() {}
        func disconnect() { queue.completeAll(.shutdown) }
        func transferType(of endpoint: EndpointAddress) -> TransferType? { .bulk }
        func schedule(of endpoint: EndpointAddress) -> PeriodicSchedule? { nil }

        func submit(_ urb: consuming URB) {
            if isDropping { return }
            queue.append(urb)
        }

        func cancel(_ id: URB.ID) {
            guard let urb = queue.remove(id) else { return }
            urb.complete(.cancelled)
        }

        func reset(_ cause: ResetCause) {}
        func landing(for endpoint: EndpointAddress, count: Int) -> UnsafeMutableRawBufferPointer? { nil }
    }

    private let device = Keeper()
    private let host: DirectHost

    init() { host = DirectHost(device) }

    @Test("one that is dropped is abandoned, and says so")
    func dropped() {
        device.isDropping = true
        #expect(host.read(.in(1), 64)?.status == .abandoned)
        #expect(host.write(.out(1), [1, 2])?.status == .abandoned)
        #expect(host.completions.allSatisfy { $0.actualLength == 0 } && host.violations.isEmpty)
    }

    @Test("a queue that goes abandons all it holds, oldest first")
    func queueGoes() {
        let ids = (0..<4).map { _ in host.submitIn(.in(1), 8) }
        device.queue = URBQueue()
        #expect(host.completions.map(\.id) == ids && host.completions.allSatisfy { $0.status == .abandoned })
        #expect(host.violations.isEmpty)
    }

    @Test("a queue is first in, first out, and tells what waits longest")
    func order() {
        #expect(device.queue.isEmpty && device.queue.firstRequestedLength == nil)
        let ids = [5, 6, 7].map { host.submitIn(.in(1), $0) }
        #expect(!device.queue.isEmpty && device.queue.firstRequestedLength == 5)
        while let urb = device.queue.popFirst() { urb.complete() }
        #expect(host.completions.map(\.id) == ids && device.queue.isEmpty)
        host.submitIn(.in(1), 9)
        #expect(device.queue.firstRequestedLength == 9, "an emptied queue can be filled again")
        device.queue.completeAll(.stalled)
        #expect(host.completions.last?.status == .stalled && device.queue.isEmpty)
    }

    @Test(
        "taking any subset out of a queue, in any order, leaves the rest in order", arguments: 0..<50 as Range<UInt64>)
    func removal(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var left = (0..<12).map { _ in host.submitIn(.in(1), 8) }
        for _ in 0..<Int.random(in: 0...12, using: &generator) {
            guard let id = left.randomElement(using: &generator) else { break }
            left.removeAll { $0 == id }
            host.cancel(id)
            #expect(host.outcome(id)?.status == .cancelled)
        }
        left.append(host.submitIn(.in(1), 8))
        host.forget()
        device.queue.completeAll(.success)
        #expect(host.completions.map(\.id) == left && host.violations.isEmpty)
    }

    @Test("decorators get a transfer back before the host, the innermost first")
    func interception() {
        final class Layer: URBSink {
            let name: String
            let note: (String) -> Void
            init(_ name: String, note: @escaping (String) -> Void) { (self.name, self.note) = (name, note) }

            func completed(_ urb: consuming URB) {
                note(name)
                urb.giveBack()
            }
        }
        var order: [String] = []
        let outer = Layer("outer") { order.append($0) }
        let inner = Layer("inner") { order.append($0) }
        let id = host.submitIn(.in(1), 8)
        if let urb = device.queue.popFirst() {
            urb.intercept(outer)
            urb.intercept(inner)
            urb.complete(copying: [7])
        }
        #expect(order == ["inner", "outer"] && host.outcome(id)?.data == [7])
        withExtendedLifetime((outer, inner)) {}
    }
}

@Suite("Pipes of isochronous endpoints")
struct IsochronousPipeTests {
    private final class Stream: Gadget {
        let description = DeviceDescription(speed: .full, vendorID: 0x1209, productID: 1) {
            Configuration {
                Interface(0, class: .vendorSpecific) {
                    Endpoint(.in(1), .isochronous, maxPacketSize: 8, interval: 1)
                    Endpoint(.out(2), .isochronous, maxPacketSize: 8, interval: 1)
                }
            }
        }
        let input = InPipe(1)
        let output = OutPipe(2)
        var endpoints: [any EndpointHandler] { [input, output] }
    }

    private let gadget = Stream()
    private let host: DirectHost

    init() throws {
        host = DirectHost(try GadgetDevice(gadget))
        #expect(host.control(.setConfiguration(1))?.status == .success)
        host.forget()
    }

    @Test("each packet takes one message, is empty when there is none, and says so when it is too small")
    func input() throws {
        gadget.input.send([1, 2, 3])
        gadget.input.send([UInt8](0..<9))
        gadget.input.send([])
        gadget.input.send([4])
        let id = host.submitIsochronous(.in(1), packets: 5, of: 8)
        let completion = try #require(host.outcome(id))
        #expect(completion.packets.map(\.actualLength) == [3, 8, 0, 1, 0])
        #expect(completion.packets.map(\.status) == [.success, .overflow, .success, .success, .success])
        #expect(completion.data == [1, 2, 3] + [UInt8](0..<8) + [4])
        #expect(host.violations == [])
    }

    @Test("a source fills each packet for itself")
    func source() throws {
        gadget.input.onRequest { room, output in for index in 0..<room / 2 { output.append(UInt8(index)) } }
        let completion = try #require(host.outcome(host.submitIsochronous(.in(1), packets: 2, of: 6)))
        #expect(completion.data == [0, 1, 2, 0, 1, 2])
    }

    @Test("what the host sends is handed on packet by packet")
    func output() throws {
        var received: [[UInt8]] = []
        gadget.output.onReceive { received.append([UInt8](copying: $0)) }
        let id = host.submitIsochronous(.out(2), packets: 3, of: 2, [1, 2, 3, 4, 5, 6])
        #expect(host.outcome(id)?.actualLength == 6)
        #expect(received == [[1, 2], [3, 4], [5, 6]])
    }

    @Test("packets that share bytes of the host's buffer get what room there is")
    func overlappingPackets() throws {
        gadget.input.send([1, 2, 3, 4])
        gadget.input.send([5, 6, 7, 8])
        let completion = try #require(
            host.outcome(host.submitIsochronous(.in(1), packets: 2, of: 4, sharing: true)))
        #expect(completion.data == [1, 2, 3, 4])
        #expect(completion.packets.map(\.actualLength) == [4, 0])
        #expect(completion.packets.map(\.status) == [.success, .overflow])
    }
}
