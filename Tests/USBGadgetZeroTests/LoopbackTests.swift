import DirectHost
import Testing
import USBCore
import USBDeviceKit
import USBGadgetZero

@Suite("Loopback")
struct LoopbackTests {
    static let capacity = ZeroGadget.loopbackCapacity

    @Test("what was written comes back, transfer by transfer, in order", arguments: [0, 1, 511, 512, 513, 70_000])
    func order(length: Int) throws {
        let host = try ZeroHost.loopback().host
        for number in 0..<5 {
            let write = try #require(host.write(.out(1), numbered(length, from: number * 1_000)))
            #expect(write.status == .success && write.actualLength == length)
        }
        for number in 0..<5 {
            #expect(host.read(.in(1), length + 100)?.data == numbered(length, from: number * 1_000))
        }
        #expect(host.read(.in(1), 1) == nil, "then reads wait")
        #expect(host.violations.isEmpty)
    }

    @Test("a read that came first waits, and is answered by the write")
    func readFirst() throws {
        let host = try ZeroHost.loopback().host
        let reads = [host.submitIn(.in(1), 512), host.submitIn(.in(1), 512), host.submitIn(.in(1), 512)]
        #expect(host.waiting == reads)
        #expect(host.write(.out(1), numbered(700))?.status == .success)
        #expect(host.outcome(reads[0])?.data == Array(numbered(700)[..<512]))
        #expect(host.outcome(reads[1])?.data == Array(numbered(700)[512...]))
        #expect(host.write(.out(1), [])?.status == .success)
        #expect(host.outcome(reads[2])?.actualLength == 0, "an empty write is an empty read")
        #expect(host.waiting.isEmpty)
    }

    @Test("a read takes from one write only, and leaves the rest to the next")
    func pieces() throws {
        let host = try ZeroHost.loopback().host
        host.write(.out(1), numbered(1_000))
        host.write(.out(1), numbered(10, from: 5_000))
        #expect(host.read(.in(1), 600)?.data == Array(numbered(1_000)[..<600]))
        #expect(host.read(.in(1), 0)?.actualLength == 0, "a read without room takes nothing")
        #expect(host.read(.in(1), 600)?.data == Array(numbered(1_000)[600...]))
        #expect(host.read(.in(1), 600)?.data == numbered(10, from: 5_000))
    }

    @Test("writes beyond the capacity wait, lose nothing, and go on when the host reads")
    func backPressure() throws {
        let host = try ZeroHost.loopback().host
        let size = 300_000
        let writes = (0..<10).map { host.submitOut(.out(1), numbered(size, from: $0 * 7_919)) }
        let stored = Self.capacity / size
        #expect(host.waiting == Array(writes[stored...]), "\(stored) writes fit")
        for number in 0..<10 {
            #expect(host.read(.in(1), size)?.data == numbered(size, from: number * 7_919), "write \(number)")
            #expect(host.waiting.count == max(0, 9 - stored - number))
        }
        #expect(host.violations.isEmpty)
    }

    @Test("a write larger than the capacity is handed on from where it waits")
    func largerThanCapacity() throws {
        let host = try ZeroHost.loopback().host
        let bytes = numbered(Self.capacity * 2 + 777)
        let write = host.submitOut(.out(1), bytes)
        let small = host.submitOut(.out(1), [1, 2, 3])
        #expect(host.waiting == [write, small])
        var back: [UInt8] = []
        for _ in 0..<5 where back.count < bytes.count {
            back += try #require(host.read(.in(1), 512 << 10)?.data)
            let isStillLarge = bytes.count - back.count > Self.capacity
            #expect((host.outcome(write) == nil) == isStillLarge, "taken once the rest fits")
        }
        #expect(back == bytes)
        #expect(host.outcome(write)?.actualLength == bytes.count)
        #expect(host.read(.in(1), 10)?.data == [1, 2, 3])
        #expect(host.waiting.isEmpty && host.violations.isEmpty)
    }

    @Test("empty writes are bounded too")
    func emptyWrites() throws {
        let host = try ZeroHost.loopback().host
        for _ in 0..<5_000 { host.submitOut(.out(1), []) }
        #expect(host.waiting.count == 5_000 - 4_096)
        for _ in 0..<5_000 { #expect(host.read(.in(1), 10)?.actualLength == 0) }
        #expect(host.waiting.isEmpty)
        #expect(host.read(.in(1), 10) == nil)
    }

    @Test("a waiting read or write can be cancelled, and what is behind it moves up")
    func cancel() throws {
        let host = try ZeroHost.loopback().host
        let reads = [host.submitIn(.in(1), 10), host.submitIn(.in(1), 10)]
        host.cancel(reads[0])
        #expect(host.outcome(reads[0])?.status == .cancelled)
        host.write(.out(1), [7])
        #expect(host.outcome(reads[1])?.data == [7])

        let large = host.submitOut(.out(1), numbered(Self.capacity * 3))
        let middle = host.submitOut(.out(1), [1])
        let small = host.submitOut(.out(1), [2])
        #expect(host.read(.in(1), 512)?.data == Array(numbered(512)))
        host.cancel(middle)
        host.cancel(large)
        #expect(host.outcome(large)?.status == .cancelled && host.outcome(large)?.actualLength == 512)
        #expect(host.outcome(middle)?.status == .cancelled)
        #expect(host.outcome(small)?.status == .success, "it fits now")
        #expect(host.read(.in(1), 512)?.data == [2])
        host.cancel(12_345)
        #expect(host.waiting.isEmpty && host.violations.isEmpty)
    }

    enum Interruption: CaseIterable {
        case setting, configuration, reset, inferredReset
    }

    @Test(
        "a setting, a configuration and a reset return what waits and forget what is kept",
        arguments: Interruption.allCases)
    func empties(by interruption: Interruption) throws {
        let zero = try ZeroHost.loopback()
        let host = zero.host
        host.write(.out(1), numbered(100))
        let large = host.submitOut(.out(1), numbered(Self.capacity + 1))
        let behind = host.submitOut(.out(1), [1])
        #expect(host.waiting == [large, behind])
        switch interruption {
        case .setting: try zero.select(0)
        case .configuration: #expect(host.control(.setConfiguration(2))?.status == .success)
        case .reset:
            zero.device.reset(.port)
            #expect(host.control(.setConfiguration(2))?.status == .success)
        case .inferredReset: zero.device.reset(.inferred)
        }
        #expect(host.outcome(large)?.status == .shutdown && host.outcome(behind)?.status == .shutdown)
        let read = host.submitIn(.in(1), 512)
        #expect(host.waiting == [read], "nothing is left")
        host.write(.out(1), [9])
        #expect(host.outcome(read)?.data == [9])
        #expect(host.violations.isEmpty)
    }

    @Test("a halt stalls what waits and keeps what was taken")
    func halt() throws {
        let zero = try ZeroHost.loopback()
        let host = zero.host
        let read = host.submitIn(.in(1), 512)
        #expect(host.control(.halt(.in(1)))?.status == .success)
        #expect(host.outcome(read)?.status == .stalled)
        #expect(host.write(.out(1), [5, 6])?.status == .success)
        let large = host.submitOut(.out(1), numbered(Self.capacity + 1))
        #expect(host.control(.halt(.out(1)))?.status == .success)
        #expect(host.outcome(large)?.status == .stalled)
        for endpoint in [EndpointAddress.in(1), .out(1)] {
            #expect(host.control(.clearHalt(endpoint))?.status == .success)
        }
        #expect(host.read(.in(1), 512)?.data == [5, 6])
    }

    @Test("a read from the completion of another gets the next write, not what is left of nothing")
    func nestedRead() throws {
        let host = try ZeroHost.loopback().host
        var reads = [host.submitIn(.in(1), 512)]
        host.onCompletion = { completion in
            if completion.endpoint == .in(1), reads.count < 3 { reads.append(host.submitIn(.in(1), 512)) }
        }
        for number in 1...3 as ClosedRange<UInt8> { #expect(host.write(.out(1), [number])?.status == .success) }
        host.onCompletion = nil
        #expect(reads.map { host.outcome($0)?.data } == [[1], [2], [3]])
        #expect(host.violations.isEmpty)
    }

    @Test("what is written within a completion comes after what was written before it")
    func nested() throws {
        let host = try ZeroHost.loopback().host
        var left = 500
        host.onCompletion = { completion in
            guard left > 0 else { return }
            left -= 1
            if completion.endpoint == .in(1) {
                host.submitIn(.in(1), 512)
            } else {
                host.submitOut(.out(1), numbered(100, from: left))
            }
        }
        for number in 0..<4 { host.submitOut(.out(1), numbered(100, from: 1_000 + number)) }
        for _ in 0..<4 { host.submitIn(.in(1), 512) }
        host.onCompletion = nil
        while host.read(.in(1), 512) != nil {}
        let back = host.completions.filter { $0.endpoint == .in(1) }.map(\.data)
        let expected = host.completions.filter { $0.endpoint == .out(1) }.count
        #expect(back.count == expected && back.allSatisfy { $0.count == 100 })
        #expect(host.violations.isEmpty)
    }

    @Test(
        "random reads, writes and cancellations lose, double and reorder nothing",
        arguments: 1...20 as ClosedRange<UInt64>)
    func random(seed: UInt64) throws {
        let host = try ZeroHost.loopback().host
        var generator = SeededGenerator(seed: seed)
        var sent: [URB.ID: [UInt8]] = [:]
        for _ in 0..<400 {
            switch Int.random(in: 0..<10, using: &generator) {
            case 0..<5:
                let bytes = generator.bytes(Int.random(in: 0...3_000, using: &generator))
                sent[host.submitOut(.out(1), bytes)] = bytes
            case 5..<9: host.submitIn(.in(1), Int.random(in: 1...3_000, using: &generator))
            default: if let id = host.waiting.randomElement(using: &generator) { host.cancel(id) }
            }
        }
        while host.read(.in(1), 4_000) != nil {}
        let taken = host.completions.filter { $0.endpoint == .out(1) && $0.status == .success }.map(\.id).sorted()
        let back = host.completions.filter { $0.endpoint == .in(1) && $0.status == .success }.flatMap(\.data)
        #expect(back == taken.flatMap { sent[$0] ?? [] }, "seed \(seed)")
        #expect(host.violations.isEmpty)
    }
}
