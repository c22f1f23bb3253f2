import DirectHost
import Glibc
import SocketIO
import TestSupport
import Testing
import USBCapture
import USBCore
import USBRecording

/// What becomes of a capture's file when recording has not begun, or ends early.
@Suite("A capture's file, in trouble,") struct FileTests {
    private static func recorded(_ writer: CaptureWriter, records: Int, of size: Int) {
        let device = ScriptedDevice()
        device.react = { .answer(.bytes([UInt8](repeating: 0x5a, count: $0.requestedLength))) }
        let host = DirectHost(CaptureTap(device, writer.register(RecordedDevice(name: "Device"))))
        for _ in 0..<records / 2 { _ = host.read(.in(1), size) }
    }

    @Test("stays as it was until writing begins, and what was recorded before is in it then")
    func held() throws {
        let scratch = Scratch()
        let first = try CaptureWriter(scratch["a.pcapng"])
        Self.recorded(first, records: 6, of: 100)
        _ = first.close()

        let abandoned = try CaptureWriter(scratch["a.pcapng"], isHeld: true)
        // Nobody else may have it, all the same.
        #expect(throws: RecordingError.self) { try CaptureWriter(scratch["a.pcapng"]) }
        Self.recorded(abandoned, records: 2, of: 100)
        let totals = abandoned.close()
        #expect(totals.records == 0 && totals.dropped == 2 && totals.failure == nil)
        #expect(throws: Never.self) { try abandoned.start() }
        #expect(try readAll(scratch["a.pcapng"]).events.count == 6)

        let next = try CaptureWriter(scratch["a.pcapng"], isHeld: true)
        Self.recorded(next, records: 4, of: 100)
        #expect(try readAll(scratch["a.pcapng"]).events.count == 6)
        try next.start()
        try next.start()
        #expect(next.close().records == 4)
        #expect(try readAll(scratch["a.pcapng"]).events.count == 4)
    }

    @Test("is removed when it is new and writing never begins", arguments: [true, false])
    func removed(isClosed: Bool) throws {
        let scratch = Scratch()
        do {
            let writer = try CaptureWriter(scratch["a.pcapng"], isHeld: true)
            #expect(unsafe access(scratch["a.pcapng"], F_OK) == 0)
            if isClosed { _ = writer.close() }
        }
        #expect(unsafe access(scratch["a.pcapng"], F_OK) != 0)
    }

    /// Files may not grow beyond a size, which ends the process unless somebody sees to it: so in one of its own.
    @Test("has every whole record that there was room for")
    func noRoom() async {
        await #expect(processExitsWith: .success) {
            let scratch = Scratch()
            let room: rlim_t = 50_000
            var limit = rlimit(rlim_cur: room, rlim_max: .max)
            let writer = try CaptureWriter(scratch["a.pcapng"], isHeld: true)
            FileTests.recorded(writer, records: 400, of: 700)
            #expect(unsafe setrlimit(__rlimit_resource_t(1), &limit) == 0)
            try writer.start()
            let totals = writer.close()
            #expect(totals.failure?.contains("File too large; allow larger files") == true)
            #expect(totals.records + totals.dropped == 400)
            let (events, reader) = try readAll(scratch["a.pcapng"])
            #expect(UInt64(events.count) == totals.records)
            // But for the beginning and one record, all of it.
            #expect(reader.size > 50_000 - 1200 && reader.size <= 50_000)
        }
    }

    @Test("may be taken slowly, as long as it is taken")
    func slowly() throws {
        let scratch = Scratch()
        try #require(unsafe mkfifo(scratch["pipe"], 0o600) == 0)
        let reader = unsafe open(scratch["pipe"], O_RDONLY | O_NONBLOCK)
        try #require(reader >= 0)
        var limits = CaptureLimits(blockSize: 4 << 20)
        limits.patience = 200
        let writer = try CaptureWriter(scratch["pipe"], limits: limits, isHeld: true)
        Self.recorded(writer, records: 40, of: 100_000)
        try writer.start()
        try startThread("slow reader") {
            var bytes = [UInt8](repeating: 0, count: 128 << 10)
            repeat { pause(milliseconds: 20) } while unsafe read(reader, &bytes, bytes.count) != 0
            close(reader)
        }
        let totals = writer.close()
        #expect(totals.failure == nil && totals.records == 40)
    }
}
