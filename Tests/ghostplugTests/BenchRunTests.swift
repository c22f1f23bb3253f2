import DeviceModels
import Logging
import Measurement
import SocketIO
import Statistics
import Testing
import USBCore
import USBIPClient
import USBIPServer

@testable import ghostplug

/// A drive behind a real server on a free port of this machine, attached.
private final class ServedDrive {
    let server: USBIPServer
    let device: RemoteDevice

    init() throws {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        var configuration = ServerConfiguration()
        configuration.listen = [HostAndPort(host: "127.0.0.1", port: 0)]
        server = USBIPServer(configuration, logger: logger)
        let made = try ModelRegistry.make(
            try DeviceSpecification(parsing: "drive:size=1M,format=none"), ModelContext(index: 0, logger: logger))
        // Made here and given away here: from now on only its executor touches it.
        nonisolated(unsafe) let given = made.device
        var options = ExportOptions()
        options.onRelease = made.onRelease
        try unsafe server.export(busID: "1-1", device: given, options: options)
        let port = try server.start().first?.port ?? 0
        device = try RemoteDevice.attach(to: HostAndPort(host: "127.0.0.1", port: port), busID: "1-1")
        try device.select(configuration: 1)
    }

    deinit {
        device.close()
        _ = server.stop()
    }

    func run(_ item: BenchCase, timeout: String = "5") throws -> CaseRun.Outcome {
        var settings = try BenchSettings(target: ["127.0.0.1", "1-1"])
        for (name, value) in [("time", "0.05"), ("warmup", "0"), ("timeout", timeout)] {
            try settings.set(name, to: value)
        }
        return CaseRun(item, nil, settings, server: nil)
            .run(on: device, BenchSignals(), BenchProgress(isShown: false), "")
    }
}

private let control = BenchCase(type: .control, endpoint: EndpointAddress(rawValue: 0), size: 18, depth: 4)

@Suite("A case on a server")
struct BenchRunTests {
    @Test("counts URBs, their bytes, their latencies and what they cost")
    func control() throws {
        let drive = try ServedDrive()
        let outcome = try drive.run(ghostplugTests.control)
        let result = outcome.result
        #expect(outcome.connectionError == nil && !outcome.wasSilent && result.trouble == nil)
        #expect(result.urbs > 0 && result.bytes == result.urbs * 18 && result.failures.isEmpty)
        #expect(result.latency.count == result.urbs && result.latency.least > 0)
        #expect(result.seconds >= 0.05 && result.clientCPU > 0)
        #expect(drive.device.transfersInFlight == 0)
    }

    @Test("that gives nothing is given up, its URBs taken back, and the device is still there for the next")
    func silent() throws {
        let drive = try ServedDrive()
        // A drive's IN endpoint gives nothing without a command.
        let outcome = try drive.run(
            BenchCase(type: .bulkIn, endpoint: .in(1), size: 512, depth: 3), timeout: "0.05")
        #expect(outcome.wasSilent && outcome.result.urbs == 0)
        #expect(outcome.result.trouble?.contains("endpoint 0x81 gave nothing") == true)
        #expect(outcome.connectionError == nil && drive.device.transfersInFlight == 0)
        #expect(try drive.run(ghostplugTests.control).result.urbs > 0)
    }

    @Test("whose server goes says so, and does not hang")
    func gone() throws {
        let drive = try ServedDrive()
        #expect(drive.server.stop())
        let outcome = try drive.run(ghostplugTests.control)
        #expect(outcome.connectionError != nil && outcome.result.trouble != nil)
    }
}
