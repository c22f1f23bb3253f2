import DirectHost
import Testing
import USBCore
import USBDeviceKit
import USBHID

/// HID 1.11 §7.2.4, to the nanosecond.
@Suite("Idle rates")
struct IdleTests {
    /// A host that polls a device without report ids.
    private func polling(_ boot: HIDInterface.Boot = .none) throws -> (HIDTestHost, ProbeFunction) {
        let probe = ProbeFunction.withoutIDs(boot: boot)
        let hid = try HIDTestHost([probe])
        hid.poll()
        return (hid, probe)
    }

    private let state: [UInt8] = [10, 11, 12, 13]

    @Test("with duration 0 nothing comes unless something is sent")
    func infinite() throws {
        let (hid, probe) = try polling()
        hid.host.clock.advance(by: 3_600_000 * millisecond)
        #expect(hid.take().isEmpty && hid.host.clock.alarmCount == 0)
        probe.link?.send([1, 2, 3, 4])
        #expect(hid.take() == [[1, 2, 3, 4]])
    }

    @Test("with duration n the report is repeated each n x 4 ms, as it then is")
    func repeats() throws {
        let (hid, probe) = try polling()
        #expect(hid.setIdle(5))
        hid.host.clock.advance(by: 20 * millisecond - 1)
        #expect(hid.take().isEmpty)
        hid.host.clock.advance(by: 1)
        #expect(hid.take() == [state])
        probe.answers[[1, 0]] = [9, 9, 9, 9]
        hid.host.clock.advance(by: 40 * millisecond)
        #expect(hid.take() == [[9, 9, 9, 9], [9, 9, 9, 9]])
    }

    @Test("a report that is sent begins the period anew")
    func restarts() throws {
        let (hid, probe) = try polling()
        #expect(hid.setIdle(5))
        hid.host.clock.advance(by: 15 * millisecond)
        probe.link?.send([1, 2, 3, 4])
        hid.host.clock.advance(by: 20 * millisecond - 1)
        #expect(hid.take() == [[1, 2, 3, 4]])
        hid.host.clock.advance(by: 1)
        #expect(hid.take() == [state])
    }

    @Test("a keyboard repeats after 500 ms until the host says otherwise")
    func keyboard() throws {
        let (hid, _) = try polling(.keyboard)
        hid.host.clock.advance(by: 1000 * millisecond)
        #expect(hid.take().count == 2)
        #expect(hid.setIdle(0))
        hid.host.clock.advance(by: 10_000 * millisecond)
        #expect(hid.take().isEmpty)
    }

    @Test("a new rate counts from the last report")
    func fromLastReport() throws {
        let (hid, _) = try polling()
        #expect(hid.setIdle(100))
        hid.host.clock.advance(by: 30 * millisecond)
        #expect(hid.setIdle(10))
        hid.host.clock.advance(by: 10 * millisecond)
        #expect(hid.take() == [state], "40 ms after the beginning, not after the request")
    }

    @Test("a report is sent at once when the time is past under the new rate")
    func overdue() throws {
        let (hid, _) = try polling()
        #expect(hid.setIdle(100))
        hid.host.clock.advance(by: 50 * millisecond)
        #expect(hid.take().isEmpty)
        #expect(hid.setIdle(10))
        #expect(hid.take() == [state])
        hid.host.clock.advance(by: 40 * millisecond)
        #expect(hid.take() == [state])
    }

    @Test("a request within 4 ms of a period's end holds after the report, one earlier at once")
    func late() throws {
        let (hid, _) = try polling()
        #expect(hid.setIdle(10))
        hid.host.clock.advance(by: 36 * millisecond + 1)
        #expect(hid.setIdle(0) && hid.getIdle() == [0])
        hid.host.clock.advance(by: 100 * millisecond)
        #expect(hid.take() == [state], "the period's report still comes, and no other")

        #expect(hid.setIdle(10), "past its time under this rate, so one comes at once")
        #expect(hid.take() == [state])
        hid.host.clock.advance(by: 36 * millisecond)
        #expect(hid.setIdle(0))
        hid.host.clock.advance(by: 100 * millisecond)
        #expect(hid.take().isEmpty)
    }

    @Test("a host that does not ask gets one report when it asks, not one for each period")
    func unasked() throws {
        let probe = ProbeFunction.withoutIDs()
        let hid = try HIDTestHost([probe])
        #expect(hid.setIdle(5))
        hid.host.clock.advance(by: 1000 * millisecond)
        #expect(hid.host.clock.alarmCount == 0)
        #expect(hid.read() == state && hid.read() == nil)
    }

    @Test("reports with ids have a rate each")
    func byID() throws {
        let probe = ProbeFunction.withIDs()
        let hid = try HIDTestHost([probe])
        hid.poll()
        #expect(hid.setIdle(5, 1) && hid.setIdle(10, 2))
        hid.host.clock.advance(by: 20 * millisecond)
        #expect(hid.take() == [[1, 10, 11]])
        probe.link?.send([2, 99])
        hid.host.clock.advance(by: 40 * millisecond)
        #expect(hid.take() == [[2, 99], [1, 10, 11], [1, 10, 11], [2, 20]])
        #expect(hid.setIdle(0))
        hid.host.clock.advance(by: 1000 * millisecond)
        #expect(hid.take().isEmpty)
    }

    @Test("a function without a report to repeat is asked once a period")
    func nothingToRepeat() throws {
        let (hid, probe) = try polling()
        probe.answers = [:]
        #expect(hid.setIdle(1))
        hid.host.clock.advance(by: 100 * millisecond)
        #expect(hid.take().isEmpty && hid.host.clock.alarmCount == 1)
        probe.answers[[1, 0]] = state
        hid.host.clock.advance(by: 4 * millisecond)
        #expect(hid.take() == [state])
    }

    @Test("a clock that rings late makes up for nothing")
    func jump() throws {
        let (hid, _) = try polling()
        #expect(hid.setIdle(1))
        hid.host.clock.jump(to: hid.host.clock.now + 3_600_000 * millisecond)
        #expect(hid.take() == [state])
    }
}
