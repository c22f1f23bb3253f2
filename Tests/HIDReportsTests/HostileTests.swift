import HIDReports
import Testing

/// What a file or a device might hold on purpose: nothing of it may trap or take long.
@Suite struct HostileTests {
    /// Reads the bytes and uses what was read in every way there is.
    ///
    /// - Returns: true where a layout came of it.
    @discardableResult
    private func exercise(_ bytes: [UInt8], using generator: inout SeededGenerator) -> Bool {
        let descriptor = ReportDescriptor(bytes: bytes)
        let issues = descriptor.issues
        #expect(descriptor.listing.isEmpty == bytes.isEmpty)
        #expect(issues.allSatisfy { (0...bytes.count).contains($0.offset) }, "\(bytes)")
        do throws(ReportDescriptorError) {
            let layout = try descriptor.layout()
            for report in layout.reports { use(report, lawful: issues.isEmpty, using: &generator) }
            return true
        } catch {
            #expect(issues.contains(error.issue), "\(bytes)")
            #expect(error.issue.severity == .error)
            return false
        }
    }

    private func use(_ report: ReportLayout.Report, lawful: Bool, using generator: inout SeededGenerator) {
        #expect(report.byteCount <= 16384)
        for field in report.fields {
            #expect(field.bitOffset + field.bitSize * field.count <= report.byteCount * 8)
            #expect(field.usage(at: -1) == nil)
            _ = field.usage(at: field.count)
        }
        let resting = report.resting
        #expect(resting.count == report.byteCount)
        let noise = (0..<Int.random(in: 0...report.byteCount + 2, using: &generator)).map { _ in
            UInt8.random(in: 0...255, using: &generator)
        }
        let values = report.decode(resting)
        _ = report.decode(noise)
        // Encoding costs the list times the fields, so that a few values stand for all.
        if let bytes = try? report.encode(Array(values.prefix(64))) { #expect(bytes.count == report.byteCount) }
        if lawful, values.count <= 64 { #expect((try? report.encode(values)) == resting) }
    }

    @Test(arguments: Golden.all) func damagedDescriptors(_ golden: Golden) {
        var generator = SeededGenerator(seed: UInt64(golden.descriptor.bytes.count))
        var read = 0
        for _ in 0..<1500 {
            var bytes = golden.descriptor.bytes
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<5, using: &generator) {
                case 0: bytes[place] = .random(in: 0...255, using: &generator)
                case 1: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
                case 2: bytes.remove(at: place)
                case 3: bytes.insert(.random(in: 0...255, using: &generator), at: place)
                default: bytes.insert(contentsOf: bytes[place...].prefix(8), at: place)
                }
            }
            if exercise(bytes, using: &generator) { read += 1 }
        }
        #expect(read > 100, "mutants that nobody can read test little")
        #expect(read < 1500)
    }

    @Test(
        "a descriptor that ends early is read only where it ends before its collection opens", arguments: Golden.lawful)
    func everyBeginning(_ golden: Golden) {
        var generator = SeededGenerator(seed: 1)
        let bytes = golden.descriptor.bytes
        let page = bytes[0] == 0x06 ? 3 : 2
        let read = bytes.indices.filter { exercise(Array(bytes.prefix($0)), using: &generator) }
        #expect(read == [0, page, page + 2])
    }

    @Test func randomBytes() {
        var generator = SeededGenerator(seed: 2)
        for _ in 0..<3000 {
            let length = Int.random(in: 0...120, using: &generator)
            exercise((0..<length).map { _ in UInt8.random(in: 0...255, using: &generator) }, using: &generator)
        }
    }

    @Test("items at random, whole ones, reach deeper than bytes do") func randomItems() {
        var generator = SeededGenerator(seed: 3)
        // Main, global and local items with no, one, two or four bytes.
        let prefixes = (0..<0xe0 as Range<Int>).filter { $0 >> 2 & 3 < 3 }
        var read = 0
        for _ in 0..<1500 {
            var bytes: [UInt8] = hexBytes("05 01 09 04 A1 01 15 00 25 01 75 01 95 08")
            for _ in 0..<Int.random(in: 0...40, using: &generator) {
                let prefix = UInt8(prefixes.randomElement(using: &generator) ?? 0)
                if prefix & 0xfc == 0xc0 { continue }
                bytes.append(prefix)
                for index in 0..<[0, 1, 2, 4][Int(prefix & 3)] {
                    bytes.append(index == 0 ? .random(in: 0...40, using: &generator) : 0)
                }
            }
            let opened = 1 + bytes.dropFirst(6).filter { $0 & 0xfc == 0xa0 }.count
            for count in 0...opened where exercise(bytes + Array(repeating: 0xc0, count: count), using: &generator) {
                read += 1
            }
        }
        #expect(read > 300)
    }

    @Test("the dearest descriptors that fit into 4096 bytes")
    func costly() throws {
        var generator = SeededGenerator(seed: 4)
        let opening = hexBytes("05 01 09 04 A1 01 15 00 25 01")
        // Collections as deep as they go.
        let deep = [UInt8](repeating: 0xa0, count: 2000) + [UInt8](repeating: 0xc0, count: 2000)
        #expect(exercise(opening + deep + [0xc0], using: &generator))
        // Thousands of usages for an array whose slots look each of them up.
        let usages = (0..<4000).map { $0 % 2 == 0 ? 0x09 : 0x30 as UInt8 }
        #expect(exercise(opening + hexBytes("75 08 96 00 30") + usages + [0x81, 0x00, 0xc0], using: &generator))
        // As many long reports as there is room for.
        let reports = (1...255 as ClosedRange<UInt8>).flatMap { id -> [UInt8] in [0x85, id, 0x09, 0x30, 0x81, 0x02] }
        #expect(exercise(opening + hexBytes("75 01 96 00 30") + reports + [0xc0], using: &generator))
    }
}
