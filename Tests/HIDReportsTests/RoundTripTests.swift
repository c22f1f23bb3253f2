import HIDReports
import Testing

/// Descriptors made at random: what is declared is what is read back, and values survive their report.
@Suite struct RoundTripTests {
    /// A report at random, with values for it and the bits that they are, first bit first.
    private struct Sample {
        var items: [ReportItem] = []
        var fields: [FieldDeclaration] = []
        var values: [(Usage, Int32)] = []
        var bits: [UInt8] = []

        init(using generator: inout SeededGenerator) {
            var nextID: UInt16 = 1
            for _ in 0..<Int.random(in: 1...12, using: &generator) {
                if Bool.random(using: &generator) {
                    let count = Int.random(in: 1...40, using: &generator)
                    items.append(.padding(.input, bits: count))
                    bits += [UInt8](repeating: 0, count: count)
                }
                let count = UInt16.random(in: 1...20, using: &generator)
                let usages = UsageRange(
                    page: .random(in: 0xff00...0xff03, using: &generator), ids: nextID...nextID + count)
                nextID += count + 1
                append(Self.field(usages, &generator), &generator)
            }
            let missing = (8 - bits.count % 8) % 8
            if missing > 0 {
                items.append(.padding(.input, bits: missing))
                bits += [UInt8](repeating: 0, count: missing)
            }
        }

        private static func field(_ usages: UsageRange, _ generator: inout SeededGenerator) -> FieldDeclaration {
            if Bool.random(using: &generator), Bool.random(using: &generator) {
                return FieldDeclaration(
                    usages: [usages], logical: 1...Int32(usages.count), size: .random(in: 5...16, using: &generator),
                    count: .random(in: 1...4, using: &generator), flags: .array)
            }
            let size = Int.random(in: 1...32, using: &generator)
            let isSigned = Bool.random(using: &generator)
            let greatest = isSigned ? Int64(1) << (size - 1) - 1 : min(Int64(1) << size - 1, Int64(Int32.max))
            let least = isSigned ? -(Int64(1) << (size - 1)) : 0
            let bounds = [Int64.random(in: least...greatest, using: &generator), isSigned ? -1 : greatest].sorted()
            return FieldDeclaration(
                usages: [usages], logical: Int32(bounds[0])...Int32(bounds[1]),
                physical: Bool.random(using: &generator) ? -5...1000 : nil,
                unit: Bool.random(using: &generator) ? .second : .none,
                unitExponent: .random(in: -8...7, using: &generator), size: size, count: usages.count,
                flags: Bool.random(using: &generator) ? .variable : [.variable, .relative])
        }

        private mutating func append(_ field: FieldDeclaration, _ generator: inout SeededGenerator) {
            items.append(.field(.input, field))
            fields.append(field)
            for index in 0..<field.count {
                var value = Int32.random(in: field.logical, using: &generator)
                if field.flags.contains(.variable), let usage = field.usages[0].usage(at: index) {
                    values.append((usage, value))
                } else if index == 0, let usage = field.usages[0].usage(at: Int(value - 1)) {
                    values.append((usage, 1))
                } else {
                    value = 0
                }
                for bit in 0..<field.size { bits.append(UInt8(truncatingIfNeeded: value >> Int32(bit) & 1)) }
            }
        }

        /// The bits as bytes, lowest first.
        var bytes: [UInt8] {
            stride(from: 0, to: bits.count, by: 8).map { start in
                (0..<8).reduce(0) { $0 | bits[start + $1] << UInt8($1) }
            }
        }
    }

    @Test(arguments: 0..<300 as Range<UInt64>) func declaredIsReadBack(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let sample = Sample(using: &generator)
        let hasID = Bool.random(using: &generator)
        let descriptor = ReportDescriptor {
            ReportCollection(.application, .vendor(page: 0xff00, id: 0xffff)) {
                if hasID { ReportID(9) }
                sample.items
            }
        }
        // Values of nearly 32 bits at any bit touch a fifth byte, which is what the warning is for.
        #expect(descriptor.issues.filter { $0.law != .valueSpan } == [])
        let report = try #require(try descriptor.layout().report(.input, id: hasID ? 9 : 0))
        #expect(report.bitCount == sample.bits.count)
        let fields = report.dataFields
        #expect(fields.map(\.usages) == sample.fields.map(\.usages))
        #expect(fields.map(\.logical) == sample.fields.map(\.logical))
        #expect(fields.map(\.physical) == sample.fields.map(\.physical))
        #expect(fields.map(\.unit) == sample.fields.map(\.unit))
        #expect(fields.map(\.unitExponent) == sample.fields.map(\.unitExponent))
        #expect(fields.map(\.flags) == sample.fields.map(\.flags))

        let bytes = try report.encode(sample.values)
        #expect(bytes == (hasID ? [9] : []) + sample.bytes)
        #expect(report.values(bytes) == sample.values.map { UsageValue($0.0, $0.1) })
    }
}
