import Testing
import USBCapture
import USBCore

@testable import CaptureTraces

/// What takes time in proportion to a capture's length; each of these took minutes when it was the square of it.
@Suite("Long captures", .timeLimit(.minutes(1)))
struct LongCapturesTests {
    @Test("of isochronous transfers keep the packets as they were submitted and as they ended")
    func isochronous() throws {
        func packets(_ n: Int, _ length: UInt32) -> [CapturedPacket] {
            (0..<8).map { CapturedPacket(status: .success, offset: UInt32($0) * 192, length: length + UInt32(n % 50)) }
        }
        var script = Script()
        for n in 0..<40_000 {
            let urb = UInt64(n)
            script.add(.submission, .isochronous, 0x81, urb: urb, length: 1536, packets: packets(n, 192))
            script.add(.completion, .isochronous, 0x81, urb: urb, length: 0, packets: packets(n, 0))
        }
        let trace = try script.trace()
        #expect(trace.transfers.count == 40_000)
        let last = try #require(trace.transfers.last)
        let place = Int(last.firstPacket)..<Int(last.firstPacket) + Int(last.packetCount)
        #expect(Array(trace.submittedPackets[place]) == packets(39_999, 192))
        #expect(Array(trace.packets[place]) == packets(39_999, 0))
    }

    @Test("keep the packets that were submitted where more of them end")
    func morePackets() throws {
        func packets(_ count: Int, _ length: UInt32) -> [CapturedPacket] {
            (0..<count).map { CapturedPacket(status: .success, offset: UInt32($0), length: length) }
        }
        var script = Script()
        script.add(.submission, .isochronous, 0x81, urb: 1, packets: packets(2, 100))
        script.add(.completion, .isochronous, 0x81, urb: 1, packets: packets(3, 7))
        let trace = try script.trace()
        let transfer = trace.transfers[0]
        let place = Int(transfer.firstPacket)..<Int(transfer.firstPacket) + Int(transfer.packetCount)
        #expect(trace.submittedPackets[place].map(\.length) == [100, 100, 7])
        #expect(trace.packets[place].map(\.length) == [7, 7, 7])
    }

    @Test("say much of a device with long descriptors, at which is looked once")
    func announcements() throws {
        var script = Script()
        let endpoints = [[UInt8]](repeating: [7, 5, 0x81, 3, 8, 0, 10], count: 9000).flatMap(\.self)
        for index in 0..<10 as Range<UInt8> {
            let configuration: [UInt8] = [9, 2, 0x21, 0xf6, 1, 1, 0, 0x80, 50] + endpoints
            script.descriptor(2, index: index, length: 0xffff, configuration)
        }
        script.announcements = [DeviceAnnouncement](
            repeating: DeviceAnnouncement(bus: 1, device: 5, speed: nil), count: 20_000)
        script.announcements.append(DeviceAnnouncement(bus: 1, device: 5, speed: .high))
        let device = try #require(script.summary.devices.first)
        #expect(device.speed == .high)
        #expect(device.isSpeedKnown)
        #expect(device.announcement == script.announcements.last)
    }

    @Test("have commands of many transfers, and disks of many pieces")
    func pieces() throws {
        var script = Script()
        let count = 30_000
        script.output(
            1, Samples.command(Samples.blocks(0x28, 0, 469), tag: 1, expected: UInt32(count * 8), isIn: true))
        for n in 0..<count { script.input(2, [UInt8](repeating: UInt8(truncatingIfNeeded: n / 64), count: 8)) }
        script.input(2, Samples.status(1))
        // Every other block is written afterwards, so that the others are read one by one.
        for block in stride(from: 0, to: 468, by: 2) {
            script.storage(
                Samples.blocks(0x2a, UInt32(block), 1), tag: 2, out: [[UInt8](repeating: 0xff, count: 512)])
        }
        let trace = try script.trace()
        let commands = try BulkOnlyReader.commands(of: trace)
        #expect(commands.first?.moved == count * 8)
        let image = try DiskImage(trace, commands: commands)
        #expect(image.known(.final) == [0..<468])
        for block in 0..<468 as Range<UInt64> {
            let value = block % 2 == 0 ? 0xff : UInt8(truncatingIfNeeded: block)
            #expect(try image.block(block, .final) == [UInt8](repeating: value, count: 512))
        }
    }
}
