import CaptureTraces
import DirectHost
import Testing
import USBCapture
import USBCore
import USBDeviceKit
import USBReplay

/// A capture can be overwritten or cut while it is served, since its data are read as they are needed.
@Suite("A recording that cannot be read any more")
struct UnreadableReplayTests {
    private func recording() -> TraceMaker {
        let maker = TraceMaker {
            Interface(0, class: .vendorSpecific) {
                Endpoint(.in(1), .bulk)
                Endpoint(.out(1), .bulk)
            }
        }
        maker.control(.vendorIn(1, 2), answer: [1, 2]).control(.vendorOut(2, 2), [3, 4])
        return maker.answer(1, [0xff]).send(1, [1]).answer(1, [0x11]).send(1, [2])
    }

    @Test("its transfers end with a protocol error, which is told once and not held against the host")
    func told() throws {
        let maker = recording()
        let (host, device) = try maker.host()
        maker.isReadable = false
        #expect(host.read(.in(1), 512)?.status == .protocolError)
        #expect(host.write(.out(1), [1])?.status == .protocolError)
        #expect(host.control(.vendorIn(1, 2))?.status == .protocolError)
        #expect(host.control(.vendorOut(2, 2), [3, 4])?.status == .protocolError)
        let report = device.report
        #expect(report.divergences.map(\.kind) == [.unreadable])
        #expect(report.divergences.first?.actor == .device)
        #expect(report.divergences.first?.packet == 6)
        #expect(host.violations.isEmpty)
    }

    @Test("strict does not blame the host either")
    func strict() throws {
        let maker = recording()
        let (host, device) = try maker.host { $0.match = .strict }
        maker.isReadable = false
        #expect(host.write(.out(1), [1])?.status == .protocolError)
        #expect(device.report.divergences.allSatisfy { $0.kind == .unreadable || $0.kind == .missingRequest })
    }
}
