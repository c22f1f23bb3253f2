import USBCore

/// One field of a layout: its name, its width in bytes and how it is written.
struct FieldLayout: Sendable {
    enum Form: Sendable {
        case number
        case hex
        case identifier
        case version
        case string
        /// As many numbers as the descriptor has room for.
        case numbers(open: String, close: String)
    }

    var name: String
    var width: Int
    var form: Form

    static func byte(_ name: String) -> Self { Self(name: name, width: 1, form: .number) }
    static func word(_ name: String) -> Self { Self(name: name, width: 2, form: .number) }
    static func long(_ name: String) -> Self { Self(name: name, width: 4, form: .number) }
    static func bits(_ name: String, _ width: Int = 1) -> Self { Self(name: name, width: width, form: .hex) }
    static func version(_ name: String) -> Self { Self(name: name, width: 2, form: .version) }
    static func identifier(_ name: String) -> Self { Self(name: name, width: 2, form: .identifier) }
    static func string(_ name: String) -> Self { Self(name: name, width: 1, form: .string) }
    static func list(_ name: String, _ width: Int, _ open: String = "[", _ close: String = "]") -> Self {
        Self(name: name, width: width, form: .numbers(open: open, close: close))
    }
}

/// Reads a descriptor's fields one after the other; a field that the descriptor is too short for is left out.
struct FieldReader {
    private let bytes: [UInt8]
    private var position = 0
    private(set) var fields: [DescriptorField] = []

    /// Reads `bytes`, from `bLength` and `bDescriptorType` on.
    init(_ bytes: some Sequence<UInt8>) {
        self.bytes = [UInt8](bytes)
        read([.byte("bLength"), .byte("bDescriptorType")])
    }

    /// The bytes that no field has taken.
    var left: ArraySlice<UInt8> { bytes[position...] }

    /// The next number without taking it, nil where there is none.
    private func peek(_ width: Int) -> UInt32? {
        guard left.count >= width else { return nil }
        return left.prefix(width).reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }

    /// Reads fields, each as its layout says.
    mutating func read(_ layouts: [FieldLayout]) {
        for layout in layouts { read(layout) }
    }

    /// Reads a field; `explain` may give it a meaning, remarks or another look.
    ///
    /// - Returns: the number that was read, nil where the descriptor ends before.
    @discardableResult
    mutating func read(
        _ layout: FieldLayout, _ explain: (UInt32, inout DescriptorField) -> Void = { _, _ in }
    ) -> UInt32? {
        if case .numbers(let open, let close) = layout.form {
            var values: [UInt32] = []
            while let value = peek(layout.width) {
                values.append(value)
                position += layout.width
            }
            if !values.isEmpty {
                fields.append(DescriptorField(layout.name, .numbers(values, open: open, close: close)))
            }
            return nil
        }
        guard let number = peek(layout.width) else { return nil }
        position += layout.width
        var field = DescriptorField(layout.name, Self.value(number, layout))
        explain(number, &field)
        fields.append(field)
        return number
    }

    /// Reads so many numbers of one name.
    mutating func readList(_ layout: FieldLayout, count: Int) {
        guard case .numbers(let open, let close) = layout.form else { return }
        var values: [UInt32] = []
        while values.count < count, let value = peek(layout.width) {
            values.append(value)
            position += layout.width
        }
        guard !values.isEmpty else { return }
        fields.append(DescriptorField(layout.name, .numbers(values, open: open, close: close)))
    }

    /// Reads bytes that are shown as such.
    mutating func readBytes(_ name: String, count: Int? = nil) {
        let taken = [UInt8](left.prefix(count ?? left.count))
        guard !taken.isEmpty else { return }
        position += taken.count
        fields.append(DescriptorField(name, .bytes(taken)))
    }

    /// Skips bytes, and writes this in their place, or nothing.
    mutating func replace(_ count: Int, by field: DescriptorField?) {
        guard left.count >= count else { return }
        position += count
        if let field { fields.append(field) }
    }

    /// All of the fields; what was not taken comes last, under a name of its own.
    consuming func finish(rest name: String = "further bytes") -> [DescriptorField] {
        readBytes(name)
        return fields
    }

    private static func value(_ number: UInt32, _ layout: FieldLayout) -> DescriptorField.Value {
        switch layout.form {
        case .number, .numbers: .number(number)
        case .hex: .hex(number, digits: layout.width * 2)
        case .identifier: .identifier(UInt16(truncatingIfNeeded: number))
        case .version: .version(UInt16(truncatingIfNeeded: number))
        case .string: .string(UInt8(truncatingIfNeeded: number))
        }
    }
}
