import CaptureTraces
import Testing
import USBCapture
import USBCore

@Suite("What a capture knows of descriptors")
struct KnownDescriptorsTests {
    private func known(_ write: (inout Script) -> Void) -> KnownDescriptors {
        var script = Script()
        write(&script)
        return script.summary.devices[0].descriptors
    }

    @Test("is the longest answer")
    func longest() {
        let whole = Samples.storage
        let known = known { script in
            script.descriptor(2, length: 9, whole)
            script.descriptor(2, length: 200, whole)
            script.descriptor(2, length: 9, whole)
            script.descriptor(1, length: 8, Samples.device())
        }
        #expect(known.configurations == [0: whole])
        #expect(known.device == [UInt8](Samples.device().prefix(8)))
        #expect(!known.isDeviceWhole)
        #expect(known.isConfigurationWhole(0))
        #expect(!known.isConfigurationWhole(1))
    }

    @Test("is the last whole answer, though an earlier one was longer")
    func last() {
        let long = StringDescriptor("a long name").bytes
        let short = StringDescriptor("short").bytes
        let known = known { script in
            script.descriptor(3, index: 1, language: 0x409, long)
            script.descriptor(3, index: 1, language: 0x409, short)
        }
        #expect(known.strings[.init(index: 1, language: 0x409)] == short)
        #expect(known.string(1) == "short")
    }

    @Test("is kept by index, language and interface")
    func keys() {
        let known = known { script in
            script.descriptor(3, index: 0, StringDescriptor(units: [0x409, 0x407]).bytes)
            script.descriptor(3, index: 2, language: 0x409, StringDescriptor("key").bytes)
            script.descriptor(3, index: 2, language: 0x407, StringDescriptor("Taste").bytes)
            script.descriptor(0x22, language: 0, requestType: 0x81, [1, 2, 3])
            script.descriptor(0x22, language: 1, requestType: 0x81, [4, 5, 6, 7])
            script.descriptor(6, DeviceQualifierDescriptor.sample)
            script.descriptor(0x0f, [5, 0x0f, 5, 0, 0])
        }
        #expect(Set(known.strings.keys.map(\.language)) == [0, 0x409, 0x407])
        #expect(known.string(2) == "Taste")
        #expect(known.reports == [0: [1, 2, 3], 1: [4, 5, 6, 7]])
        #expect(known.qualifier == DeviceQualifierDescriptor.sample)
        #expect(known.objectStore == [5, 0x0f, 5, 0, 0])
    }

    @Test("is nothing that is of another type, was refused, or was sent by the host")
    func unbelieved() {
        let known = known { script in
            script.descriptor(1, Samples.storage)
            script.descriptor(2, nil)
            script.control(
                SetupPacket(requestType: 0x00, request: 7, value: 0x0100, length: 18), data: Samples.device())
            script.control(
                SetupPacket(requestType: 0xc0, request: 6, value: 0x0100, length: 18), answer: Samples.device())
        }
        #expect(known == KnownDescriptors())
    }

    @Test("ends where the descriptor says, whatever more was sent")
    func trimmed() {
        let known = known { $0.descriptor(1, Samples.device() + [1, 2, 3]) }
        #expect(known.device == Samples.device())
    }

    @Test("survives lengths that lie", arguments: [0, 1, 2, 3, 9, 17, 255])
    func lies(length: UInt8) throws {
        var script = Script()
        for type: UInt8 in [1, 2, 3, 6, 7, 0x0f, 0x22] {
            for count in 0..<20 {
                var bytes = [UInt8](repeating: 0xff, count: count)
                if count > 0 { bytes[0] = length }
                if count > 1 { bytes[1] = type }
                script.descriptor(type, requestType: type == 0x22 ? 0x81 : 0x80, bytes)
            }
        }
        for trace in try script.traces() {
            let (completed, _) = try trace.completedDescriptors()
            #expect(completed.device.count >= 18)
            #expect(!completed.configurations.isEmpty)
            #expect(try BulkOnlyReader.commands(of: trace).isEmpty)
        }
    }
}

extension DeviceQualifierDescriptor {
    /// A qualifier's bytes.
    static let sample: [UInt8] = [10, 6, 0, 2, 0, 0, 0, 64, 1, 0]
}

@Suite("A speed that the capture does not say")
struct SpeedTests {
    private func speed(
        _ device: [UInt8], _ configuration: [UInt8]?, _ write: (inout Script) -> Void = { _ in }
    ) -> Speed {
        var script = Script()
        script.descriptor(1, device)
        if let configuration { script.descriptor(2, configuration) }
        write(&script)
        let found = script.summary.devices[0]
        #expect(!found.isSpeedKnown)
        return found.speed
    }

    @Test(
        "follows from bulk packets", arguments: [(64, Speed.full), (512, .high), (1024, .super)] as [(UInt16, Speed)])
    func bulk(size: UInt16, expected: Speed) {
        #expect(speed(Samples.device(), Samples.configuration([Samples.endpoint(0x81, .bulk, size)])) == expected)
    }

    @Test("follows from the version and the size of control packets")
    func version() {
        #expect(speed(Samples.device(version: 0x0310, packet: 9), nil) == .super)
        #expect(speed(Samples.device(version: 0x0210, packet: 64), nil) == .full)
    }

    @Test("is low for a keyboard with packets of 8 bytes, and full for one that is asked more often")
    func low() {
        func keyboard(_ interval: UInt8, _ size: UInt16 = 8) -> [UInt8] {
            Samples.configuration(class: .hid, [Samples.endpoint(0x81, .interrupt, size, interval: interval)])
        }
        #expect(speed(Samples.device(packet: 8), keyboard(10)) == .low)
        #expect(speed(Samples.device(packet: 8), keyboard(1)) == .full)
        #expect(speed(Samples.device(packet: 8), keyboard(10, 64)) == .full)
        #expect(speed(Samples.device(packet: 64), keyboard(10)) == .full)
        #expect(speed(Samples.device(packet: 8), nil) { $0.input(1, [0, 0, 0], .interrupt, interval: 8) } == .low)
        #expect(speed(Samples.device(packet: 8), nil) { $0.input(1, [0, 0, 0], .interrupt) } == .full)
    }

    @Test(
        "follows from the interval as Linux numbers it", arguments: [(8, Speed.full), (512, .high)] as [(Int32, Speed)])
    func interval(given: Int32, expected: Speed) {
        let configuration = Samples.configuration([Samples.endpoint(0x81, .interrupt, 16, interval: 10)])
        #expect(speed(Samples.device(), configuration) { $0.input(1, [0], .interrupt, interval: given) } == expected)
    }

    @Test("is not high for a device that answers the qualifier: that is asked when it runs slower than it could")
    func qualifier() {
        #expect(speed(Samples.device(), nil) { $0.descriptor(6, DeviceQualifierDescriptor.sample) } == .full)
    }

    @Test("is high where nothing is described and bulk transfers are large")
    func large() {
        #expect(speed(Samples.device(), nil) { $0.input(1, [UInt8](repeating: 0, count: 8192)) } == .high)
    }
}
