import USBCore

/// Reads the files `status`, `status.1` and so on: a line for each port of one controller.
enum StatusFile {
    /// Reads a file.
    ///
    /// - Parameters:
    ///   - name: the file, for the error.
    ///   - controller: which controller the file is of.
    /// - Throws: ``VHCIError/malformed(file:line:reason:)``.
    static func parse(_ text: String, name: String, controller: Int) throws(VHCIError) -> [VHCI.Port] {
        var ports: [VHCI.Port] = []
        var seen: Set<PortNumber> = []
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let fields = line.split(separator: " ")
            guard !fields.isEmpty else { continue }
            do throws(Complaint) {
                if index == 0 {
                    try checkTitle(fields)
                    continue
                }
                let port = try port(fields, controller)
                guard seen.insert(port.number).inserted else { throw Complaint("port \(port.number) comes twice") }
                ports.append(port)
            } catch {
                throw .malformed(file: name, line: index + 1, reason: error.reason)
            }
        }
        return ports
    }

    private struct Complaint: Error {
        let reason: String
        init(_ reason: String) { self.reason = reason }
    }

    /// Kernels before 4.13 have one half and no column that names it.
    private static func checkTitle(_ fields: [Substring]) throws(Complaint) {
        guard fields.starts(with: ["hub", "port", "sta", "spd", "dev"]) else {
            throw Complaint("its columns are not those of Linux 4.13 and later")
        }
    }

    private static func port(_ fields: [Substring], _ controller: Int) throws(Complaint) -> VHCI.Port {
        guard fields.count == 7 else { throw Complaint("\(fields.count) columns instead of 7") }
        guard let half = VHCI.Half(rawValue: String(fields[0])) else { throw Complaint("no half '\(fields[0])'") }
        let number = PortNumber(rawValue: try self.number(fields[1], "port number"))
        let state = try self.number(fields[2], "state")
        guard let state = VHCI.PortState(rawValue: state) else { throw Complaint("no state \(state)") }
        let speed = try self.number(fields[3], "speed")
        return VHCI.Port(
            number: number, controller: controller, half: half, state: state, speed: Speed(rawValue: speed),
            deviceID: try self.number(fields[4], "device", radix: 16),
            descriptor: try self.number(fields[5], "descriptor"), busID: try busID(fields[6]))
    }

    private static func number(_ text: Substring, _ what: String, radix: Int = 10) throws(Complaint) -> UInt32 {
        guard let number = DecimalText.number(text, radix: radix) else { throw Complaint("no \(what) '\(text)'") }
        return number
    }

    /// A bus id becomes part of a path, so nothing else may pass for one.
    private static func busID(_ text: Substring) throws(Complaint) -> String? {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let bus = DecimalText.number(parts[0]),
            parts[1].split(separator: ".", omittingEmptySubsequences: false)
                .allSatisfy({ DecimalText.number($0) != nil })
        else { throw Complaint("no bus id '\(text)'") }
        return bus == 0 ? nil : String(text)
    }
}
