import CommandSupport
import DeviceModels
import DirectHost
import Glibc
import Logging
import Synchronization
import Testing
import USBCapture
import USBCore
import USBDeviceKit
import USBReplay

@Suite("replay")
struct ReplayModelTests {
    /// What a device told of itself.
    private final class Told: Sendable {
        let events = Mutex<[DeviceEvent]>([])
    }

    private func make(_ text: String, _ told: Told = Told()) throws -> ModelDevice {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        var context = ModelContext(index: 0, logger: logger)
        // The first are for whoever asks later, too.
        context.events = EventSink(isWatched: { false }, { event in told.events.withLock { $0.append(event) } })
        return try ModelRegistry.make(DeviceSpecification(parsing: text), context)
    }

    /// Writes a capture of two devices in usbmon's text form, and gives its path to `body`.
    private func withCapture<R>(_ lines: [String], _ body: (String) throws -> R) throws -> R {
        let path = "/tmp/ghostplug-replay-\(getpid())-\(UInt64.random(in: 0 ... .max)).mon"
        let text = lines.map { $0 + "\n" }.joined()
        let file = unsafe open(path, O_CREAT | O_WRONLY | O_TRUNC, 0o600)
        let written = unsafe write(file, text, text.utf8.count)
        close(file)
        try #require(written == text.utf8.count)
        defer { _ = unsafe unlink(path) }
        return try body(path)
    }

    /// The device asks for its descriptors, then a vendor request with four bytes of data.
    private static func enumeration(_ address: String, ids: String) -> [String] {
        let tag = "ffff8800000\(address)00"
        return [
            "\(tag) 1000 S Ci:1:\(address):0 s 80 06 0100 0000 0012 18 <",
            "\(tag) 1500 C Ci:1:\(address):0 0 18 = 12010002 ff000040 \(ids) 00010000 0001",
            "\(tag) 2000 S Ci:1:\(address):0 s 80 06 0200 0000 0012 18 <",
            "\(tag) 2500 C Ci:1:\(address):0 0 18 = 09021200 01010080 32090400 0000ff00 0000",
            "\(tag) 3000 S Co:1:\(address):0 s 40 09 0000 0000 0004 4 = 01020004",
            "\(tag) 3500 C Co:1:\(address):0 0 4 >",
        ]
    }

    @Test("plays a device of a capture, tells of divergences as events, and has a verdict")
    func plays() throws {
        try withCapture(Self.enumeration("005", ids: "091242db")) { path in
            let told = Told()
            let made = try make("replay:\(path)", told)
            let file = path.split(separator: "/").last ?? ""
            #expect(made.backing == "replay of \(file): 1209:db42, 3 transfers")
            #expect(made.device.identity.vendorID == 0x1209)
            let host = DirectHost(made.device)
            var unused = try #require(made.verdict?())
            #expect(unused.isUnused)
            unused.name = "1-7"
            #expect(ReplayVerdict.junit([unused]).contains("message=\"no host used it\""))
            #expect(ReplayVerdict.junit([unused]).contains("<testsuite name=\"1-7\""))
            host.device.configure(1)
            host.control(SetupPacket(requestType: 0x40, request: 9, length: 4), [1, 2, 0, 4])
            #expect(made.verdict?().isUnused == false)
            #expect(made.verdict?().hasPassed == true)
            host.control(SetupPacket(requestType: 0x40, request: 9, length: 4), [1, 2, 1, 4])
            let verdict = try #require(made.verdict?())
            #expect(!verdict.hasPassed)
            #expect(verdict.text.contains("the host wrote 01 where the recording (packet 5) has 00, byte 2 of"))
            #expect(ReplayVerdict.junit([verdict]).contains("<testsuite name=\"\(file)\" tests=\"1\" failures=\"1\""))
            let event = try #require(told.events.withLock { $0.first })
            #expect(event.kind == "diverged")
            let members = JSON.object(event.members)
            #expect(members["packet"] == .number(5))
            #expect(members["expected"] == .string("01 02 00 04"))
            #expect(members["actual"] == .string("01 02 01 04"))
            #expect(members["byte"] == .number(2))
        }
    }

    @Test("report says how it has gone")
    func reportAction() throws {
        try withCapture(Self.enumeration("005", ids: "091242db")) { path in
            let made = try make("replay:\(path)")
            let action = try #require(made.actions.first { $0.summary.name == "report" })
            let outcome = Mutex<ActionReply.Outcome?>(nil)
            action.perform([], ActionReply { result in outcome.withLock { $0 = result } })
            let result = try #require(outcome.withLock { $0 })
            let members = JSON.object(try result.get())
            #expect(members["passed"] == .bool(true))
        }
    }

    @Test("several devices are listed, and one is chosen by its number or ids")
    func choice() throws {
        let both = Self.enumeration("005", ids: "091242db") + Self.enumeration("006", ids: "dead0100")
        try withCapture(both) { path in
            let error = #expect(throws: ModelError.self) { try make("replay:\(path)") }
            #expect(error?.description.contains("1209:db42") == true)
            let second = try make("replay:\(path),device=2")
            #expect(second.device.identity.vendorID == 0xadde)
            let first = try make("replay:\(path),device=1209:db42")
            #expect(first.device.identity.vendorID == 0x1209)
            #expect(throws: ModelError.self) { try make("replay:\(path),device=banana") }
            #expect(throws: ModelError.self) { try make("replay:\(path),device=9") }
        }
    }

    @Test("wrong values say what is possible")
    func wrongValues() throws {
        try withCapture(Self.enumeration("005", ids: "091242db")) { path in
            for wrong in ["match=loose", "match=fuzzy=200", "timing=scale=-1", "timing=slow", "missing=one", "loop=x"] {
                let error = #expect(throws: ModelError.self) { try make("replay:\(path),\(wrong)") }
                #expect(error?.description.contains("takes") == true, "\(wrong)")
            }
            _ = try make("replay:\(path),match=fuzzy=10,timing=scale=0.5,missing=zero,loop")
        }
        for nothing in ["replay", "replay:file="] {
            let missing = #expect(throws: ModelError.self) { try make(nothing) }
            #expect(missing?.key == "file")
            #expect(missing?.description.contains("write replay:FILE") == true, "\(nothing)")
        }
        let absent = #expect(throws: ModelError.self) { try make("replay:/nonexistent/capture.pcapng") }
        #expect(absent?.isMistake == false)
        #expect(absent?.description.contains("/nonexistent/capture.pcapng") == true)
    }
}
