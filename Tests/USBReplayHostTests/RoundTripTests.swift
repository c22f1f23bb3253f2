import Synchronization
import Testing
import USBCapture
import USBCore
import USBIPClient
import USBReplay
import USBReplayHost

@testable import CaptureTraces

@Suite("A recorded device, replayed to its recorded host and recorded again")
struct RoundTripTests {
    @Test(
        "gives the recording again, but for times, names and what cannot be made again",
        .enabled(if: Captures.isThere, Captures.reason), arguments: Captures.names)
    func roundTrip(name: String) throws {
        let devices = try Captures.devices(name)
        if let known = Self.leftOut[name] { #expect(devices == known.keys.sorted(), "\(name)") }
        for number in devices {
            let trace = try Captures.trace(name, number)
            let atDevice = Divergences()
            let hosted = try Hosted(isRecorded: true) {
                var settings = ReplaySettings()
                settings.timing = .fast
                let device = try ReplayDevice(try Captures.trace(name, number), settings)
                device.onDivergence = { atDevice.add($0) }
                return device
            }
            let settings = HostReplaySettings(ignored: [try IgnoreRule("request=GET_STATUS")], allowsWrites: true)
            let (report, skipped) = try hosted.withRemote { remote in
                let replay = HostReplay(trace, remote: remote, settings)
                return (replay.run(), replay.skipped)
            }
            let device = "\(name), device \(number)"
            #expect(report.passed, "\(device): \(report.text(showing: 4))")
            #expect(atDevice.all.isEmpty, "\(device): \(atDevice.all.prefix(4).map(\.words))")
            if let known = Self.leftOut[name] { #expect(skipped == known[number], "\(device)") }
            try compare(trace, with: try hosted.capture(), skipped, device)
        }
    }

    @Test(
        "with one byte of an answer changed differs in exactly that",
        .enabled(if: Captures.isThere, Captures.reason), arguments: Captures.names)
    func oneByte(name: String) throws {
        for number in try Captures.devices(name) {
            let original = try Captures.trace(name, number)
            guard let index = try changeable(original) else { continue }
            let transfer = original.transfers[index]
            let byte = Int(transfer.input.count) / 2
            // In the file of the host only.
            var bytes = try Captures.bytes(name)
            bytes[Int(transfer.input.place) + byte] ^= 0x55
            let source = try CaptureReader(bytes: bytes)
            let trace = try #require(try TraceLoader.load(source, choice: .number(number)).traces.first)
            let hosted = try Hosted {
                var settings = ReplaySettings()
                settings.timing = .fast
                return try ReplayDevice(try Captures.trace(name, number), settings)
            }
            let settings = HostReplaySettings(ignored: [try IgnoreRule("request=GET_STATUS")], allowsWrites: true)
            let report = try hosted.withRemote { HostReplay(trace, remote: $0, settings).run() }
            let device = "\(name), device \(number): \(report.text(showing: 4))"
            #expect(report.divergences.map(\.kind) == [.wrongAnswer], "\(device)")
            #expect(report.divergences.map(\.packet) == [Int(transfer.completionNumber)], "\(device)")
            #expect(report.divergences.map(\.firstDifference) == [byte], "\(device)")
            #expect(report.divergences.map(\.endpoint.number) == [transfer.endpoint.number], "\(device)")
        }
    }

    /// The place of an answer in the middle of a trace whose bytes are in the file in one piece; nil without one.
    private func changeable(_ trace: Trace) throws -> Int? {
        let places = trace.transfers.indices.filter { place in
            let transfer = trace.transfers[place]
            // Descriptors say what the device is, to host and device alike.
            let isPlain = transfer.setup.map { $0.kind != .standard } ?? true
            return isPlain && transfer.input.count > 0 && transfer.input.place >= 0 && transfer.type != .isochronous
                && transfer.status == .success && isMade(transfer)
        }
        return places.isEmpty ? nil : places[places.count / 2]
    }

    /// What is not made again of the known captures, by the device's number: nothing is lost silently.
    private static let leftOut: [String: [Int: [SkipReason: Int]]] = [
        "bluepill-msc-linux.pcapng": [2: [.cancelled: 34], 3: [.unended: 2]],
        "bluepill-msc-windows.pcapng": [1: [.injected: 6, .unasked: 1]],
        "elecom-mouse.pcap": [1: [.unended: 1]],
        "fingerprint-fpcmoc.pcapng": [1: [:]],
        "fingerprint-realtek.pcapng": [1: [.unasked: 1]],
        "fingerprint-synaptics.pcapng": [1: [.cancelled: 1]],
        "holtek-keyboard-linktype189.pcap": [2: [:], 3: [:], 4: [.unended: 2]],
        "holtek-keyboard.pcapng": [2: [:], 3: [:], 4: [.unended: 2]],
        "km003c-meter-plugin.pcapng": [1: [.cancelled: 19], 2: [.unended: 1], 3: [.unended: 2]],
        "km003c-meter-session.pcapng": [1: [.cancelled: 2]],
        "qemu-tablet-windows.pcap": [1: [.injected: 3, .unended: 2]],
        "usbip-kernel-stub.pcapng": [1: [:], 2: [.unended: 1]],
    ]

    /// Compares what was recorded first with what was recorded then, endpoint by endpoint.
    private func compare(_ first: Trace, with second: Trace, _ skipped: [SkipReason: Int], _ name: String) throws {
        let made = first.transfers.filter { isMade($0) }
        #expect(first.transfers.count - made.count == skipped.values.reduce(0, +), "\(name): all left out are counted")
        // What was selected beforehand is not of the recording.
        let surplus = second.transfers.count - made.count
        let prepared = second.transfers.prefix(max(0, surplus))
        #expect(surplus >= 0, "\(name): \(-surplus) transfers are missing")
        #expect(prepared.allSatisfy { [9, 11].contains($0.setup?.request) && $0.setup?.kind == .standard })
        let again = second.transfers.dropFirst(prepared.count)
        var differences: [String] = []
        for endpoint in Set(made.map(\.endpoint)).sorted(by: { $0.rawValue < $1.rawValue }) {
            // Reads that waited when the capture began come first.
            let left = made.filter { $0.endpoint == endpoint }
                .sorted { ($0.submissionNumber, $0.completionNumber) < ($1.submissionNumber, $1.completionNumber) }
            let right = again.filter { $0.endpoint == endpoint }
            if left.count != right.count {
                differences.append("\(endpoint): \(left.count) transfers, then \(right.count)")
            }
            for (old, new) in zip(left, right) {
                // The host's kernel makes this of a short transfer; the device knows nothing of it.
                let status = old.status == .short ? .success : old.status
                let isSame =
                    old.setup == new.setup && old.type == new.type && status == new.status && old.actual == new.actual
                let output = try first.bytes(old.output) == second.bytes(new.output)
                let input = try isLive(old) || first.bytes(old.input) == second.bytes(new.input)
                if !isSame || !output || !input {
                    differences.append(
                        "\(endpoint), packet \(old.submissionNumber): status \(old.status.rawValue) with \(old.actual) "
                            + "bytes, then \(new.status.rawValue) with \(new.actual)")
                }
            }
        }
        #expect(differences.isEmpty, "\(name): \(differences.prefix(6).joined(separator: "; "))")
    }

    /// Whether the device says what is so now: which of its features the host has switched on (USB 2.0 §9.4.5).
    private func isLive(_ transfer: TracedTransfer) -> Bool {
        transfer.setup.map { $0.kind == .standard && $0.request == 0 } ?? false
    }

    /// Whether a transfer can be made again, by what the capture says of it.
    private func isMade(_ transfer: TracedTransfer) -> Bool {
        let isSetAddress = transfer.setup.map { $0.requestType == 0 && $0.request == 5 } ?? false
        let isRead = transfer.type != .control && transfer.actual > 0 && transfer.endpoint.direction == .in
        return transfer.marks.isDisjoint(with: [.isInjected, .isCancelled, .noCompletion]) && !isSetAddress
            && (!transfer.marks.contains(.noSubmission) || isRead)
    }
}

/// What the replayed device has noticed.
private final class Divergences: Sendable {
    private let list = Mutex<[Divergence]>([])

    func add(_ divergence: Divergence) { list.withLock { $0.append(divergence) } }
    var all: [Divergence] { list.withLock { $0 } }
}
