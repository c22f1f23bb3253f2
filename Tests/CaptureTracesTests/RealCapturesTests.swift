import CaptureTraces
import Testing
import USBCapture

@Suite("Devices of real captures", .enabled(if: Captures.isThere, Captures.reason))
struct RealCapturesTests {
    /// What a capture has of a device: ids and places as Wireshark has them, counts as they were when they were right.
    struct Expected {
        var place: String
        var ids: String?
        var submissions: Int
        var completions: Int
        var isComplete = false
        var isHub = false
    }

    /// A capture and its devices.
    struct Capture: CustomTestStringConvertible {
        var name: String
        var devices: [Expected]
        var testDescription: String { name }
    }

    private static let holtek = [
        Expected(place: "1:1", ids: "1d6b:0002", submissions: 51, completions: 50, isComplete: true, isHub: true),
        Expected(place: "1:4", ids: "06cb:00bd", submissions: 4, completions: 4, isComplete: true),
        Expected(place: "1:3", ids: "04f2:b67d", submissions: 5, completions: 5, isComplete: true),
        Expected(place: "1:0→11", ids: "04d9:1603", submissions: 30, completions: 28, isComplete: true),
    ]

    static let captures = [
        Capture(
            name: "bluepill-msc-linux.pcapng",
            devices: [
                Expected(place: "1:2", submissions: 16, completions: 16, isHub: true),
                Expected(place: "1:0→4", ids: "1209:db42", submissions: 716, completions: 716, isComplete: true),
                Expected(place: "1:3", submissions: 108, completions: 108),
            ]),
        Capture(
            name: "bluepill-msc-windows.pcapng",
            devices: [Expected(place: "1:4", ids: "1209:db42", submissions: 526, completions: 527, isComplete: true)]),
        Capture(name: "holtek-keyboard.pcapng", devices: holtek),
        Capture(name: "holtek-keyboard-linktype189.pcap", devices: holtek),
        Capture(
            name: "elecom-mouse.pcap",
            devices: [
                Expected(place: "1:2", ids: "056e:00ff", submissions: 7, completions: 7),
                Expected(place: "1:1", ids: "1d6b:0002", submissions: 1, completions: 1, isHub: true),
            ]),
        Capture(
            name: "qemu-tablet-windows.pcap",
            devices: [Expected(place: "1:1", ids: "0627:0001", submissions: 249, completions: 249, isComplete: true)]),
        Capture(
            name: "km003c-meter-plugin.pcapng",
            devices: [
                Expected(place: "3:16→0→16", ids: "5fc9:0063", submissions: 74, completions: 74, isComplete: true),
                Expected(place: "3:15", submissions: 5, completions: 5),
                Expected(place: "3:5", submissions: 116, completions: 116),
                Expected(place: "3:14", submissions: 6, completions: 6, isHub: true),
            ]),
        Capture(
            name: "km003c-meter-session.pcapng",
            devices: [
                Expected(place: "3:7", ids: "5fc9:0063", submissions: 1262, completions: 1262, isComplete: true)
            ]),
        Capture(
            name: "fingerprint-fpcmoc.pcapng",
            devices: [Expected(place: "1:19", ids: "10a5:ffe0", submissions: 114, completions: 114, isComplete: true)]),
        Capture(
            name: "fingerprint-synaptics.pcapng",
            devices: [Expected(place: "1:4", ids: "06cb:00bd", submissions: 155, completions: 155, isComplete: true)]),
        Capture(
            name: "fingerprint-realtek.pcapng",
            devices: [Expected(place: "1:5", ids: "0bda:5813", submissions: 138, completions: 139, isComplete: true)]),
        Capture(
            name: "usbip-kernel-stub.pcapng",
            devices: [
                Expected(place: "18:2", submissions: 56, completions: 56),
                Expected(place: "17:2", ids: "0627:0001", submissions: 15, completions: 14, isComplete: true),
            ]),
    ]

    @Test("are found with their ids and numbers", arguments: captures)
    func devices(capture: Capture) throws {
        let summary = CaptureSurvey.run(try CaptureReader(path: Captures.path(capture.name)), progress: nil)
        #expect(summary.trouble == nil)
        let found = summary.devices.map { device in
            Expected(
                place: "\(device.bus):\(device.addresses.map(String.init).joined(separator: "→"))",
                ids: device.vendorID.flatMap { vendor in
                    device.productID.map { DeviceChoice.ids(vendor: vendor, product: $0).description }
                }, submissions: device.submissions, completions: device.completions,
                isComplete: device.descriptors.isComplete, isHub: device.isHub)
        }
        #expect(found.map { "\($0)" } == capture.devices.map { "\($0)" })
    }

    @Test("have the same counts when their transfers are loaded, and data that can be read", arguments: captures)
    func transfers(capture: Capture) throws {
        let reader = try CaptureReader(path: Captures.path(capture.name))
        let (traces, summary) = try TraceLoader.load(reader, choice: nil)
        #expect(traces.count == capture.devices.count)
        for trace in traces {
            let device = trace.device
            #expect(trace.transfers.count == device.submissions + device.unasked)
            #expect(trace.transfers.filter { $0.marks.contains(.noSubmission) }.count == device.unasked)
            #expect(trace.transfers.filter { $0.marks.contains(.noCompletion) }.count == device.unanswered)
            #expect(device.endpoints.reduce(0) { $0 + $1.transfers } == trace.transfers.count)
            for transfer in trace.transfers {
                #expect(try trace.bytes(transfer.input).count == Int(transfer.input.count))
                #expect(try trace.bytes(transfer.output).count == Int(transfer.output.count))
            }
            let (completed, _) = try trace.completedDescriptors()
            #expect(completed.device.count == 18)
            #expect(completed.configurations.allSatisfy { $0.count >= 18 })
        }
        #expect(summary.devices == traces.map(\.device))
    }

    @Test("take descriptors from a file of umockdev's")
    func umockdev() throws {
        let (trace, _) = try TraceLoader.loadOne(
            path: Captures.path("holtek-keyboard.pcapng"), choice: .parse("4"),
            descriptors: Captures.path("holtek-keyboard.umockdev"))
        #expect(trace.device.announcement != nil)
        let error = #expect(throws: CaptureError.self) {
            try TraceLoader.loadOne(
                path: Captures.path("holtek-keyboard.pcapng"), choice: .parse("3"),
                descriptors: Captures.path("holtek-keyboard.umockdev"))
        }
        #expect(error?.description.contains("04d9:1603") == true)
        #expect(error?.description.contains("04f2:b67d") == true)
    }
}
