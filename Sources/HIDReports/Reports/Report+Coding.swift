/// Why values make no report.
public enum ReportEncodingError: Error, Hashable, Sendable {
    /// No field of the report has the usage.
    case unknownUsage(Usage)
    /// The usage was given more often than the report has values of it.
    case repeatedUsage(Usage)
    /// The value is not in the range, which is the field's logical one.
    case valueOutOfRange(Usage, value: Int32, allowed: ClosedRange<Int32>)
    /// More usages at once than the field, an array, has slots.
    case arrayFull(Usage, slots: Int)
}

extension ReportEncodingError: CustomStringConvertible {
    /// What is wrong and what is allowed.
    public var description: String {
        switch self {
        case .unknownUsage(let usage):
            "The report has no \(usage)."
        case .repeatedUsage(let usage):
            "There are more values of \(usage) than the report holds."
        case .valueOutOfRange(let usage, let value, let allowed):
            "\(value) is no value of \(usage): \(allowed.lowerBound) to \(allowed.upperBound) are."
        case .arrayFull(let usage, let slots):
            "There is no room for \(usage): the report holds \(slots) at once."
        }
    }
}

extension ReportLayout.Report {
    /// The values in a report, in its order.
    ///
    /// Of a variable field each value is there, those outside of the logical range too, which say that there is none.
    /// Of an array the usages are there that its slots name, each with the value 1; a slot outside of the logical range
    /// or with a usage id of 0 names nothing. Of values with more than 32 bits the lowest 32 are given.
    ///
    /// - Parameter bytes: the report, with its id's byte if it has one. What is missing at the end counts as zero, as
    ///   on Linux; what is too much is ignored.
    /// - Returns: nothing where the first byte is another report's id.
    /// - Complexity: O(values) for variable fields, O(slots × usage ranges) for arrays.
    public func decode(_ bytes: [UInt8]) -> [(Usage, Int32)] {
        if hasIDByte, bytes.first != id { return [] }
        var values: [(Usage, Int32)] = []
        for field in fields where !field.isPadding {
            if field.isArray {
                for index in 0..<field.count {
                    let value = field.value(at: index, in: bytes)
                    guard field.logical.contains(value) else { continue }
                    let usage = field.usage(at: Int(Int64(value) - Int64(field.logical.lowerBound)))
                    if let usage, usage.id != 0 { values.append((usage, 1)) }
                }
            } else {
                field.forEachUsage { index, usage in values.append((usage, field.value(at: index, in: bytes))) }
            }
        }
        return values
    }

    /// The report that holds values.
    ///
    /// A usage that the report has several times, such as the tip of each of ten fingers, takes its values in the order
    /// of the list. What is not in the list rests: an array's slots are empty, a field with a null state has it, and
    /// other values are 0, or what is nearest to it in their range.
    ///
    /// - Parameter values: usages of variable fields with their values, and of arrays with 1, or 0 for none.
    /// - Returns: ``byteCount`` bytes, the id first if the report has one.
    /// - Throws: ``ReportEncodingError`` for the first value that has no place.
    public func encode(_ values: [(Usage, Int32)]) throws(ReportEncodingError) -> [UInt8] {
        var bytes = resting
        /// How often each usage was given so far.
        var given: [Usage: Int] = [:]
        /// How many slots of the array at an index are taken.
        var taken: [Int: Int] = [:]
        for (usage, value) in values {
            let occurrence = given[usage, default: 0]
            if let (field, index) = place(of: usage, occurrence) {
                guard field.accepts(value) else {
                    throw .valueOutOfRange(usage, value: value, allowed: field.logical)
                }
                field.write(value, at: index, into: &bytes)
                given[usage] = occurrence + 1
            } else if let (fieldIndex, slotValue) = arrayPlace(of: usage) {
                guard (0...1).contains(value) else { throw .valueOutOfRange(usage, value: value, allowed: 0...1) }
                guard value == 1 else { continue }
                let slot = taken[fieldIndex, default: 0]
                let field = fields[fieldIndex]
                guard slot < field.count else { throw .arrayFull(usage, slots: field.count) }
                field.write(slotValue, at: slot, into: &bytes)
                taken[fieldIndex] = slot + 1
            } else {
                throw occurrence > 0 ? .repeatedUsage(usage) : .unknownUsage(usage)
            }
        }
        return bytes
    }

    /// The report in which everything rests, see ``encode(_:)``.
    public var resting: [UInt8] {
        var bytes = [UInt8](repeating: 0, count: byteCount)
        if hasIDByte, !bytes.isEmpty { bytes[0] = id }
        for field in fields where !field.isPadding {
            let value = field.restingValue
            guard value != 0 else { continue }
            for index in 0..<field.count { field.write(value, at: index, into: &bytes) }
        }
        return bytes
    }

    /// Where a usage stands in the variable fields, having been passed over so many times.
    private func place(of usage: Usage, _ occurrence: Int) -> (ReportLayout.Field, Int)? {
        var remaining = occurrence
        for field in fields where !field.isPadding && !field.isArray {
            var position = 0
            for range in field.usages where position < field.count {
                if let index = range.index(of: usage), position + index < field.count {
                    if remaining == 0 { return (field, position + index) }
                    remaining -= 1
                }
                position += range.count
            }
            // The last usage stands for all values that remain.
            guard position < field.count, let last = field.usages.last else { continue }
            guard last.index(of: usage) == last.count - 1 else { continue }
            if remaining < field.count - position { return (field, position + remaining) }
            remaining -= field.count - position
        }
        return nil
    }

    /// The array that can name a usage, and the slot's value that does.
    private func arrayPlace(of usage: Usage) -> (Int, Int32)? {
        for (fieldIndex, field) in fields.enumerated() where !field.isPadding && field.isArray {
            var position = 0
            for range in field.usages {
                if let index = range.index(of: usage) {
                    let value = Int64(field.logical.lowerBound) + Int64(position + index)
                    if let value = Int32(exactly: value), field.logical.contains(value) { return (fieldIndex, value) }
                }
                position += range.count
            }
        }
        return nil
    }
}

extension ReportLayout.Field {
    /// Calls with each value's index and usage, in order.
    fileprivate func forEachUsage(_ body: (Int, Usage) -> Void) {
        var index = 0
        for range in usages {
            for offset in 0..<range.count {
                guard index < count else { return }
                if let usage = range.usage(at: offset) { body(index, usage) }
                index += 1
            }
        }
        guard let last = usages.last, let usage = last.usage(at: last.count - 1) else { return }
        for index in index..<max(index, count) { body(index, usage) }
    }
}
