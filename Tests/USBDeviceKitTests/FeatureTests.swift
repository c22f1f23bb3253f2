import DirectHost
import Testing
import USBCore

@testable import USBDeviceKit

@Suite("Status and features of device and interfaces (USB 2.0 §9.4.5, §9.4.9; USB 3.2 §9.4)")
struct FeatureTests {
    @Test("self-powered is bit 0 and follows the configuration")
    func selfPowered() throws {
        let host = try Bench(configuration: 1).host
        #expect(host.answer(.getStatus(.device)) == [1, 0])
        #expect(host.accepts(.setConfiguration(2)) && host.answer(.getStatus(.device)) == [0, 0])
    }

    @Test("remote wakeup is bit 1, on request, and a reset takes it back", arguments: [Speed.full, .high])
    func remoteWakeup(speed: Speed) throws {
        let bench = try Bench(speed, in: .configured)
        let host = bench.host
        #expect(host.accepts(.setFeature(.device, 1)) && host.answer(.getStatus(.device)) == [3, 0])
        #expect(host.accepts(.clearFeature(.device, 1)) && host.answer(.getStatus(.device)) == [1, 0])
        #expect(host.accepts(.setFeature(.device, 1)))
        bench.device.reset(.port)
        #expect(host.answer(.getStatus(.device)) == [1, 0])
    }

    @Test("a configuration that cannot wake the host refuses to learn it")
    func noRemoteWakeup() throws {
        let host = try Bench(configuration: 2).host
        #expect(host.refuses(.setFeature(.device, 1)) && host.refuses(.clearFeature(.device, 1)))
        #expect(host.answer(.getStatus(.device)) == [0, 0])
    }

    @Test("test modes and unknown features are refused", arguments: Speed.all, [0, 2, 3, 47, 51, 0xffff] as [UInt16])
    func unknownFeatures(speed: Speed, feature: UInt16) throws {
        let host = try Bench(speed, in: .configured).host
        let before = host.answer(.getStatus(.device))
        #expect(host.refuses(.setFeature(.device, feature)) && host.refuses(.clearFeature(.device, feature)))
        #expect(host.answer(.getStatus(.device)) == before)
    }

    @Test("the status of interfaces and endpoints is zero below SuperSpeed")
    func otherStatus() throws {
        let host = try Bench(configuration: 1).host
        #expect(host.answer(.getStatus(.interface, 0)) == [0, 0] && host.answer(.getStatus(.interface, 1)) == [0, 0])
        #expect(host.refuses(.getStatus(.interface, 2)) && host.refuses(.getStatus(.interface, 0x100)))
        #expect(host.refuses(.setFeature(.interface, 0, 0)) && host.refuses(.clearFeature(.interface, 0, 0)))
    }

    @Test("GET_STATUS with a wValue, or of another recipient, is refused; a wLength of 1 gets one byte")
    func statusFields() throws {
        let host = try Bench(configuration: 1).host
        #expect(host.refuses(.init(requestType: 0x80, request: 0, value: 1, length: 2)))
        #expect(host.refuses(.getStatus(.other)) && host.refuses(.getStatus(.init(rawValue: 31))))
        #expect(host.answer(.init(requestType: 0x80, request: 0, length: 1)) == [1])
        #expect(host.answer(.init(requestType: 0x80, request: 0, length: 0)) == [])
    }

    @Test("U1, U2 and LTM are bits 2, 3 and 4 of a configured SuperSpeed device", arguments: [Speed.super, .superPlus])
    func superSpeed(speed: Speed) throws {
        let bench = try Bench(speed, in: .configured)
        let host = bench.host
        for (feature, bit) in [(48, 2), (49, 3), (50, 4)] as [(UInt16, Int)] {
            #expect(host.accepts(.setFeature(.device, feature)))
            #expect(host.answer(.getStatus(.device)) == [1 | 1 << bit, 0])
            #expect(host.accepts(.clearFeature(.device, feature)) && host.answer(.getStatus(.device)) == [1, 0])
        }
        for feature: UInt16 in 48...50 { #expect(host.accepts(.setFeature(.device, feature))) }
        #expect(host.answer(.getStatus(.device)) == [0x1d, 0])
        bench.device.reset(.port)
        #expect(host.answer(.getStatus(.device)) == [1, 0])
        for feature: UInt16 in 48...50 { #expect(host.refuses(.setFeature(.device, feature)), "not configured") }
    }

    @Test("the features of SuperSpeed are unknown below it", arguments: [Speed.full, .high])
    func noSuperSpeed(speed: Speed) throws {
        let host = try Bench(speed, in: .configured).host
        for feature: UInt16 in 48...50 { #expect(host.refuses(.setFeature(.device, feature))) }
        #expect(host.refuses(.init(requestType: 0x00, request: 0x30, length: 6), [0, 0, 0, 0, 0, 0]))
        #expect(host.refuses(.init(requestType: 0x00, request: 0x31, value: 40)))
    }

    @Test("SET_SEL takes six bytes and SET_ISOCH_DELAY none", arguments: DeviceState.allCases)
    func latencies(state: DeviceState) throws {
        let host = try Bench(.super, in: state).host
        let outcome = host.control(.init(requestType: 0x00, request: 0x30, length: 6), [1, 2, 3, 0, 4, 0])
        #expect(outcome?.status == .success && outcome?.actualLength == 6)
        #expect(host.refuses(.init(requestType: 0x00, request: 0x30, length: 5), [1, 2, 3, 4, 5]))
        #expect(host.refuses(.init(requestType: 0x80, request: 0x30, length: 6)))
        #expect(host.accepts(.init(requestType: 0x00, request: 0x31, value: 40)))
        #expect(host.refuses(.init(requestType: 0x80, request: 0x31, value: 40, length: 2)))
    }

    @Test("a SuperSpeed function is allowed to wake the host by FUNCTION_SUSPEND, not by the device's feature")
    func functionSuspend() throws {
        let bench = try Bench(.super, in: .configured)
        let host = bench.host
        #expect(host.refuses(.setFeature(.device, 1)))
        #expect(host.answer(.getStatus(.interface, 1)) == [1, 0])
        // Linux: low power and remote wake in the high byte of wIndex, the interface in the low one.
        #expect(host.accepts(.setFeature(.interface, 0, 0x0301)))
        #expect(host.answer(.getStatus(.interface, 1)) == [3, 0] && host.answer(.getStatus(.interface, 0)) == [1, 0])
        #expect(host.accepts(.setFeature(.interface, 0, 0x0001)) && host.answer(.getStatus(.interface, 1)) == [1, 0])
        #expect(host.accepts(.setFeature(.interface, 0, 0x0300)) && host.accepts(.clearFeature(.interface, 0, 0)))
        #expect(host.answer(.getStatus(.interface, 0)) == [1, 0])
        #expect(host.refuses(.setFeature(.interface, 0, 0x0302)) && host.refuses(.setFeature(.interface, 1, 0)))
        #expect(host.accepts(.setConfiguration(2)))
        #expect(host.refuses(.setFeature(.interface, 0, 0x0200)), "configuration 2 cannot wake the host")
        #expect(host.answer(.getStatus(.interface, 0)) == [0, 0])
    }

    @Test("every standard request that a state or recipient does not have is refused", arguments: DeviceState.allCases)
    func unknownRequests(state: DeviceState) throws {
        let host = try Bench(.super, in: state).host
        let known: Set<[UInt8]> = [
            [0x80, 0], [0x81, 0], [0x82, 0], [0x00, 1], [0x01, 1], [0x02, 1], [0x00, 3], [0x01, 3], [0x02, 3],
            [0x00, 5],
            [0x80, 6], [0x81, 6], [0x80, 8], [0x00, 9], [0x81, 10], [0x01, 11], [0x82, 12], [0x00, 0x30], [0x00, 0x31],
        ]
        for type: UInt8 in [0x00, 0x01, 0x02, 0x03, 0x1f, 0x80, 0x81, 0x82, 0x83, 0x9f] {
            for request: UInt8 in 0...255 where !known.contains([type, request]) {
                #expect(host.refuses(.init(requestType: type, request: request)), "\(type) \(request)")
            }
        }
        #expect(host.violations.isEmpty)
    }
}
