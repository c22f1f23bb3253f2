import CaptureTraces
import Testing
import USBCore
import USBReplay
import USBReplayHost

@Suite("Disks are not written to unless that is allowed")
struct DiskTests {
    private let recording = Recording()
    private let before: [Int]
    private let written: [Int]
    private let after: [Int]

    /// A disk that is read, written, and read again where it was written and elsewhere.
    init() {
        recording.descriptors.configurations[0] = Self.configuration(protocol: 0x50)
        recording.control(.configure(1))
        before = Self.command(recording, 1, [0x28, 0, 0, 0, 0, 8, 0, 0, 1], read: 1)
        written = Self.command(recording, 2, [0x2a, 0, 0, 0, 0, 8, 0, 0, 1], write: 2)
        after =
            Self.command(recording, 3, [0x28, 0, 0, 0, 0, 8, 0, 0, 1], read: 2)
            + Self.command(recording, 4, [0x28, 0, 0, 0, 0, 9, 0, 0, 1], read: 3)
    }

    private static func configuration(protocol number: UInt8) -> [UInt8] {
        [9, 2, 32, 0, 1, 1, 0, 0x80, 50, 9, 4, 0, 0, 2, 8, 6, number, 0]
            + [7, 5, 0x81, 2, 64, 0, 0, 7, 5, 0x02, 2, 64, 0, 0]
    }

    private static func command(
        _ recording: Recording, _ tag: UInt8, _ cdb: [UInt8], read: UInt8? = nil, write: UInt8? = nil
    ) -> [Int] {
        let length: UInt8 = read == nil && write == nil ? 0 : 64
        let block =
            [0x55, 0x53, 0x42, 0x43, tag, 0, 0, 0, length, 0, 0, 0, write == nil ? 0x80 : 0, 0, 10] + cdb
            + [UInt8](repeating: 0, count: 16 - cdb.count)
        var places = [recording.write(2, block)]
        if let read { places.append(recording.read(1, [UInt8](repeating: read, count: 64))) }
        if let write { places.append(recording.write(2, [UInt8](repeating: write, count: 64))) }
        places.append(recording.read(1, [0x55, 0x53, 0x42, 0x53, tag, 0, 0, 0, 0, 0, 0, 0, 0], room: 13))
        return places
    }

    @Test("A command that writes is left out with its data and its status")
    func leftOut() {
        let replayed = recording.replay()
        #expect(replayed.order == [0] + before + after)
        #expect(replayed.replay.skipped == [.write: 3])
        #expect(replayed.report.notes.contains { $0.contains("1 command that changes what the disk holds left out") })
        #expect(replayed.report.notes.contains { $0.contains("--allow-writes") })
    }

    @Test("What was not written is not missed where it is read")
    func unsettled() {
        let changed = recording.replay { target in
            target.other[after[1]] = { $0.data = [UInt8](repeating: 1, count: 64) }
        }
        #expect(changed.report.passed)
        let elsewhere = recording.replay { target in
            target.other[after[4]] = { $0.data = [UInt8](repeating: 1, count: 64) }
        }
        #expect(elsewhere.report.divergences.map(\.firstDifference) == [0])
        let status = recording.replay { target in target.other[after[2]] = { $0.data[12] = 1 } }
        #expect(status.report.divergenceCount == 1)
        let first = recording.replay { target in target.other[before[1]] = { $0.data[0] = 9 } }
        #expect(first.report.divergenceCount == 1)
    }

    @Test("With leave everything is sent, and everything compared")
    func allowed() {
        let settings = HostReplaySettings(allowsWrites: true)
        let replayed = recording.replay(settings)
        #expect(replayed.order == [0] + before + written + after)
        #expect(replayed.replay.skipped.isEmpty)
        let changed = recording.replay(settings) { target in target.other[after[1]] = { $0.data[0] = 9 } }
        #expect(changed.report.divergenceCount == 1)
    }

    @Test("What erases without sending data is left out too; what only reads or ejects is not")
    func withoutData() {
        let recording = Recording()
        recording.descriptors.configurations[0] = Self.configuration(protocol: 0x50)
        recording.control(.configure(1))
        _ = Self.command(recording, 1, [0x04])
        let eject = Self.command(recording, 2, [0x1b, 0, 0, 0, 2])
        _ = Self.command(recording, 3, [0x42])
        #expect(recording.replay().order == [0] + eject)
    }

    @Test("Data whose command the capture does not have are left out")
    func cutCommand() {
        let recording = Recording()
        recording.descriptors.configurations[0] = Self.configuration(protocol: 0x50)
        recording.control(.configure(1))
        recording.write(2, [UInt8](repeating: 1, count: 64))
        recording.read(1, [0x55, 0x53, 0x42, 0x53, 9, 0, 0, 0, 0, 0, 0, 0, 0])
        let ready = Self.command(recording, 1, [0])
        #expect(recording.replay().order == [0] + ready)
    }

    @Test("Disks of another transport are left alone", arguments: [0x62, 0x00] as [UInt8])
    func otherTransport(_ number: UInt8) {
        let recording = Recording()
        recording.descriptors.configurations[0] = Self.configuration(protocol: number)
        recording.control(.configure(1))
        recording.write(2, [1, 2, 3])
        recording.control(SetupPacket(requestType: 0x21, request: 0, length: 1), out: [4])
        let asked = recording.control(SetupPacket(requestType: 0xa1, request: 0xfe, length: 1), in: [0])
        #expect(recording.replay().order == [0, asked])
        #expect(recording.replay(HostReplaySettings(allowsWrites: true)).order == [0, 1, 2, asked])
    }
}
