/// A specification's values, read by type.
public struct ModelOptions {
    private let specification: DeviceSpecification
    private let keys: [ModelKey]

    init(_ specification: DeviceSpecification, _ keys: [ModelKey]) {
        self.specification = specification
        self.keys = keys
    }

    /// The specification that the values come from.
    public var text: String { specification.description }

    /// Every value of a key, in order.
    public func all(_ key: String) -> [String] { specification.options.filter { $0.key == key }.map(\.value) }

    /// The value of a key; nil when it is not given.
    public func string(_ key: String) -> String? { all(key).last }

    /// A path: any text but none.
    public func path(_ key: String) throws(ModelError) -> String? {
        guard let value = string(key) else { return nil }
        guard !value.isEmpty, !value.contains("\0") else { throw refusal(key, value) }
        return value
    }

    /// `yes` or `no`, in the usual spellings.
    public func bool(_ key: String, default fallback: Bool) throws(ModelError) -> Bool {
        guard let value = string(key) else { return fallback }
        switch value.lowercased() {
        case "yes", "true", "on", "1": return true
        case "no", "false", "off", "0": return false
        default: throw refusal(key, value)
        }
    }

    /// A whole number in a range.
    public func integer(_ key: String, in range: ClosedRange<Int>, default fallback: Int) throws(ModelError) -> Int {
        guard let value = string(key) else { return fallback }
        guard let number = Int(value), range.contains(number) else { throw refusal(key, value) }
        return number
    }

    /// Sixteen bits in hexadecimal, with or without `0x`.
    public func hex16(_ key: String, default fallback: UInt16) throws(ModelError) -> UInt16 {
        guard let value = string(key) else { return fallback }
        let digits = value.lowercased().hasPrefix("0x") ? value.dropFirst(2) : value[...]
        guard (1...4).contains(digits.count), let number = UInt16(digits, radix: 16), digits.first != "+" else {
            throw refusal(key, value)
        }
        return number
    }

    /// A size in bytes, with an optional suffix K, M, G or T, each 1024 times the last; `KiB` and `KB` mean the same.
    public func byteCount(_ key: String) throws(ModelError) -> UInt64? {
        guard let value = string(key) else { return nil }
        let digits = value.prefix { $0.isASCII && $0.isNumber }
        let shifts: [String: UInt64] = ["": 0, "B": 0, "K": 10, "M": 20, "G": 30, "T": 40]
        var suffix = value.dropFirst(digits.count).uppercased()
        if suffix.count > 1, suffix.hasSuffix("IB") || suffix.hasSuffix("B") {
            suffix = String(suffix.prefix(1))
        }
        guard let number = UInt64(digits), let shift = shifts[suffix], number > 0,
            number <= UInt64(Int64.max) >> shift
        else { throw refusal(key, value) }
        return number << shift
    }

    /// One of some words.
    public func choice<Value>(
        _ key: String, _ choices: [(word: String, value: Value)], default fallback: Value
    ) throws(ModelError) -> Value {
        guard let value = string(key) else { return fallback }
        guard let match = choices.first(where: { $0.word == value.lowercased() }) else { throw refusal(key, value) }
        return match.value
    }

    /// Printable ASCII of a bounded length.
    public func ascii(_ key: String, upTo length: Int, default fallback: String) throws(ModelError) -> String {
        guard let value = string(key) else { return fallback }
        let isPrintable = value.utf8.allSatisfy { (0x20...0x7e).contains($0) }
        guard isPrintable, value.utf8.count <= length, !value.isEmpty else { throw refusal(key, value) }
        return value
    }

    /// A serial number of 1 to 32 letters, digits, dots, underscores and dashes, or one made of the specification.
    ///
    /// What is made is the same in every run, so that udev rules and `/dev/disk/by-id` keep working, and another for each
    /// device.
    public func serialNumber(_ key: String, for context: ModelContext) throws(ModelError) -> String {
        guard let value = string(key) else {
            var hash: UInt64 = 0xcbf2_9ce4_8422_2325
            for byte in "\(context.index) \(text)".utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
            let digits = String(hash & 0xffff_ffff_ffff, radix: 16, uppercase: true)
            return String(repeating: "0", count: 12 - digits.count) + digits
        }
        let isAllowed = value.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "._-".contains($0)) }
        guard isAllowed, (1...32).contains(value.count) else { throw refusal(key, value) }
        return value
    }

    /// The error of a value that a key does not take.
    public func refusal(_ key: String, _ value: String) -> ModelError {
        let allowed = keys.first { $0.name == key }?.values ?? ""
        return ModelError("\(key)=\(value) is not possible; \(key) takes \(allowed)", key: key)
    }
}
