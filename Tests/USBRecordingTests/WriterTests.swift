import DirectHost
import Glibc
import SocketIO
import TestSupport
import Testing
import USBCapture
import USBCore
import USBDeviceKit
import USBRecording

/// How a capture's file is written, and what happens where it cannot be.
@Suite("A capture's file") struct WriterTests {
    /// A device that answers with as many bytes as it is asked for.
    private func generous() -> ScriptedDevice {
        let device = ScriptedDevice()
        device.react = { .answer(.bytes([UInt8](repeating: 0x5a, count: $0.requestedLength))) }
        return device
    }

    @Test("A capture that is still running can be read")
    func running() throws {
        let scratch = Scratch()
        let writer = try CaptureWriter(scratch["a.pcapng"])
        let host = DirectHost(CaptureTap(generous(), writer.register(RecordedDevice(name: "Device"))))
        _ = host.read(.in(1), 8)
        #expect(settles { (try? readAll(scratch["a.pcapng"]))?.events.count == 2 })
        _ = host.read(.in(1), 8)
        #expect(settles { (try? readAll(scratch["a.pcapng"]))?.events.count == 4 })
        _ = writer.close()
        // Ended twice is ended once.
        #expect(writer.close().records == 4)
        _ = host.read(.in(1), 8)
        #expect(try readAll(scratch["a.pcapng"]).events.count == 4)
    }

    @Test("Records larger than a block are whole, and in their place")
    func large() throws {
        let scratch = Scratch()
        let writer = try CaptureWriter(scratch["a.pcapng"], limits: CaptureLimits(blockSize: 4096, blockCount: 4096))
        let host = DirectHost(CaptureTap(generous(), writer.register(RecordedDevice(name: "Device"))))
        let sizes = [1, 4095, 100_000, 3, 1 << 20, 4096, 17]
        for size in sizes { _ = host.read(.in(1), size) }
        #expect(writer.close().dropped == 0)
        let events = try readAll(scratch["a.pcapng"]).events.filter { $0.event.kind == .completion }
        #expect(events.map(\.data.count) == sizes)
        #expect(events.allSatisfy { $0.data.allSatisfy { $0 == 0x5a } })
    }

    @Test("When nobody reads, records are dropped in pairs and the device goes on; then the file says how many")
    func drops() throws {
        let scratch = Scratch()
        try #require(unsafe mkfifo(scratch["pipe"], 0o600) == 0)
        // Somebody who opens it and does not read, so that the writer waits.
        let reader = unsafe open(scratch["pipe"], O_RDONLY | O_NONBLOCK)
        try #require(reader >= 0)
        let log = LogLines()
        let writer = try CaptureWriter(
            scratch["pipe"], limits: CaptureLimits(blockSize: 64 << 10, blockCount: 8), log: log)
        let host = DirectHost(CaptureTap(generous(), writer.register(RecordedDevice(name: "Device"))))
        for _ in 0..<1000 { #expect(host.read(.in(1), 4096)?.data.count == 4096) }

        // Now somebody reads on, and there is room again.
        let copy = PipeCopy(reader)
        try startThread("pipe reader") { copy.run() }
        #expect(
            settles {
                _ = host.read(.in(1), 16)
                return copy.hasComment
            })
        let totals = writer.close()
        copy.wait()
        #expect(totals.dropped > 0 && totals.records > 0 && totals.failure == nil)
        #expect(log.all.count == 1)

        let capture = try CaptureReader(bytes: copy.bytes)
        var open: Set<UInt64> = []
        var count: UInt64 = 0
        while let event = try capture.next() {
            count += 1
            if event.kind == .submission { open.insert(event.urb) } else { #expect(open.remove(event.urb) != nil) }
        }
        #expect(open.isEmpty)
        #expect(count == totals.records)
        #expect(capture.dropped == Int64(totals.dropped))
        #expect(capture.comments.contains { $0.contains("records were dropped before this one") })
        #expect(capture.comments.contains { $0.hasPrefix("\(totals.dropped) records were dropped, from ") })
    }

    @Test("A full disk ends recording, not the device")
    func fullDisk() throws {
        let log = LogLines()
        let writer = try CaptureWriter("/dev/full", log: log)
        let host = DirectHost(CaptureTap(generous(), writer.register(RecordedDevice(name: "Device"))))
        #expect(
            settles {
                _ = host.read(.in(1), 64)
                return !log.all.isEmpty
            })
        #expect(host.read(.in(1), 64)?.data.count == 64)
        #expect(host.violations.isEmpty)
        let totals = writer.close()
        #expect(totals.failure?.contains("No space left on device; make room") == true)
        #expect(totals.records == 0)
        #expect(totals.line.contains("recording ended early"))
        #expect(log.all.count == 1 && log.all[0].hasPrefix("error: "))
    }

    @Test("Whoever read a FIFO may go")
    func brokenPipe() throws {
        let scratch = Scratch()
        try #require(unsafe mkfifo(scratch["pipe"], 0o600) == 0)
        let reader = unsafe open(scratch["pipe"], O_RDONLY | O_NONBLOCK)
        let log = LogLines()
        let writer = try CaptureWriter(scratch["pipe"], log: log)
        close(reader)
        let host = DirectHost(CaptureTap(generous(), writer.register(RecordedDevice(name: "Device"))))
        #expect(
            settles {
                _ = host.read(.in(1), 64)
                return !log.all.isEmpty
            })
        #expect(writer.close().failure?.contains("whoever read it has gone") == true)
    }

    @Test("An end that the file does not take is not waited for")
    func stuck() throws {
        let scratch = Scratch()
        try #require(unsafe mkfifo(scratch["pipe"], 0o600) == 0)
        let reader = unsafe open(scratch["pipe"], O_RDONLY | O_NONBLOCK)
        defer { close(reader) }
        var limits = CaptureLimits(blockSize: 256 << 10)
        limits.patience = 50
        let writer = try CaptureWriter(scratch["pipe"], limits: limits)
        let host = DirectHost(CaptureTap(generous(), writer.register(RecordedDevice(name: "Device"))))
        _ = host.read(.in(1), 200_000)
        #expect(writer.close().failure?.contains("nobody takes") == true)
    }

    @Test("An older capture is overwritten, another file is not, and nor is a folder or a running capture")
    func existingFiles() throws {
        let scratch = Scratch()
        _ = try CaptureWriter(scratch["a.pcapng"]).close()
        let first = try readAll(scratch["a.pcapng"]).reader.size
        let writer = try CaptureWriter(scratch["a.pcapng"])
        #expect(throws: RecordingError.self) { try CaptureWriter(scratch["a.pcapng"]) }
        _ = writer.close()
        #expect(try readAll(scratch["a.pcapng"]).reader.size == first)

        let other = unsafe open(scratch["other"], O_WRONLY | O_CREAT, 0o600)
        #expect(unsafe write(other, "precious", 8) == 8)
        close(other)
        let error = #expect(throws: RecordingError.self) { try CaptureWriter(scratch["other"]) }
        #expect(error?.description.contains("is no capture") == true)
        #expect(throws: RecordingError.self) { try CaptureWriter(scratch.path) }
        #expect(throws: RecordingError.self) { try CaptureWriter(scratch["none/a.pcapng"]) }
    }

    @Test("Devices of several threads share a file without a loss, and times never go back")
    func threads() async throws {
        let scratch = Scratch()
        let writer = try CaptureWriter(scratch["a.pcapng"], limits: CaptureLimits(blockSize: 4096, blockCount: 4096))
        await withTaskGroup { group in
            for number in 0..<4 {
                group.addTask {
                    let device = ScriptedDevice()
                    device.react = { _ in .answer(.bytes([UInt8](repeating: UInt8(number), count: 700))) }
                    let host = DirectHost(CaptureTap(device, writer.register(RecordedDevice(name: "\(number)"))))
                    for _ in 0..<300 { _ = host.read(.in(1), 700) }
                }
            }
        }
        #expect(writer.close().dropped == 0)
        let events = try readAll(scratch["a.pcapng"]).events
        #expect(events.count == 4 * 600)
        #expect(zip(events, events.dropFirst()).allSatisfy { $0.event.time <= $1.event.time })
        for channel in 0..<4 {
            let its = events.filter { $0.event.channel == channel }
            #expect(its.map(\.event.kind) == (0..<300).flatMap { _ in [.submission, .completion] })
            #expect(Set(its.flatMap(\.data)).count == 1)
        }
    }
}
