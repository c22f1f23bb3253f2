import Testing
import USBCapture
import USBCore

/// Numbers put one after another in either byte order.
struct ByteBuilder {
    var isBigEndian = false
    var bytes: [UInt8] = []

    mutating func put<Number: FixedWidthInteger>(_ values: Number...) {
        for value in values { put(value) }
    }

    private mutating func put<Number: FixedWidthInteger>(_ value: Number) {
        for index in 0..<MemoryLayout<Number>.size {
            let shift = 8 * (isBigEndian ? MemoryLayout<Number>.size - 1 - index : index)
            bytes.append(UInt8(truncatingIfNeeded: value >> Number(shift)))
        }
    }
}

/// A record of usbmon; what is not said is as in a bulk completion of four bytes from device 2.
struct MonPacket {
    var urb: UInt64 = 0xffff_8881_0000_0040
    var kind = UInt8(ascii: "C")
    var type: UInt8 = 3
    var endpoint: UInt8 = 0x81
    var device: UInt8 = 2
    var bus: UInt16 = 1
    var setup: [UInt8]?
    var dataFlag: UInt8 = 0
    var seconds: Int64 = 1_700_000_000
    var microseconds: Int32 = 123_456
    var status: Int32 = 0
    var data: [UInt8] = [1, 2, 3, 4]
    var length: UInt32?
    var captured: UInt32?
    var descriptors: [(status: Int32, offset: UInt32, length: UInt32)] = []
    var numberOfPackets: Int32?
    var storedDescriptors: UInt32?
    var interval: Int32 = 0
    var startFrame: Int32 = 0
    var flags: UInt32 = 0

    static func submission(endpoint: UInt8 = 0x81, length: UInt32 = 64, data: [UInt8] = []) -> MonPacket {
        var packet = MonPacket()
        packet.kind = UInt8(ascii: "S")
        packet.status = -115
        packet.endpoint = endpoint
        packet.dataFlag = endpoint & 0x80 != 0 ? UInt8(ascii: "<") : 0
        packet.data = data
        packet.length = length
        return packet
    }

    /// The record with a header of 64 bytes (`isMapped`, link type 220) or 48 (189).
    func bytes(isBigEndian: Bool = false, isMapped: Bool = true) -> [UInt8] {
        var builder = ByteBuilder(isBigEndian: isBigEndian)
        builder.put(urb)
        builder.put(kind, type, endpoint, device)
        builder.put(bus)
        builder.put(setup == nil ? UInt8(ascii: "-") : 0, dataFlag)
        builder.put(seconds)
        builder.put(microseconds, status)
        builder.put(length ?? UInt32(data.count), captured ?? UInt32(data.count + descriptors.count * 16))
        if let setup {
            builder.bytes += setup
        } else {
            builder.put(Int32(0), numberOfPackets ?? Int32(descriptors.count))
        }
        if isMapped {
            builder.put(interval, startFrame)
            builder.put(flags, storedDescriptors ?? UInt32(descriptors.count))
        }
        for descriptor in descriptors {
            builder.put(descriptor.status)
            builder.put(descriptor.offset, descriptor.length, 0)
        }
        return builder.bytes + data
    }
}

/// Capture files made for tests.
enum CaptureFiles {
    /// A pcap file.
    ///
    /// - Parameter magic: the first number: `0xa1b2c3d4`, `0xa1b23c4d` for nanoseconds, or `0xa1b2cd34`.
    static func pcap(
        _ packets: [[UInt8]], linkType: UInt32 = 220, magic: UInt32 = 0xa1b2_c3d4, isBigEndian: Bool = false
    ) -> [UInt8] {
        var builder = ByteBuilder(isBigEndian: isBigEndian)
        builder.put(magic)
        builder.put(UInt16(2), 4)
        builder.put(UInt32(0), 0, 0x40000, linkType)
        for (index, packet) in packets.enumerated() {
            builder.put(1_700_000_000 + UInt32(index), 5, UInt32(packet.count), UInt32(packet.count))
            if magic == 0xa1b2_cd34 { builder.put(UInt64(0)) }
            builder.bytes += packet
        }
        return builder.bytes
    }

    /// Three events in a pcapng file that has a bit of everything around them.
    static func small(isBigEndian: Bool = false) -> [UInt8] {
        var file = NGBuilder(isBigEndian: isBigEndian)
        file.section(options: [(1, Array("of the section".utf8))])
        file.interface(220, options: [(2, Array("usbmon1".utf8)), (9, [9])])
        file.block(4, [0, 0, 0, 0])
        file.packet(MonPacket.submission().bytes(isBigEndian: isBigEndian), options: [(1, Array("one".utf8))])
        file.packet(MonPacket().bytes(isBigEndian: isBigEndian))
        file.interface(189)
        file.packet(MonPacket().bytes(isBigEndian: isBigEndian, isMapped: false), interface: 1)
        file.statistics(0, dropped: 7)
        return file.bytes
    }
}

/// A pcapng file, block by block.
struct NGBuilder {
    private var builder: ByteBuilder
    var bytes: [UInt8] { builder.bytes }
    var isBigEndian: Bool { builder.isBigEndian }

    init(isBigEndian: Bool = false) { builder = ByteBuilder(isBigEndian: isBigEndian) }

    mutating func block(_ type: UInt32, _ body: [UInt8], length: UInt32? = nil, closing: UInt32? = nil) {
        let padded = body + [UInt8](repeating: 0, count: (4 - body.count % 4) % 4)
        builder.put(type, length ?? UInt32(padded.count + 12))
        builder.bytes += padded
        builder.put(closing ?? length ?? UInt32(padded.count + 12))
    }

    mutating func section(sectionLength: Int64 = -1, options: [(UInt16, [UInt8])] = []) {
        var body = ByteBuilder(isBigEndian: isBigEndian)
        body.put(UInt32(0x1a2b_3c4d))
        body.put(UInt16(1), 0)
        body.put(sectionLength)
        block(0x0a0d_0d0a, body.bytes + encoded(options))
    }

    mutating func interface(_ linkType: UInt16, snapLength: UInt32 = 0, options: [(UInt16, [UInt8])] = []) {
        var body = ByteBuilder(isBigEndian: isBigEndian)
        body.put(linkType, 0)
        body.put(snapLength)
        block(1, body.bytes + encoded(options))
    }

    mutating func packet(
        _ packet: [UInt8], interface: UInt32 = 0, time: UInt64 = 1_700_000_000_000_000_042, captured: UInt32? = nil,
        options: [(UInt16, [UInt8])] = []
    ) {
        var body = ByteBuilder(isBigEndian: isBigEndian)
        body.put(interface, UInt32(time >> 32), UInt32(truncatingIfNeeded: time))
        body.put(captured ?? UInt32(packet.count), UInt32(packet.count))
        body.bytes += packet + [UInt8](repeating: 0, count: (4 - packet.count % 4) % 4)
        block(6, body.bytes + encoded(options))
    }

    mutating func simplePacket(_ packet: [UInt8], original: UInt32? = nil) {
        var body = ByteBuilder(isBigEndian: isBigEndian)
        body.put(original ?? UInt32(packet.count))
        block(3, body.bytes + packet)
    }

    mutating func obsoletePacket(_ packet: [UInt8], interface: UInt16, time: UInt64) {
        var body = ByteBuilder(isBigEndian: isBigEndian)
        body.put(interface, UInt16.max)
        body.put(UInt32(time >> 32), UInt32(truncatingIfNeeded: time), UInt32(packet.count), UInt32(packet.count))
        block(2, body.bytes + packet)
    }

    mutating func statistics(_ interface: UInt32, dropped: UInt64, options: [(UInt16, [UInt8])] = []) {
        var body = ByteBuilder(isBigEndian: isBigEndian)
        body.put(interface, 0, 0)
        var count = ByteBuilder(isBigEndian: isBigEndian)
        count.put(dropped)
        block(5, body.bytes + encoded([(5, count.bytes)] + options))
    }

    private func encoded(_ options: [(UInt16, [UInt8])]) -> [UInt8] {
        guard !options.isEmpty else { return [] }
        var result = ByteBuilder(isBigEndian: isBigEndian)
        for (code, value) in options {
            result.put(code, UInt16(value.count))
            result.bytes += value + [UInt8](repeating: 0, count: (4 - value.count % 4) % 4)
        }
        result.put(UInt16(0), 0)
        return result.bytes
    }
}

/// What a reader gave up to the end or to the error that ended it.
struct ReadCapture: Equatable {
    var events: [CapturedEvent] = []
    var data: [[UInt8]] = []
    var error: CaptureError?

    init(_ bytes: [UInt8]) {
        do throws(CaptureError) {
            let reader = try CaptureReader(bytes: bytes)
            read(reader)
        } catch {
            self.error = error
        }
    }

    init(_ reader: CaptureReader) { read(reader) }

    private mutating func read(_ reader: CaptureReader) {
        do throws(CaptureError) {
            while let event = try reader.next() {
                events.append(event)
                data.append(reader.withData { span in unsafe span.withUnsafeBytes { unsafe Array($0) } })
            }
        } catch {
            self.error = error
        }
    }
}
