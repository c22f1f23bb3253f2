/// Writes descriptors as text in the manner of `lsusb -v`: field, value, meaning, nested by two spaces.
struct DescriptorPrinter {
    /// The speed, on which the meaning of sizes and intervals depends.
    var speed: Speed
    let strings: StringTable
    private(set) var text = ""
    private var depth = 0

    init(speed: Speed, strings: StringTable) {
        self.speed = speed
        self.strings = strings
    }

    /// Writes a line by itself.
    mutating func line(_ content: String) {
        text += String(repeating: "  ", count: depth) + content + "\n"
    }

    /// Writes what `body` writes, one step further in under a heading.
    mutating func section(_ heading: String, _ body: (inout DescriptorPrinter) -> Void) {
        line(heading)
        depth += 1
        body(&self)
        depth -= 1
    }

    /// Writes a field: names to the left, values right-aligned in one column, meanings behind them.
    mutating func field(_ name: String, _ value: String, _ meaning: String = "") {
        let gap = String(repeating: " ", count: max(1, Self.valueEnd - name.count - value.count))
        line(name + gap + value + (meaning.isEmpty ? "" : " " + meaning))
    }

    mutating func field(_ name: String, _ value: some BinaryInteger, _ meaning: String = "") {
        field(name, String(value), meaning)
    }

    /// Writes a field that names a string, with the string.
    mutating func stringField(_ name: String, _ index: UInt8) {
        let text = index == 0 ? "" : strings[index].map(PrintableText.of) ?? "(no such string)"
        field(name, index, text)
    }

    /// Writes a class code with its name.
    mutating func classField(_ name: String, _ code: USBClass) {
        field(name, code.rawValue, code.name ?? "")
    }

    /// Writes a binary-coded decimal as a version.
    mutating func versionField(_ name: String, _ value: UInt16) {
        let minor = hexDigits(UInt8(truncatingIfNeeded: value))
        field(name, "\(String(value >> 8, radix: 16)).\(minor)")
    }

    /// Writes bytes, sixteen in a line, under a name.
    mutating func bytes(_ name: String, _ bytes: [UInt8]) {
        guard !bytes.isEmpty else { return }
        section(name) { printer in
            for start in stride(from: 0, to: bytes.count, by: 16) {
                let row = bytes[start..<min(start + 16, bytes.count)]
                printer.line(row.map { hexDigits($0) }.joined(separator: " "))
            }
        }
    }

    /// The column at which values end, as `lsusb` has it.
    private static let valueEnd = 25
}

extension DeviceDescription {
    /// The description as text, in the manner of `lsusb -v`.
    ///
    /// Text that comes from the device cannot harm a terminal: control characters are written as `\u{1b}`.
    public func prettyPrint() -> String {
        var printer = DescriptorPrinter(speed: speed, strings: strings)
        printer.line("Speed: \(speed.title)")
        printer.printDevice(device, strings: strings)
        for configuration in configurations { printer.printConfiguration(configuration) }
        if let bos { printer.printStore(bos) }
        if let otherSpeed { printer.printOtherSpeed(otherSpeed) }
        return printer.text
    }
}

extension ConfigurationDescription {
    /// The configuration as text, in the manner of `lsusb -v`.
    ///
    /// - Parameters:
    ///   - speed: the speed at which the device said so.
    ///   - strings: the device's strings, as far as they are known.
    public func prettyPrint(speed: Speed, strings: StringTable = StringTable()) -> String {
        var printer = DescriptorPrinter(speed: speed, strings: strings)
        printer.printConfiguration(self)
        return printer.text
    }
}

extension BOSDescriptor {
    /// The store as text, in the manner of `lsusb -v`.
    public func prettyPrint() -> String {
        var printer = DescriptorPrinter(speed: .super, strings: StringTable())
        printer.printStore(self)
        return printer.text
    }
}
