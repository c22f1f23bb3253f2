/// A string as a device sends it: UTF-16, little-endian, without an end mark (USB 2.0 §9.6.7).
///
/// It holds the sixteen-bit units rather than a `String`, so that what a real device sends stays as it is, unpaired
/// surrogates included, and two spellings of one character stay two strings.
public struct StringDescriptor: Hashable, Sendable {
    /// The UTF-16 units; more than 126 do not fit a descriptor.
    public var units: [UInt16]

    /// Makes a string from UTF-16 units.
    public init(units: [UInt16]) { self.units = units }

    /// Makes a string from text.
    public init(_ text: String) { units = [UInt16](text.utf16) }

    /// The text; units that are no UTF-16 appear as U+FFFD.
    public var text: String { String(decoding: units, as: UTF16.self) }

    /// Reads a string descriptor; bytes after its end are not looked at.
    ///
    /// - Throws: ``DescriptorError/malformed(offset:reason:)`` where the bytes are no string descriptor, or half a
    ///   unit is left at its end.
    public init(parsing bytes: [UInt8]) throws(DescriptorError) {
        var reader = DescriptorReader(bytes[...])
        let raw = try reader.first()
        try raw.requireType(.string)
        guard raw.bytes.count.isMultiple(of: 2) else {
            throw .malformed(
                offset: raw.offset, reason: "bLength of the String descriptor is \(raw.bytes.count), an odd number")
        }
        units = stride(from: 2, to: raw.bytes.count, by: 2).map { raw.word($0) }
    }

    /// The descriptor as it goes over the bus.
    ///
    /// A string of more than 126 units is cut where its last whole character ends, so that no surrogate pair and no
    /// accent is torn from its letter; validation refuses such a string.
    public var bytes: [UInt8] {
        var body: [UInt8] = []
        for unit in fittingUnits { body.append(littleEndian: unit) }
        var bytes: [UInt8] = []
        bytes.appendDescriptor(.string, body)
        return bytes
    }

    private var fittingUnits: [UInt16] {
        guard units.count > DescriptorLimits.maxUnits else { return units }
        var kept: [UInt16] = []
        for character in text {
            let more = character.utf16
            guard kept.count + more.count <= DescriptorLimits.maxUnits else { break }
            kept += more
        }
        return kept
    }

    /// Whether a surrogate stands without its other half.
    var hasUnpairedSurrogate: Bool {
        var decoder = UTF16()
        var iterator = units.makeIterator()
        while true {
            switch decoder.decode(&iterator) {
            case .scalarValue: continue
            case .emptyInput: return false
            case .error: return true
            }
        }
    }
}
