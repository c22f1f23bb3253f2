import SCSITarget

/// What commands ask for and what devices answer, in words.
enum SCSIDataWords {
    /// How many bytes of data are enough for ``answer(_:_:)``.
    static let enough = 512

    /// What a command says beside its name and its blocks.
    static func arguments(_ cdb: [UInt8]) -> String {
        switch cdb.byte(0) {
        case 0x12 where cdb.byte(1) & 1 != 0: " page \(pageName(cdb.byte(2)))"
        case 0x1a, 0x5a: " page \(hex(cdb.byte(2) & 0x3f))"
        case 0x1b:
            switch (cdb.byte(4) >> 4, cdb.byte(4) & 3) {
            case (0, 0): " stop"
            case (0, 1): " start"
            case (0, 2): " eject"
            case (0, 3): " load"
            case (let power, _): " power condition \(power)"
            }
        case 0x1e: cdb.byte(4) & 3 == 0 ? " allow" : " prevent"
        default: ""
        }
    }

    /// What a device answered; nil where there are no words for it.
    static func answer(_ cdb: [UInt8], _ data: [UInt8]) -> String? {
        guard !data.isEmpty else { return nil }
        switch cdb.byte(0) {
        case 0x12: return cdb.byte(1) & 1 != 0 ? productPage(data) : inquiry(data)
        case 0x03: return SCSINames.sense(data)
        case 0x25 where data.count >= 8: return capacity(UInt64(data.big32(0)), data.big32(4))
        case 0x9e where cdb.byte(1) & 0x1f == 0x10 && data.count >= 12:
            return capacity(data.big64(0), data.big32(8))
        case 0x23 where data.count >= 12: return formatCapacities(data)
        case 0x1a where data.count >= 4: return mode(data[2], count: Int(data[0]) + 1)
        case 0x5a where data.count >= 8: return mode(data[3], count: Int(data.big16(0)) + 2)
        case 0xa0 where data.count >= 8: return counted(data.big32(0) / 8, "unit")
        case 0x4a where data.count >= 4: return mediaEvent(data)
        default: return nil
        }
    }

    /// SPC-4 §6.4.2.
    private static func inquiry(_ data: [UInt8]) -> String? {
        guard data.count >= 36 else { return nil }
        let names = [data[8..<16], data[16..<32], data[32..<36]].map { field in
            quoted(String(decoding: field, as: UTF8.self).trimmed)
        }
        let kind =
            switch data[0] & 0x1f {
            case 0x00: "disk"
            case 0x01: "tape"
            case 0x05: "CD/DVD"
            case 0x07: "optical disk"
            case 0x0d: "enclosure"
            case 0x1f: "no device"
            case let type: "type \(hex(type))"
            }
        return names.joined(separator: " ") + ", \(kind)" + (data[1] & 0x80 != 0 ? ", removable" : "")
    }

    /// SPC-4 §7.8: the pages of vital product data that hold a text.
    private static func productPage(_ data: [UInt8]) -> String? {
        guard data.count >= 4 else { return nil }
        let body = Array(data[4..<min(data.count, 4 + Int(data.big16(2)))])
        switch data[1] {
        case 0x00: return "pages " + body.prefix(64).map { hex($0) }.joined(separator: " ")
        case 0x80: return quoted(String(decoding: body, as: UTF8.self).trimmed)
        default: return nil
        }
    }

    private static func pageName(_ page: UInt8) -> String {
        switch page {
        case 0x00: "00 (supported pages)"
        case 0x80: "80 (serial number)"
        case 0x83: "83 (identification)"
        case 0xb0: "b0 (block limits)"
        case 0xb1: "b1 (block characteristics)"
        case 0xb2: "b2 (provisioning)"
        default: hex(page)
        }
    }

    /// SBC-3 §5.16: the last block's number and a block's length.
    private static func capacity(_ last: UInt64, _ blockSize: UInt32) -> String {
        let (count, overflow) = last.addingReportingOverflow(1)
        guard !overflow else { return "more blocks than 64 bits count" }
        let (bytes, tooMany) = count.multipliedReportingOverflow(by: UInt64(blockSize))
        return "\(count) blocks of \(blockSize) bytes" + (tooMany ? "" : ", \(size(bytes))")
    }

    /// MMC-6 §6.23.
    private static func formatCapacities(_ data: [UInt8]) -> String {
        let state = ["", "unformatted, ", "formatted, ", "no medium, "][Int(data[8] & 3)]
        return "\(state)\(data.big32(4)) blocks of \(data.big32(8) & 0xff_ffff) bytes"
    }

    /// The device-specific parameter of disks (SBC-3 §6.4.1).
    private static func mode(_ parameter: UInt8, count: Int) -> String {
        counted(count, "byte") + (parameter & 0x80 != 0 ? ", write protected" : "")
    }

    /// MMC-6 §6.6: media events.
    private static func mediaEvent(_ data: [UInt8]) -> String? {
        guard data[2] & 7 == 4, data.count >= 6 else { return "no event" }
        let event = ["no event", "eject requested", "new medium", "medium removed", "medium changed"]
        let code = Int(data[4] & 0x0f)
        return (code < event.count ? event[code] : "event \(code)") + (data[5] & 2 != 0 ? ", medium present" : "")
    }

    /// A size for people, in units of 1024.
    static func size(_ bytes: UInt64) -> String {
        let units = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
        guard bytes >= 1024 else { return counted(bytes, "byte") }
        var value = Double(bytes)
        var unit = -1
        while value >= 1024, unit < units.count - 1 {
            value /= 1024
            unit += 1
        }
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10)" + (tenths % 10 == 0 ? "" : ".\(tenths % 10)") + " \(units[unit])"
    }
}

extension String {
    /// Without spaces and zeros at both ends.
    var trimmed: String {
        let isKept = { (character: Character) in character != " " && character != "\0" }
        guard let first = firstIndex(where: isKept), let last = lastIndex(where: isKept) else { return "" }
        return String(self[first...last])
    }
}
