import USBCore

@testable import USBCapture

/// Makes packets of a TCP connection between a client and a USB/IP server.
struct TestConnection {
    /// What the packets are wrapped in.
    enum Link {
        case ethernet(tags: [UInt16])
        case null
        case loop
        case raw(UInt16)
        case cooked
        case cooked2

        var linkType: UInt16 {
            switch self {
            case .ethernet: 1
            case .null: 0
            case .loop: 108
            case .raw(let type): type
            case .cooked: 113
            case .cooked2: 276
            }
        }
    }

    enum Flag: UInt8 {
        case fin = 1
        case syn = 2
        case rst = 4
        case ack = 16
    }

    var link = Link.ethernet(tags: [])
    var isVersion6 = false
    /// IPv6 extension headers: kind and content.
    var extensions: [(kind: UInt8, bytes: [UInt8])] = []
    var clientPort: UInt16 = 49_152
    var serverPort: UInt16 = 3240
    /// The next byte's number, of the client and of the server.
    var numbers: [UInt32] = [1000, 5_000_000]
    var packets: [TestPacket] = []

    /// The packets that begin a connection.
    mutating func open() {
        add(fromClient: true, [], [.syn])
        numbers[0] &+= 1
        add(fromClient: false, [], [.syn, .ack])
        numbers[1] &+= 1
        add(fromClient: true, [])
    }

    /// The packets that end it.
    mutating func close() {
        add(fromClient: true, [], [.fin, .ack])
        numbers[0] &+= 1
        add(fromClient: false, [], [.fin, .ack])
        numbers[1] &+= 1
        add(fromClient: true, [])
    }

    /// Sends bytes in segments of at most `size`.
    mutating func send(fromClient: Bool, _ bytes: [UInt8], size: Int = 1 << 15) {
        for start in stride(from: 0, to: bytes.count, by: size) {
            let part = Array(bytes[start..<min(bytes.count, start + size)])
            add(fromClient: fromClient, part)
            numbers[fromClient ? 0 : 1] &+= UInt32(part.count)
        }
    }

    /// Sends from the client.
    mutating func client(_ bytes: [UInt8]...) { for bytes in bytes { send(fromClient: true, bytes) } }

    /// Sends from the server.
    mutating func server(_ bytes: [UInt8]...) { for bytes in bytes { send(fromClient: false, bytes) } }

    /// Adds a packet without counting its bytes.
    mutating func add(fromClient: Bool, _ payload: [UInt8], _ flags: [Flag] = [.ack]) {
        packets.append(packet(fromClient: fromClient, payload, flags))
    }

    /// Makes a packet with the numbers as they are.
    func packet(fromClient: Bool, _ payload: [UInt8], _ flags: [Flag] = [.ack]) -> TestPacket {
        var tcp: [UInt8] = []
        tcp.big(fromClient ? clientPort : serverPort)
        tcp.big(fromClient ? serverPort : clientPort)
        tcp.big(numbers[fromClient ? 0 : 1])
        tcp.big(flags.contains { $0 == .ack } ? numbers[fromClient ? 1 : 0] : 0)
        // A header with eight bytes of options.
        tcp += [0x70, flags.reduce(0) { $0 | $1.rawValue }, 1, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 0]
        tcp += payload
        return TestPacket(bytes: wrapped(internet(tcp, fromClient)), linkType: link.linkType)
    }

    private func internet(_ tcp: [UInt8], _ fromClient: Bool) -> [UInt8] {
        var packet: [UInt8] = []
        let ends: [UInt8] = fromClient ? [1, 2] : [2, 1]
        guard isVersion6 else {
            packet += [0x45, 0]
            packet.big(UInt16(20 + tcp.count))
            packet += [0, 1, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, ends[0], 10, 0, 0, ends[1]]
            return packet + tcp
        }
        let size = extensions.reduce(0) { $0 + $1.bytes.count }
        packet += [0x60, 0, 0, 0]
        packet.big(UInt16(size + tcp.count))
        packet += [extensions.first?.kind ?? 6, 64]
        for end in ends { packet += [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, end] }
        for (index, header) in extensions.enumerated() {
            let next = index + 1 < extensions.count ? extensions[index + 1].kind : 6
            packet += [next] + header.bytes.dropFirst()
        }
        return packet + tcp
    }

    private func wrapped(_ packet: [UInt8]) -> [UInt8] {
        let type: [UInt8] = isVersion6 ? [0x86, 0xdd] : [8, 0]
        let addresses = [UInt8](repeating: 2, count: 12)
        switch link {
        case .ethernet(let tags):
            var header = addresses
            for tag in tags {
                header.big(tag)
                header += [0, 5]
            }
            // Short frames are padded.
            let frame = header + type + packet
            return frame + [UInt8](repeating: 0xee, count: max(0, 60 - frame.count))
        case .null: return [isVersion6 ? 30 : 2, 0, 0, 0] + packet
        case .loop: return [0, 0, 0, isVersion6 ? 24 : 2] + packet
        case .raw: return packet
        case .cooked: return [0, 0, 3, 4, 0, 6, 2, 2, 2, 2, 2, 2, 0, 0] + type + packet
        case .cooked2: return type + [0, 0, 0, 0, 0, 1, 3, 4, 0, 6, 2, 2, 2, 2, 2, 2, 0, 0] + packet
        }
    }
}

/// What is said in USB/IP, byte by byte.
enum Wire {
    static let deviceID: UInt32 = 0x0003_0007

    static func submit(
        _ sequence: UInt32, endpoint: UInt32, isIn: Bool, length: Int32,
        setup: [UInt8] = [UInt8](repeating: 0, count: 8),
        interval: Int32 = 0, packets: Int32 = 0, flags: UInt32 = 0, deviceID: UInt32 = deviceID, data: [UInt8] = []
    ) -> [UInt8] {
        header([
            1, sequence, deviceID, isIn ? 1 : 0, endpoint, flags, UInt32(bitPattern: length), 0,
            UInt32(bitPattern: packets), UInt32(bitPattern: interval),
        ]) + setup + data
    }

    static func result(
        _ sequence: UInt32, status: Int32 = 0, length: Int32, packets: Int32 = 0, data: [UInt8] = []
    ) -> [UInt8] {
        header([
            3, sequence, 0, 0, 0, UInt32(bitPattern: status), UInt32(bitPattern: length), 0,
            UInt32(bitPattern: packets), 0,
        ]) + [UInt8](repeating: 0, count: 8) + data
    }

    static func unlink(_ sequence: UInt32, _ victim: UInt32) -> [UInt8] {
        header([2, sequence, deviceID, 0, 0, victim, 0, 0, 0, 0]) + [UInt8](repeating: 0, count: 8)
    }

    static func unlinked(_ sequence: UInt32, status: Int32) -> [UInt8] {
        header([4, sequence, 0, 0, 0, UInt32(bitPattern: status), 0, 0, 0, 0]) + [UInt8](repeating: 0, count: 8)
    }

    /// An isochronous packet's descriptor.
    static func packet(_ offset: UInt32, _ length: UInt32, actual: UInt32 = 0, status: Int32 = 0) -> [UInt8] {
        header([offset, length, actual, UInt32(bitPattern: status)])
    }

    static func header(_ words: [UInt32]) -> [UInt8] {
        words.reduce(into: []) { $0.big($1) }
    }

    /// A CBW-like command that asks for nothing.
    static func read(_ sequence: UInt32, _ count: Int32, endpoint: UInt32 = 1) -> [UInt8] {
        submit(sequence, endpoint: endpoint, isIn: true, length: count)
    }

    /// Bytes that are not all the same.
    static func bytes(_ count: Int, _ seed: Int = 0) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ seed &+ $0 >> 8) }
    }
}

func decodeNetwork(_ packets: [TestPacket]) -> (decoding: Decoding, decoder: NetworkDecoder) {
    let decoder = NetworkDecoder()
    return (Decoding(decoder, packets), decoder)
}

extension Decoding {
    /// The events as `S1` and `C1`, by kind and number of the transfer.
    var order: [String] { events.map { ($0.event.kind == .submission ? "S" : "C") + "\($0.event.urb)" } }
}
