import USBCore

/// Why a text is no rule, in words that say what to write.
public struct IgnoreRuleError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The line.
    public let description: String
}

extension IgnoreRule {
    /// Reads a rule: terms with commas between them, in any order.
    ///
    /// Which transfers (all that are given must fit):
    /// - `ep=0x81`: an endpoint's; `ep=0` is endpoint zero in both directions.
    /// - `packet=112`, `packet=112..140`: those whose submission or end is such a packet of the capture.
    /// - `request=GET_DESCRIPTOR(string)`: a standard request, of a kind of descriptor where one is named.
    /// - `setup=c0:01:*:*`: requests by `bmRequestType:bRequest:wValue:wIndex:wLength`, in hexadecimal, `*` for any;
    ///   what is left away at the end is any as well.
    /// - `field=serial`, `field=strings`, `field=release`: the serial number, all strings, the device's release number
    ///   (`bcdDevice`).
    ///
    /// What of them is not compared (everything, where nothing is named):
    /// - `status`, `length`, `data`.
    /// - `bytes=2`, `bytes=2..3`, `bytes=8..`: bytes of the data, counted from 0; the last is meant too.
    /// - `mask=ff00ff`: the bits that are set, from the first byte on.
    ///
    /// - Throws: ``IgnoreRuleError`` that quotes what is wrong.
    public init(_ text: String) throws(IgnoreRuleError) {
        self.text = text
        for term in text.split(separator: ",", omittingEmptySubsequences: false) {
            let parts = term.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            try take(parts[0], parts.count > 1 ? parts[1] : nil, text)
        }
    }

    private mutating func take(_ name: String, _ value: String?, _ text: String) throws(IgnoreRuleError) {
        switch (name, value) {
        case ("status", nil): subjects.append(.status)
        case ("length", nil): subjects.append(.length)
        case ("data", nil): subjects.append(.data)
        case ("ep", let value?): conditions.append(.endpoint(try Self.endpoint(value)))
        case ("packet", let value?): conditions.append(.packets(try Self.packets(value)))
        case ("request", let value?): conditions.append(try Self.request(value))
        case ("setup", let value?): conditions.append(.setup(try Self.setup(value)))
        case ("field", let value?): try takeField(value)
        case ("bytes", let value?): subjects.append(try Self.bytes(value))
        case ("mask", let value?): subjects.append(.mask(try Self.mask(value)))
        case ("status", _), ("length", _), ("data", _):
            throw IgnoreRuleError(description: "'\(name)' takes no value, in the rule '\(text)'")
        case ("ep", nil), ("packet", nil), ("request", nil), ("setup", nil), ("field", nil), ("bytes", nil),
            ("mask", nil):
            throw IgnoreRuleError(description: "'\(name)' needs a value, as in \(name)=…, in the rule '\(text)'")
        default:
            throw IgnoreRuleError(
                description: "'\(name)' in the rule '\(text)' is not known; there are ep=, packet=, request=, setup=, "
                    + "field=, and status, length, data, bytes=, mask=")
        }
    }

    private mutating func takeField(_ value: String) throws(IgnoreRuleError) {
        switch value {
        case "serial": conditions.append(.serialNumber)
        case "strings": conditions.append(.request(.getDescriptor, descriptor: 3))
        case "release":
            // bcdDevice, of USB 2.0 table 9-8.
            conditions.append(.request(.getDescriptor, descriptor: 1))
            subjects.append(.bytes(from: 12, through: 13))
        default:
            throw IgnoreRuleError(description: "field=\(value) is not known; there are serial, strings and release")
        }
    }

    private static func endpoint(_ text: String) throws(IgnoreRuleError) -> EndpointAddress {
        guard let number = number(text), number & ~0x8f == 0 else {
            throw IgnoreRuleError(description: "ep=\(text) is no endpoint; write its address, such as ep=0x81")
        }
        return EndpointAddress(rawValue: UInt8(truncatingIfNeeded: number))
    }

    private static func packets(_ text: String) throws(IgnoreRuleError) -> ClosedRange<Int> {
        guard let (first, last) = range(text), let last, first > 0, first <= last else {
            throw IgnoreRuleError(
                description: "packet=\(text) is none; write a number from 1 on or two, such as packet=112..140")
        }
        return first...last
    }

    private static func bytes(_ text: String) throws(IgnoreRuleError) -> Subject {
        guard let (first, last) = range(text), last.map({ first <= $0 }) ?? true else {
            throw IgnoreRuleError(description: "bytes=\(text) are none; write such as bytes=2, bytes=2..3 or bytes=8..")
        }
        return .bytes(from: first, through: last)
    }

    private static func mask(_ text: String) throws(IgnoreRuleError) -> [UInt8] {
        let digits = Array(text)
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard index + 1 < digits.count, digits[index].isHexDigit, digits[index + 1].isHexDigit,
                let byte = UInt8(String(digits[index...index + 1]), radix: 16)
            else { break }
            bytes.append(byte)
        }
        guard !bytes.isEmpty, bytes.count * 2 == digits.count else {
            throw IgnoreRuleError(
                description: "mask=\(text) is none; write two hexadecimal digits for each byte, such as mask=00ff")
        }
        return bytes
    }

    private static let descriptors: [String: UInt8] = [
        "device": 1, "configuration": 2, "string": 3, "qualifier": 6, "other-speed": 7, "bos": 0x0f, "hid": 0x21,
        "report": 0x22,
    ]

    private static let requests: [String: StandardRequest] = [
        "GET_STATUS": .getStatus, "CLEAR_FEATURE": .clearFeature, "SET_FEATURE": .setFeature,
        "SET_ADDRESS": .setAddress, "GET_DESCRIPTOR": .getDescriptor, "SET_DESCRIPTOR": .setDescriptor,
        "GET_CONFIGURATION": .getConfiguration, "SET_CONFIGURATION": .setConfiguration,
        "GET_INTERFACE": .getInterface, "SET_INTERFACE": .setInterface, "SYNCH_FRAME": .synchFrame,
        "SET_SEL": .setSystemExitLatency, "SET_ISOCH_DELAY": .setIsochronousDelay,
    ]

    private static func request(_ text: String) throws(IgnoreRuleError) -> Condition {
        let parts = text.split(separator: "(", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard let request = requests[parts[0].uppercased()] else {
            throw IgnoreRuleError(
                description: "request=\(text) is no standard request such as GET_DESCRIPTOR; others are named with "
                    + "setup=")
        }
        guard parts.count > 1 else { return .request(request, descriptor: nil) }
        let name = parts[1].hasSuffix(")") ? parts[1].dropLast().lowercased() : ""
        let type = descriptors[name] ?? number(name).flatMap { UInt8(exactly: $0) }
        guard let type, request == .getDescriptor || request == .setDescriptor else {
            throw IgnoreRuleError(
                description: "request=\(text) names no kind of descriptor; write such as GET_DESCRIPTOR(string), "
                    + "with \(descriptors.keys.sorted().joined(separator: ", ")) or a number such as 0x22")
        }
        return .request(request, descriptor: type)
    }

    private static func setup(_ text: String) throws(IgnoreRuleError) -> SetupPattern {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        var fields: [UInt16?] = []
        for (index, part) in parts.enumerated() {
            let value = part == "*" ? nil : UInt16(part, radix: 16)
            let limit: UInt16 = index < 2 ? 0xff : 0xffff
            guard part == "*" || part.first?.isHexDigit == true, part == "*" || value.map({ $0 <= limit }) == true,
                index < 5
            else {
                throw IgnoreRuleError(
                    description: "setup=\(text) is none; write bmRequestType:bRequest:wValue:wIndex:wLength in "
                        + "hexadecimal with * for any, such as setup=c0:01:*:*")
            }
            fields.append(value)
        }
        fields += Array(repeating: nil, count: 5 - fields.count)
        return SetupPattern(
            requestType: fields[0].map { UInt8(truncatingIfNeeded: $0) },
            request: fields[1].map { UInt8(truncatingIfNeeded: $0) }, value: fields[2], index: fields[3],
            length: fields[4])
    }

    /// `2`, `2..3` or `2..`, whose second number is nil.
    private static func range(_ text: String) -> (first: Int, last: Int?)? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 1 || parts.count == 3 && parts[1].isEmpty, let first = number(parts[0]) else { return nil }
        guard parts.count == 3 else { return (first, first) }
        if parts[2].isEmpty { return (first, nil) }
        return number(parts[2]).map { (first, $0) }
    }

    /// A number, decimal or with 0x hexadecimal; below 2^32.
    private static func number(_ text: String) -> Int? {
        let isHexadecimal = text.hasPrefix("0x")
        let digits = isHexadecimal ? text.dropFirst(2) : text[...]
        guard digits.first?.isHexDigit == true, let value = UInt32(digits, radix: isHexadecimal ? 16 : 10) else {
            return nil
        }
        return Int(value)
    }
}
