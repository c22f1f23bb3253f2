import Testing
import USBCore

@testable import USBCapture

/// An event and its data, as a decoder gave them.
struct Decoded {
    /// The event.
    var event: CapturedEvent
    /// Its data.
    var data: [UInt8]
    /// The number of its USB/IP connection.
    var connection: Int? { USBIPChannel.connection(ofChannel: event.channel) }
}

/// What a decoder made of packets, one after another.
struct Decoding {
    /// The events.
    var events: [Decoded] = []
    /// The announcements.
    var announcements: [DeviceAnnouncement] = []
    /// The numbers of the packets that could not be read.
    var malformed: [Int] = []
    /// Where reading ended early.
    var error: CaptureError?

    /// Decodes packets, each with the link type given.
    init(_ decoder: any PacketDecoder, _ packets: [TestPacket]) {
        let output = DecodedEvents()
        var offset: Int64 = 24
        for (index, packet) in packets.enumerated() {
            let frame = CapturedFrame(
                number: index + 1, offset: offset, bytesOffset: offset + 16, time: packet.time,
                interface: packet.interface, linkType: packet.linkType, isBigEndian: false,
                originalLength: packet.originalLength ?? packet.bytes.count)
            offset += 16 + Int64(packet.bytes.count)
            if !Self.decode(decoder, frame, packet.bytes, output) { malformed.append(frame.number) }
            take(output, packet.bytes)
        }
        decoder.finish(into: output)
        take(output, [])
        announcements = output.announcements
    }

    private static func decode(
        _ decoder: any PacketDecoder, _ frame: CapturedFrame, _ bytes: [UInt8], _ output: DecodedEvents
    ) -> Bool {
        // An allocation of exactly the packet's size, so that reading beyond it is found by a sanitizer.
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
        defer { unsafe memory.deallocate() }
        unsafe memory.copyBytes(from: bytes)
        return unsafe decoder.decode(frame, UnsafeRawBufferPointer(memory), into: output)
    }

    private mutating func take(_ output: DecodedEvents, _ packet: [UInt8]) {
        for (event, data) in output.events {
            switch data {
            case .owned(let bytes): events.append(Decoded(event: event, data: bytes))
            case .packet(let range):
                guard range.lowerBound >= 0, range.upperBound <= packet.count else {
                    Issue.record("data \(range) are outside of a packet of \(packet.count) bytes")
                    continue
                }
                events.append(Decoded(event: event, data: Array(packet[range])))
            }
        }
        output.removeEvents()
    }
}

/// A packet of a capture.
struct TestPacket {
    /// Its bytes.
    var bytes: [UInt8]
    /// `LINKTYPE_...`.
    var linkType: UInt16 = 1
    /// Its length on the network, when it was cut.
    var originalLength: Int?
    /// Nanoseconds.
    var time: Int64 = 0
    /// The interface.
    var interface = 0
}

/// Random numbers that are the same in every run (xorshift).
struct Dice: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 | 1 }

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
}

/// What must hold of every event, whatever the bytes were.
func expectSound(_ decoding: Decoding, _ note: @autoclosure () -> String) {
    for decoded in decoding.events {
        let event = decoded.event
        let isSound =
            event.dataCount == decoded.data.count && event.length >= 0 && event.packets.count <= 1024
            && (event.dataOffset ?? 0) >= 0
        #expect(isSound, "\(event) with \(decoded.data.count) bytes: \(note())")
    }
}

extension [UInt8] {
    /// Appends a number, its most significant byte first.
    mutating func big(_ value: some FixedWidthInteger) {
        unsafe Swift.withUnsafeBytes(of: value.bigEndian) { unsafe append(contentsOf: $0) }
    }

    /// Appends a number, its least significant byte first.
    mutating func little(_ value: some FixedWidthInteger) {
        unsafe Swift.withUnsafeBytes(of: value.littleEndian) { unsafe append(contentsOf: $0) }
    }
}
