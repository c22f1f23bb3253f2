import Glibc
import Testing
import USBCapture
import USBCore

@testable import CaptureTraces

@Suite("Loading traces")
struct TraceLoaderTests {
    private func two() -> Script {
        var script = Script()
        script.device = 1
        script.descriptor(1, Samples.device(vendor: 0x1d6b, product: 2, class: .hub))
        script.device = 5
        script.descriptor(1, Samples.device(product: 1))
        script.output(1, [1])
        script.device = 6
        script.descriptor(1, Samples.device(product: 2))
        script.output(1, [2])
        script.device = 5
        script.output(1, [3])
        return script
    }

    private func one(
        _ script: Script, _ choice: String? = nil, _ file: DescriptorFile? = nil
    ) throws -> (trace: Trace, summary: CaptureSummary) {
        try TraceLoader.loadOne(
            script.source, choice: choice.flatMap { .parse($0) }, file: file, progress: nil)
    }

    @Test("takes the device that is chosen, by number, ids or place", arguments: ["2", "1209:0001", "1-5", "1.5"])
    func choice(text: String) throws {
        let (trace, summary) = try one(two(), text)
        #expect(trace.device.number == 2)
        #expect(try trace.transfers.dropFirst().map { try trace.bytes($0.output) } == [[1], [3]])
        #expect(summary.devices.count == 3)
        #expect(summary.events == 12)
    }

    @Test("gives each device its own transfers")
    func all() throws {
        let traces = try two().traces()
        #expect(traces.map(\.transfers.count) == [1, 3, 2])
        #expect(try traces[2].bytes(traces[2].transfers[1].output) == [2])
    }

    @Test("takes the only device that is not a hub, and lists them where there are more")
    func unchosen() throws {
        var script = two()
        script.events.removeAll { $0.event.device == 6 }
        #expect(try one(script).trace.device.number == 2)
        let error = #expect(throws: CaptureError.self) { try one(two()) }
        #expect(error?.description.contains("1209:0001") == true)
        #expect(error?.description.contains("1209:0002") == true)
        #expect(error?.description.contains("1d6b") == false)
    }

    @Test("says what there is where the choice is not", arguments: ["4", "1209:0009", "2-5"])
    func nothing(text: String) throws {
        let error = #expect(throws: CaptureError.self) { try one(two(), text) }
        #expect(error?.description.contains("no device \(text); it has 1: bus 1 address 1, 1d6b:0002 (hub)") == true)
    }

    @Test("says why a chosen device may not be there: the capture was not read to its end, or has none")
    func nothingOfPart() throws {
        var script = two()
        script.trouble = CaptureError(.cut, "the file ends here", offset: 99)
        for load in [{ _ = try one($0, "9") }, { _ = try TraceLoader.load($0.source, choice: .number(9)) }]
            as [(Script) throws -> Void]
        {
            let error = #expect(throws: CaptureError.self) { try load(script) }
            #expect(
                error?.description.hasSuffix("; it was not read to its end: the file ends here at offset 99") == true)
            let cut = #expect(throws: CaptureError.self) {
                var nothing = script
                nothing.events = []
                try load(nothing)
            }
            #expect(cut == script.trouble)
            let none = #expect(throws: CaptureError.self) { try load(Script()) }
            #expect(none?.description == "no USB device is in it")
        }
    }

    @Test("says so where one choice means two devices")
    func twins() throws {
        var script = two()
        script.device = 7
        script.descriptor(1, Samples.device(product: 1))
        let error = #expect(throws: CaptureError.self) { try one(script, "1209:0001") }
        #expect(error?.description.contains("means several devices") == true)
    }

    @Test("keeps what came before the place where reading must end")
    func trouble() throws {
        var script = two()
        script.trouble = CaptureError(.cut, "the file ends here", offset: 99)
        let (trace, summary) = try one(script, "2")
        #expect(trace.transfers.count == 3)
        #expect(summary.trouble == script.trouble)
        #expect(script.summary.trouble == script.trouble)

        script.events = []
        let error = #expect(throws: CaptureError.self) { try one(script) }
        #expect(error == script.trouble)
    }

    @Test("sets data aside that have no place in the file, in memory and then in a file", arguments: [0, 10, 1 << 20])
    func aside(memory: Int) throws {
        var script = Script()
        script.hasPlaces = false
        for n in 1...20 { script.output(1, [UInt8](repeating: UInt8(n), count: n)) }
        let source = script.source
        let payloads = CapturePayloads(source, memoryLimit: memory)
        var references: [PayloadReference] = []
        while let event = try source.next() {
            if event.dataCount > 0 { references.append(payloads.reference(event)) }
        }
        #expect(payloads.failure == nil)
        for (n, reference) in references.enumerated() {
            var bytes = [UInt8](repeating: 0, count: n + 1)
            try unsafe bytes.withUnsafeMutableBytes { try unsafe payloads.copy(reference, from: 0, into: $0) }
            #expect(bytes == [UInt8](repeating: UInt8(n + 1), count: n + 1))
            #expect(throws: CaptureError.self) {
                try unsafe bytes.withUnsafeMutableBytes { try unsafe payloads.copy(reference, from: 1, into: $0) }
            }
        }
        #expect(references.count == 20)
    }

    @Test("reads data that have no place in the file through the trace")
    func lent() throws {
        var script = Script()
        script.hasPlaces = false
        script.output(1, [1, 2, 3])
        script.input(2, [4, 5])
        let trace = try script.trace()
        #expect(try trace.bytes(trace.transfers[0].output) == [1, 2, 3])
        #expect(try trace.bytes(trace.transfers[1].input) == [4, 5])
        #expect(try trace.bytes(trace.transfers[0].input) == [])
    }

    @Test("takes what the capture lacks from a file of descriptors")
    func descriptors() throws {
        let path = Scratch.path("descriptors")
        defer { unsafe unlink(path) }
        Scratch.write(Samples.device(product: 1) + Samples.storage, to: path)
        let device = try one(two(), "2", DescriptorFile(path: path)).trace.device
        #expect(device.descriptors.isComplete)
        #expect(device.descriptors.configurations[0] == Samples.storage)

        let error = #expect(throws: CaptureError.self) { try one(two(), "3", DescriptorFile(path: path)) }
        #expect(error?.description.contains("1209:0001") == true)
        #expect(error?.description.contains("1209:0002") == true)
    }

    @Test("reads a file of descriptors once, so that it may be a pipe, beside a capture that is open")
    func piped() throws {
        var ends: [Int32] = [-1, -1]
        #expect(unsafe pipe(&ends) == 0)
        defer { close(ends[0]) }
        let bytes = Samples.device(product: 1) + Samples.storage
        #expect(unsafe write(ends[1], bytes, bytes.count) == bytes.count)
        close(ends[1])
        let device = try TraceLoader.loadOne(
            two().source, choice: .number(2), descriptors: "/proc/self/fd/\(ends[0])"
        ).trace.device
        #expect(device.descriptors.configurations[0] == Samples.storage)
    }

    @Test("refuses a file of descriptors that is none")
    func strange() {
        let path = Scratch.path("strange")
        defer { unsafe unlink(path) }
        func error() -> CaptureError? { #expect(throws: CaptureError.self) { try DescriptorFile(path: path) } }
        #expect(error()?.reason == "\(path): it cannot be opened: No such file or directory")
        for bytes: [UInt8] in [[], [18], [18, 1], [18, 2] + [UInt8](repeating: 0, count: 30)] {
            Scratch.write(bytes, to: path)
            #expect(error()?.description.hasPrefix("\(path): ") == true)
        }
        Scratch.write(Samples.device() + [UInt8](repeating: 0, count: 1 << 20), to: path)
        #expect(error()?.kind == .excessive)
        Scratch.write([UInt8](repeating: 0x23, count: 16 << 20 + 1), to: path)
        #expect(error()?.kind == .excessive)
    }

    @Test("tells how far it is")
    func progress() throws {
        var script = Script()
        for n in 0..<70_000 { script.add(.completion, .bulk, 0x81, urb: UInt64(n)) }
        var told: [Int] = []
        _ = CaptureSurvey.run(script.source) { told.append($0) }
        #expect(told == [65_536, 70_000])
    }

    @Test("takes no more than 88 bytes for a transfer")
    func size() { #expect(MemoryLayout<TracedTransfer>.stride <= 88) }
}

@Suite("A choice of device")
struct DeviceChoiceTests {
    @Test("is written as a number, ids, or bus and address")
    func parses() {
        #expect(DeviceChoice.parse("3") == .number(3))
        #expect(DeviceChoice.parse("1209:db42") == .ids(vendor: 0x1209, product: 0xdb42))
        #expect(DeviceChoice.parse("0x4d9:0x1603") == .ids(vendor: 0x04d9, product: 0x1603))
        #expect(DeviceChoice.parse("1-5") == .place(bus: 1, address: 5))
        #expect(DeviceChoice.parse("001.005") == .place(bus: 1, address: 5))
    }

    @Test(
        "is nothing else",
        arguments: ["", "0", "-1", "+1", "x", "1:", ":", "1:2:3", "12345:1", "+1:2", "1-", "1-2-3", "1-70000", "1.-5"])
    func refuses(text: String) { #expect(DeviceChoice.parse(text) == nil) }

    @Test("is read back as it is described", arguments: ["3", "1209:db42", "1-5"])
    func describes(text: String) { #expect(DeviceChoice.parse(text)?.description == text) }
}
