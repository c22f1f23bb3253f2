import TestSupport
import Testing
import USBCapture
import USBCore

@Suite("Hostile captures")
struct HostileCaptureTests {
    private static func files() -> [[UInt8]] {
        let packets = { (isBigEndian: Bool) in
            [MonPacket.submission(), MonPacket(), MonPacket.submission(endpoint: 2, length: 3, data: [1, 2, 3])].map {
                $0.bytes(isBigEndian: isBigEndian)
            }
        }
        return [
            CaptureFiles.pcap(packets(false)), CaptureFiles.pcap(packets(true), isBigEndian: true),
            CaptureFiles.pcap(packets(false), magic: 0xa1b2_cd34), CaptureFiles.small(),
            CaptureFiles.small(isBigEndian: true),
        ]
    }

    @Test("cut at every byte give the events before the cut unchanged, and an end or an error with its place")
    func cut() throws {
        for file in Self.files() {
            let whole = ReadCapture(file)
            #expect(whole.error == nil)
            for count in 0..<file.count {
                let read = ReadCapture(Array(file[..<count]))
                #expect(read.events == Array(whole.events.prefix(read.events.count)))
                #expect(read.data == Array(whole.data.prefix(read.data.count)))
                if let error = read.error, count > 3 {
                    #expect(error.kind == .cut, "\(count): \(error)")
                    #expect((error.offset ?? -1) <= Int64(count) && (error.offset ?? -1) >= 0, "\(count): \(error)")
                }
                try CaptureExercise(Array(file[..<count]))
            }
        }
    }

    @Test("with any number in them replaced by one that lies are read to an error or to the end")
    func lies() throws {
        let lies: [UInt32] = [0, 1, 11, 0x7fff_ffff, 0x8000_0000, 0xffff_fff0, 0xffff_ffff, 64 << 20, 0x0a0d_0d0a]
        for file in Self.files() {
            for place in stride(from: 0, through: file.count - 4, by: 2) {
                for lie in lies {
                    var spoilt = file
                    for index in 0..<4 { spoilt[place + index] = UInt8(truncatingIfNeeded: lie >> UInt32(8 * index)) }
                    try CaptureExercise(spoilt)
                }
            }
        }
    }

    @Test("mutated at random are read to an error or to the end", arguments: 0..<4)
    func mutations(seed: Int) throws {
        var random = SplitMix64(seed: UInt64(seed))
        let files = Self.files()
        for _ in 0..<1000 {
            var file = files[random.below(files.count)]
            for _ in 0...random.below(6) {
                let place = random.below(file.count)
                switch random.below(4) {
                case 0: file[place] = random.any()
                case 1: file[place] ^= 1 << UInt8(random.below(8))
                case 2: file.removeSubrange(place..<min(file.count, place + random.below(9)))
                default: file.insert(contentsOf: random.bytes(random.below(9)), at: place)
                }
                if file.isEmpty { file = [0] }
            }
            try CaptureExercise(file)
        }
    }

    @Test("with blocks whose two lengths differ are read up to there")
    func lengths() throws {
        for (length, closing) in [(16, 20), (20, 16), (16, 0)] as [(UInt32, UInt32)] {
            var file = NGBuilder()
            file.section()
            file.interface(220)
            file.packet(MonPacket().bytes())
            let place = file.bytes.count
            file.block(4, [0, 0, 0, 0], length: length, closing: closing)
            file.packet(MonPacket().bytes())
            let read = ReadCapture(file.bytes)
            #expect(read.events.count == 1)
            #expect(read.error?.kind == .damaged)
            #expect(read.error?.offset == Int64(place))
        }
    }

    @Test("with blocks of impossible lengths are read up to there", arguments: [0, 1, 8, 13, 18] as [UInt32])
    func impossible(length: UInt32) throws {
        var file = NGBuilder()
        file.section()
        file.interface(220)
        file.packet(MonPacket().bytes())
        file.block(4, [0, 0, 0, 0], length: length)
        let read = ReadCapture(file.bytes)
        #expect(read.events.count == 1)
        #expect(read.error?.kind == .damaged)
    }

    @Test("with packets of interfaces that nobody described are read up to there")
    func unknownInterface() throws {
        var file = NGBuilder()
        file.section()
        file.interface(220)
        file.packet(MonPacket().bytes())
        file.packet(MonPacket().bytes(), interface: 1)
        let read = ReadCapture(file.bytes)
        #expect(read.events.count == 1)
        #expect(
            read.error?.reason == "A packet is of interface 1, but the section has described only 1")
        #expect(read.error?.packet == 2)
        var none = NGBuilder()
        none.section()
        none.simplePacket(MonPacket().bytes())
        #expect(ReadCapture(none.bytes).error?.kind == .damaged)
    }

    @Test("without a section's header, or with one that does not say its byte order, are refused")
    func noSection() throws {
        var file = NGBuilder()
        file.interface(220)
        file.packet(MonPacket().bytes())
        #expect(ReadCapture(file.bytes).error?.kind == .unsupported)
        var strange = CaptureFiles.small()
        strange[8] = 0
        #expect(ReadCapture(strange).error?.kind == .damaged)
    }

    @Test("with options longer than their block are read up to there")
    func options() throws {
        var file = NGBuilder()
        file.section()
        file.block(1, [220, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0xff, 0xff, 9, 0, 0, 0])
        #expect(ReadCapture(file.bytes).error?.kind == .damaged)
    }

    @Test("can have 100,000 interfaces")
    func interfaces() throws {
        var file = NGBuilder()
        file.section()
        for _ in 0..<100_000 { file.interface(220) }
        file.packet(MonPacket().bytes(), interface: 99_999)
        let reader = try CaptureReader(bytes: file.bytes)
        #expect(try reader.next()?.channel == 99_999)
    }

    @Test("can have many more comments than are kept")
    func comments() throws {
        let device = Array("ghostplug-device: bus=1 device=2".utf8)
        var file = NGBuilder()
        file.section()
        file.interface(220, options: Array(repeating: (1, device), count: 70_000))
        file.packet(MonPacket().bytes())
        let reader = try CaptureReader(bytes: file.bytes)
        #expect(try reader.next() != nil)
        #expect(reader.comments.count == 10_000)
        #expect(reader.announcements.count == 65_536)
        var large = NGBuilder()
        large.section()
        large.interface(220, options: Array(repeating: (1, [UInt8](repeating: 0x61, count: 60_000)), count: 100))
        let other = try CaptureReader(bytes: large.bytes)
        #expect(try other.next() == nil)
        #expect(other.comments.count == 17)
    }

    @Test("with times that run backwards give them as they are")
    func times() throws {
        var file = NGBuilder()
        file.section()
        file.interface(220, options: [(9, [9])])
        for time in [3, 1, 2, 0] as [UInt64] { file.packet(MonPacket().bytes(), time: time) }
        #expect(ReadCapture(file.bytes).events.map(\.time) == [3, 1, 2, 0])
    }
}
