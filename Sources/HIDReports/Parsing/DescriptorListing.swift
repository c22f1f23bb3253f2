extension ReportDescriptor {
    /// The items one a line: their bytes, and in words what they say, indented by the collections around them.
    ///
    ///     05 01           Usage Page (Generic Desktop)
    ///     09 02           Usage (Mouse)
    ///     A1 01           Collection (Application)
    ///     09 01             Usage (Pointer)
    ///
    /// Each line ends with a line feed. Any bytes can be listed; what is left where no whole item starts is one line.
    public var listing: String {
        var listing = DescriptorListing()
        var position = 0
        while let item = DescriptorItem(bytes, at: position) {
            listing.append(item, bytes[position..<position + item.length])
            position += item.length
        }
        if position < bytes.count { listing.appendLine(bytes[position...], "(an item that is cut off)") }
        return listing.text
    }
}

/// Puts items into words, which needs some of what went before.
private struct DescriptorListing {
    private(set) var text = ""
    private var depth = 0
    private var page: UInt16 = 0
    private var logicalMinimum: Int32 = 0
    private var physicalMinimum: Int32 = 0
    private var stack: [(UInt16, Int32, Int32)] = []

    /// Deeper collections are listed at this depth, so that a hostile descriptor makes no long lines.
    private static let deepestIndent = 16

    mutating func append(_ item: DescriptorItem, _ bytes: ArraySlice<UInt8>) {
        if case .main(.endCollection) = item.tag { depth = max(0, depth - 1) }
        appendLine(bytes, words(for: item))
        if case .main(.collection) = item.tag { depth += 1 }
    }

    mutating func appendLine(_ bytes: ArraySlice<UInt8>, _ words: String) {
        let column = bytes.map { hex($0) }.joined(separator: " ")
        text += column + String(repeating: " ", count: max(2, 16 - column.count))
        text += String(repeating: "  ", count: min(depth, Self.deepestIndent)) + words + "\n"
    }

    private mutating func words(for item: DescriptorItem) -> String {
        switch item.tag {
        case .main(.endCollection): MainItem.endCollection.title
        case .main(.collection): "\(MainItem.collection.title) (\(collectionTitle(item.value)))"
        case .main(let main):
            "\(main.title) (\(flagTitles(FieldFlags(rawValue: UInt16(truncatingIfNeeded: item.value)))))"
        case .global(let global): words(for: global, item)
        case .local(let local): words(for: local, item)
        case .reserved: "(reserved)"
        case .long: "(long item)"
        }
    }

    private mutating func words(for global: GlobalItem, _ item: DescriptorItem) -> String {
        switch global {
        case .usagePage:
            page = UInt16(truncatingIfNeeded: item.value)
            return "\(global.title) (\(UsagePage.name(of: page)))"
        case .logicalMinimum:
            logicalMinimum = item.signed
            return "\(global.title) (\(item.signed))"
        case .physicalMinimum:
            physicalMinimum = item.signed
            return "\(global.title) (\(item.signed))"
        case .logicalMaximum: return maximum(global, item, over: logicalMinimum)
        case .physicalMaximum: return maximum(global, item, over: physicalMinimum)
        case .unitExponent: return "\(global.title) (\(item.exponent))"
        case .unit: return "\(global.title) (\(ReportUnit(rawValue: item.value)))"
        case .reportSize, .reportCount, .reportID: return "\(global.title) (\(item.value))"
        case .push:
            if stack.count < ReportLimits.pushes { stack.append((page, logicalMinimum, physicalMinimum)) }
            return global.title
        case .pop:
            if let saved = stack.popLast() { (page, logicalMinimum, physicalMinimum) = saved }
            return global.title
        }
    }

    private func maximum(_ global: GlobalItem, _ item: DescriptorItem, over minimum: Int32) -> String {
        minimum < 0 ? "\(global.title) (\(item.signed))" : "\(global.title) (\(item.value))"
    }

    private func words(for local: LocalItem, _ item: DescriptorItem) -> String {
        switch local {
        case .usage, .usageMinimum, .usageMaximum:
            let id = UInt16(truncatingIfNeeded: item.value)
            if item.size < 4 { return "\(local.title) (\(Usage(page: page, id: id).title))" }
            return "\(local.title) (\(Usage(page: UInt16(truncatingIfNeeded: item.value >> 16), id: id)))"
        case .delimiter: return "\(local.title) (\(item.value == 1 ? "Open" : item.value == 0 ? "Close" : "?"))"
        default: return "\(local.title) (\(item.value))"
        }
    }

    private func collectionTitle(_ value: UInt32) -> String {
        let titles = [
            "Physical", "Application", "Logical", "Report", "Named Array", "Usage Switch", "Usage Modifier",
        ]
        if value < titles.count { return titles[Int(value)] }
        let number = hexadecimal(UInt16(truncatingIfNeeded: value))
        return (0x80...0xff).contains(value) ? "Vendor \(number)" : "Reserved \(number)"
    }

    private func flagTitles(_ flags: FieldFlags) -> String {
        var titles = [
            flags.contains(.constant) ? "Constant" : "Data", flags.contains(.variable) ? "Variable" : "Array",
            flags.contains(.relative) ? "Relative" : "Absolute",
        ]
        let rest: [(FieldFlags, String)] = [
            (.wrap, "Wrap"), (.nonlinear, "Nonlinear"), (.noPreferred, "No Preferred"), (.nullState, "Null State"),
            (.volatile, "Volatile"), (.bufferedBytes, "Buffered Bytes"),
        ]
        titles += rest.filter { flags.contains($0.0) }.map(\.1)
        return titles.joined(separator: ", ")
    }
}
