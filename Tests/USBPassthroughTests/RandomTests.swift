import DirectHost
import Testing
import USBCore
import USBDeviceKit

@testable import USBPassthrough

/// Everything that can happen, in any order.
///
/// A seed fixes the script; which thread is first is for the machine to say, as in life.
@Suite("Whatever happens")
struct RandomTests {
    @Test(
        "every transfer is answered once, with bytes that were its own, and all is given back in the end",
        arguments: 1...25 as ClosedRange<UInt64>)
    func everything(seed: UInt64) throws {
        let run = try RandomRun(seed: seed)
        for _ in 0..<400 { run.step() }
        run.end()
    }

    @Test("the same with a system that has little room for transfers", arguments: 101...110 as ClosedRange<UInt64>)
    func crowded(seed: UInt64) throws {
        let run = try RandomRun(seed: seed)
        run.bench.fake.memoryLimit = 5000
        for _ in 0..<400 { run.step() }
        run.end()
    }
}

private final class RandomRun {
    let bench: Bench
    private let seed: UInt64
    private var random: SeededGenerator
    private var submitted: [URB.ID] = []
    private var holds: [Int] = []
    private var address: UInt8 = 40
    private var isImported = true
    /// What was sent, each with bytes of its own.
    private var sent: Set<[UInt8]> = []

    init(seed: UInt64) throws {
        self.seed = seed
        random = SeededGenerator(seed: seed)
        bench = try Bench()
        bench.on { $0.usesLanding = seed % 2 == 0 }
    }

    private func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &random) }

    private func pick<T>(_ all: [T]) -> T? { all.randomElement(using: &random) }

    func step() {
        if !isImported, below(4) == 0 { return importDevice() }
        switch below(1000) {
        case ..<350: submit()
        case ..<400: request()
        case ..<500: if let id = pick(bench.on { $0.waiting }) { bench.on { $0.cancel(id) } }
        case ..<840: finishOne()
        case ..<870: bench.fake.cancelling = cancelling()
        case ..<890: bench.fake.halt(pick([.in(1), .out(1), .in(2)]) ?? .in(1), of: bench.path)
        case ..<900: bench.on { $0.device.reset(below(2) == 0 ? .port : .inferred) }
        case ..<920: fail()
        case ..<950: holdOrLetGo()
        case ..<975: below(2) == 0 ? bench.fake.holdEvents() : bench.fake.letEventsGo()
        case ..<980: unplug()
        case ..<985: bench.watch.look()
        default: if isImported { detach() }
        }
    }

    // MARK: The host

    private static let endpoints: [EndpointAddress] = [
        .in(1), .out(1), .in(2), .out(2), .in(5), .in(3), .out(4), .in(9),
    ]

    private func submit() {
        let size = [0, 1, 64, 512, 1500, 4000][below(6)]
        let endpoint = pick(Self.endpoints) ?? .in(1)
        let bytes = unique(endpoint == .out(4) ? max(size, 64) : size)
        submitted.append(
            bench.on { host in
                switch (endpoint, host.device.transferType(of: endpoint)) {
                case (_, .isochronous): host.submitIsochronous(endpoint, packets: 1 + size % 5, of: 100, bytes)
                case (let endpoint, _) where endpoint.direction == .in: host.submitIn(endpoint, size)
                default: host.submitOut(endpoint, bytes)
                }
            })
    }

    /// Bytes that no other transfer has, as far as there is room for that.
    private func unique(_ size: Int) -> [UInt8] {
        guard size >= 64 else { return [UInt8](repeating: 0, count: size) }
        let bytes = random.bytes(size)
        sent.insert(bytes)
        return bytes
    }

    private static let requests: [SetupPacket] = [
        .setConfiguration(1), .setConfiguration(1), .setConfiguration(2), .setConfiguration(0), .setConfiguration(7),
        .setInterface(0, alternate: 1), .setInterface(0, alternate: 0), .clearHalt(.in(1)), .clearHalt(.out(1)),
        .getConfiguration, .vendorIn(5000), .vendorOut(5000), .vendorOut(0), .vendorIn(64),
        SetupPacket(requestType: 0x00, request: 5, value: 3),
    ]

    private func request() {
        guard let setup = pick(Self.requests) else { return }
        let bytes = [UInt8](repeating: 0, count: setup.direction == .out ? Int(setup.length) : 0)
        submitted.append(bench.on { $0.submitControl(setup, bytes) })
    }

    private func importDevice() {
        // One that has come back is another device.
        if bench.fake.device(bench.path) == nil {
            address = address % 120 + 1
            bench.replug(address: address)
        }
        bench.watch.look()
        isImported = (try? bench.importDevice()) != nil
    }

    private func detach() {
        // What hangs then keeps the device for a quarter of a minute, which other tests wait for.
        letAllGo()
        // What is not given back because of them is another test's matter.
        bench.fake.forgetFailures()
        bench.detach()
        isImported = false
    }

    // MARK: The device

    private func finishOne() {
        guard let transfer = pick(bench.fake.inFlight) else { return }
        let outcome: FakeOutcome =
            switch below(10) {
            case 0: .failed(pick([.error, .timedOut, .stall, .overflow]) ?? .error)
            case 1 where transfer.isCancelled: .failed(.cancelled)
            case 2: FakeOutcome(status: .completed, count: transfer.length / 2)
            default: answer(transfer)
            }
        bench.fake.finish(transfer.number, outcome)
    }

    /// An answer with bytes that no other has.
    private func answer(_ transfer: FakeTransfer) -> FakeOutcome {
        guard transfer.endpoint.direction == .in, transfer.length >= 8 else { return .completed() }
        let number = UInt64(transfer.number)
        let bytes = (0..<8).map { UInt8(truncatingIfNeeded: number >> UInt64($0 * 8)) }
        let packets = transfer.packets.map { _ in FakeOutcome.Packet(bytes: []) }
        guard !packets.isEmpty else { return .completed(bytes) }
        return .packets([FakeOutcome.Packet(bytes: bytes)] + packets.dropFirst())
    }

    private func cancelling() -> FakeCancelling {
        switch below(5) {
        case 0: .partial([1])
        case 1: .tooLate(.completed(), noticed: true)
        case 2: .tooLate(.failed(.error), noticed: false)
        case 3: .never
        default: .cancelled
        }
    }

    private func fail() {
        let functions: [FakeFunction] = [
            .submit, .submit, .cancel, .clearHalt, .setAlternate, .setConfiguration, .reset, .allocateTransfer,
            .handleEvents,
        ]
        let errors: [LibUSBError] = [.io, .busy, .noMemory, .timeout, .other, .interrupted]
        guard let function = pick(functions), let error = pick(errors) else { return }
        bench.fake.fail(function, error)
    }

    private func holdOrLetGo() {
        if let hold = holds.popLast() {
            bench.fake.letGo(hold)
        } else if let function = pick([.clearHalt, .setAlternate, .setConfiguration, .reset] as [FakeFunction]) {
            holds.append(bench.fake.hold(function))
        }
    }

    private func unplug() {
        bench.unplug()
        if below(2) == 0 { bench.watch.look() }
    }

    // MARK: The end

    private func letAllGo() {
        for hold in holds { bench.fake.letGo(hold) }
        holds = []
        bench.fake.letEventsGo()
        bench.fake.cancelling = .cancelled
        for transfer in bench.fake.inFlight where transfer.isCancelled {
            bench.fake.finish(transfer.number, .failed(.cancelled))
        }
    }

    func end() {
        detach()
        if bench.fake.device(bench.path) == nil { bench.replug(address: 125) }
        #expect(bench.settle { $0.waiting.isEmpty }, "seed \(seed)")
        let completions = bench.on { $0.completions }
        let isEachOnce = completions.map(\.id).sorted() == submitted
        #expect(isEachOnce, "seed \(seed): each transfer is answered once")
        // Bytes reach the device whole and once; a request that is made again would show.
        let arrived = bench.fake.submitted.filter { $0.type != .control && $0.sent.count >= 64 }.map(\.sent)
        #expect(Set(arrived).count == arrived.count, "seed \(seed): nothing is sent twice")
        #expect(arrived.allSatisfy { whole in sent.contains { $0.starts(with: whole) || whole.starts(with: $0) } })
        let received = completions.filter { $0.endpoint.number != 0 && $0.data.count == 8 }.map(\.data)
        #expect(Set(received).count == received.count, "seed \(seed): nothing is received twice")
        bench.finish()
    }
}
