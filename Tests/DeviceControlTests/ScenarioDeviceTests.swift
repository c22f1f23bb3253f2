import CommandSupport
import DeviceControl
import DeviceModels
import Logging
import SocketIO
import Synchronization
import Testing
import USBIPClient
import USBIPServer

/// Real devices of this process, whose host is this process, too.
private final class HostedStage: ScenarioStage {
    let devices: RunningDevices
    private let address: HostAndPort
    private let hosts = Mutex<[String: RemoteDevice]>([:])

    init() throws {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        var configuration = ServerConfiguration()
        configuration.listen = [HostAndPort(host: "127.0.0.1", port: 0)]
        let server = USBIPServer(configuration, logger: logger)
        devices = RunningDevices(server, logger: logger) {}
        let listening = try #require(try server.start().first)
        address = HostAndPort(host: listening.host, port: listening.port)
    }

    deinit { devices.server.stop() }

    var control: any ControlTarget { devices }

    private func trying<R>(_ body: () throws -> R) throws(ControlError) -> R {
        do {
            return try body()
        } catch {
            throw ControlError(.failed, "\(error)")
        }
    }

    func plug(_ device: Scenario.Device) throws(ControlError) -> String {
        try trying { try devices.add(device.specification).busID }
    }

    func ready(
        _ busID: String, timeout: Duration?, _ cancellation: Cancellation
    ) throws(ControlError) -> [(name: String, value: String)] {
        try trying {
            let host = try RemoteDevice.attach(to: address, busID: busID)
            try host.select(configuration: 1)
            hosts.withLock { $0[busID] = host }
            return []
        }
    }

    func unplug(_ busID: String) -> String? {
        devices.device(busID).flatMap { devices.remove($0) }
    }
}

@Suite("A scenario with real devices", .timeLimit(.minutes(10)))
struct ScenarioDeviceTests {
    @Test("sees what their host does, and what is done to them")
    func held() throws {
        let stage = try HostedStage()
        var results: [ScenarioResult] = []
        let steps = try scenario(
            #"{"disk": "drive:size=1M", "later": {"model": "drive", "later": "yes"}}"#,
            #"{"expect": {"event": "configured", "device": "disk", "configuration": 1, "timeout": 20}}"#,
            #"{"wait": "disk configured"}"#, #"{"eject": {"device": "disk", "force": "yes"}}"#,
            #"{"expect": {"event": "ejected", "device": "disk", "lun": 0, "by": "control"}}"#,
            #"{"insert": {"device": "disk", "size": "2M"}}"#,
            #"{"expect": {"event": "inserted", "device": "disk", "bytes": 2097152}}"#, #"{"plug": "later"}"#,
            #"{"expect": {"event": "attached", "device": "later"}}"#, #"{"unplug": "disk"}"#,
            #"{"expect": {"event": "detached", "device": "disk"}}"#,
            #"{"expect-none": {"event": "detached", "device": "later", "for": 0.01}}"#)
        var player = ScenarioPlayer(steps, on: stage, keepsGoing: false, Cancellation()) { results.append($0) }
        let summary = player.play()
        #expect(summary.hasHeld, "\(results.complaint)")
        #expect(stage.devices.all.isEmpty)
    }

    @Test("fails where a device says that it cannot")
    func refused() throws {
        let stage = try HostedStage()
        var results: [ScenarioResult] = []
        let steps = try scenario(
            #"{"disk": "drive:size=1M,removable=no"}"#, #"{"media": "disk"}"#, #"{"eject": "disk"}"#)
        var player = ScenarioPlayer(steps, on: stage, keepsGoing: false, Cancellation()) { results.append($0) }
        #expect(!player.play().hasHeld && results.outcomes == [.done, .failed])
        #expect(results.complaint.hasPrefix("the drive was made with removable=no"))
        #expect(stage.devices.all.isEmpty)
    }
}
