import DirectHost
import SCSITarget
import Testing
import USBCore
import USBDeviceKit

@testable import USBMassStorage

@Suite("Transfers that come before their turn wait for it")
struct PipeliningTests {
    private let drive: Drive
    private var host: DirectHost { drive.host }

    init() throws { drive = try Drive() }

    private func status(_ tag: [UInt8], _ status: UInt8 = 0) -> [UInt8] {
        [0x55, 0x53, 0x42, 0x53] + tag + [0, 0, 0, 0, status]
    }

    private func tag(_ wrapper: [UInt8]) -> [UInt8] { Array(wrapper[4..<8]) }

    @Test("a read's data and status can be asked for before the command comes")
    func read() throws {
        let bytes = try #require(drive.store).fill(3)
        let wrapper = drive.wrap(.read10(0, 3), length: 1_536, isIn: true)
        host.forget()
        let ids = [host.submitIn(Drive.input, 1_024), host.submitIn(Drive.input, 512), host.submitIn(Drive.input, 13)]
        #expect(host.waiting == ids)
        let command = host.submitOut(Drive.output, wrapper)
        #expect(host.completions.map(\.id) == [command] + ids)
        #expect(host.completions[1].data + host.completions[2].data == bytes)
        #expect(host.completions[3].data == status(tag(wrapper)))
    }

    @Test("a write's status can be asked for before its data are sent")
    func write() throws {
        let wrapper = drive.wrap(.write10(0, 2), length: 1_024)
        host.write(Drive.output, wrapper)
        let last = host.submitIn(Drive.input, 13)
        #expect(host.write(Drive.output, numbered(1))?.status == .success && host.waiting == [last])
        #expect(host.write(Drive.output, numbered(1, from: 2))?.status == .success)
        #expect(host.outcome(last)?.data == status(tag(wrapper)))
        #expect(try drive.store?.blocks(0, 2) == numbered(2))
    }

    @Test("a command that comes while a status is due waits until that was fetched")
    func nextCommand() throws {
        let first = drive.wrap(.testUnitReady, length: 0)
        let second = drive.wrap(.write10(0, 1), length: 512)
        let third = drive.wrap(.testUnitReady, length: 0)
        host.write(Drive.output, first)
        let parked = [second, numbered(1, from: 6), third].map { host.submitOut(Drive.output, $0) }
        #expect(host.waiting == parked)
        #expect(host.read(Drive.input, 13)?.data == status(tag(first)))
        #expect(host.waiting == [parked[2]], "the second command and its data")
        #expect(host.read(Drive.input, 13)?.data == status(tag(second)) && host.waiting.isEmpty)
        #expect(host.read(Drive.input, 13)?.data == status(tag(third)))
        #expect(try drive.store?.blocks(0, 1) == numbered(1, from: 6), "the parked bytes, not what lay there later")
    }

    @Test("a status that was asked for early is stalled with the data, and comes after CLEAR_HALT")
    func earlyStatusStalls() {
        let wrapper = drive.wrap(.testUnitReady, length: 512, isIn: true)
        let early = [host.submitIn(Drive.input, 512), host.submitIn(Drive.input, 13)]
        host.write(Drive.output, wrapper)
        #expect(early.allSatisfy { host.outcome($0)?.status == .stalled })
        drive.clearHalt(Drive.input)
        let data = host.read(Drive.input, 13)?.data
        #expect(data == [0x55, 0x53, 0x42, 0x53] + tag(wrapper) + [0, 2, 0, 0, 0])
    }

    @Test("a transfer that waits can be taken back, and the drive goes on")
    func cancel() {
        let early = host.submitIn(Drive.input, 13)
        host.cancel(early)
        #expect(host.outcome(early)?.status == .cancelled && drive.works)
        host.write(Drive.output, drive.wrap(.testUnitReady, length: 0))
        let parked = host.submitOut(Drive.output, drive.wrap(.testUnitReady, length: 0))
        host.cancel(parked)
        #expect(host.outcome(parked)?.status == .cancelled)
        #expect(host.read(Drive.input, 13)?.actualLength == 13 && drive.works)
    }

    @Test("a host that goes in the midst gets everything back; the next one starts afresh")
    func disconnect() throws {
        host.write(Drive.output, drive.wrap(.read10(0, 2), length: 512, isIn: true))
        let parked = host.submitOut(Drive.output, drive.wrap(.testUnitReady, length: 0))
        drive.device.disconnect()
        #expect(host.outcome(parked)?.status == .shutdown && host.waiting.isEmpty)
        drive.device.connect()
        #expect(host.control(.init(requestType: 0x00, request: 9, value: 1))?.status == .success)
        #expect(drive.command(.testUnitReady).status == 1 && drive.sense() == [6, 0x29, 0] && drive.works)
    }

    @Test(
        "a driver that submits from its completion handlers, as kernels do, sees the same drive",
        arguments: [true, false])
    func completionHandlers(stallsShortData: Bool) throws {
        let drive = try Drive(blocks: 64, stallsShortData: stallsShortData)
        let host = drive.host
        let bytes = try #require(drive.store).fill(8)
        var left = 100
        var passed = 0
        var isData = false
        func next() {
            guard left > 0 else { return }
            left -= 1
            host.submitOut(Drive.output, drive.wrap(.read10(0, 8), length: 8_192, isIn: true))
        }
        host.onCompletion = { [unowned drive, unowned host] completion in
            switch (completion.endpoint, completion.actualLength) {
            case (Drive.output, 31):
                isData = true
                host.submitIn(Drive.input, 8_192)
            case (Drive.input, 13):
                passed += completion.data[12] == 0 && completion.data[9] == 0x10 ? 1 : 0
                next()
            case (Drive.input, _):
                if isData { #expect(completion.data == bytes) }
                isData = false
                if completion.status == .stalled { drive.clearHalt(Drive.input) }
                host.submitIn(Drive.input, 13)
            default: break
            }
        }
        next()
        #expect(passed == 100 && host.violations.isEmpty)
        host.onCompletion = nil
    }

    @Test("data and status that are submitted from the command's completion handler come to their turn")
    func writeFromHandlers() throws {
        var completed: [Int] = []
        host.onCompletion = { [unowned host] completion in
            completed.append(completion.actualLength)
            switch completion.actualLength {
            case 31:
                host.submitOut(Drive.output, numbered(2))
                host.submitIn(Drive.input, 13)
            case 1_024: host.submitOut(Drive.output, numbered(1, from: 3))
            default: break
            }
        }
        host.submitOut(Drive.output, drive.wrap(.write10(0, 3), length: 1_536))
        host.onCompletion = nil
        #expect(completed == [31, 1_024, 512, 13] && host.completions.allSatisfy { $0.status == .success })
        #expect(host.completions.last?.data[12] == 0 && host.violations.isEmpty)
        #expect(try drive.store?.blocks(0, 3) == numbered(3))
    }
}
