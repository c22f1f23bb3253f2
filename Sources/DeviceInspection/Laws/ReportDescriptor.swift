/// The form of a HID report descriptor: items that end where it ends, collections that are closed (HID 1.11 §6.2.2).
enum ReportDescriptor {
    /// What is wrong with its form, nil where nothing is.
    static func fault(_ bytes: [UInt8]) -> String? {
        var position = 0
        var depth = 0
        while position < bytes.count {
            let prefix = bytes[position]
            var size = [0, 1, 2, 4][Int(prefix & 3)]
            // A long item: its length stands in the next byte, and a tag behind that.
            if prefix == 0xfe { size = position + 1 < bytes.count ? Int(bytes[position + 1]) + 2 : 2 }
            guard position + 1 + size <= bytes.count else { return "ends inside the item at byte \(position)" }
            switch prefix & 0xfc {
            case 0xa0: depth += 1
            case 0xc0: depth -= 1
            default: break
            }
            if depth < 0 { return "closes a collection at byte \(position) that was never opened" }
            position += 1 + size
        }
        return depth == 0 ? nil : "leaves \(depth) \(depth == 1 ? "collection" : "collections") open"
    }
}
