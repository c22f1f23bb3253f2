import HIDReports

/// How a touchscreen's reports are laid out: every contact of a frame in one report.
///
/// Both hid-multitouch and Windows take it so ("parallel mode"). What they want besides coordinates: a contact count
/// that is exact, a scan time, and the maximum as a feature report.
struct TouchReport {
    /// The greatest coordinate on both axes.
    static let extent = 32_767
    static let inputID: UInt8 = 1
    static let maximumID: UInt8 = 2
    /// The bytes of a finger.
    private static let slotSize = 11

    let contacts: Int
    /// Millimetres.
    let width: Int
    let height: Int

    /// The longer one of its sides, which sizes are parts of.
    private var side: Int { max(width, height) }

    /// A finger in a report.
    struct Slot {
        var id: Int
        var isDown: Bool
        var contact: TouchContact
    }

    var descriptor: ReportDescriptor {
        ReportDescriptor {
            ReportCollection(.application, .touchScreen) {
                ReportID(Self.inputID)
                for _ in 0..<contacts { finger }
                Input(
                    .scanTime, logical: 0...0xffff, physical: 0...0xffff, unit: .second, unitExponent: -4, size: 16)
                Input(.contactCount, logical: 0...Int32(contacts), size: 8)
                ReportID(Self.maximumID)
                Feature(.contactCountMaximum, logical: 0...Int32(contacts), size: 8)
            }
        }
    }

    private var finger: ReportCollection {
        let logical = 0...Int32(Self.extent)
        // Linux compares both sides of a contact as they stand, whatever their units: a millimetre must be one number.
        let size = 0...Int32(side)
        return ReportCollection(.logical, .finger) {
            Input(.tipSwitch, .confidence)
            Padding(.input, bits: 6)
            Input(.contactIdentifier, logical: 0...Int32(contacts - 1), size: 8)
            // Tenths of a centimetre: the resolution is what hosts reckon the size of a swipe with.
            Input(.x, logical: logical, physical: 0...Int32(width), unit: .centimeter, unitExponent: -1, size: 16)
            Input(.y, logical: logical, physical: 0...Int32(height), unit: .centimeter, unitExponent: -1, size: 16)
            Input(.width, logical: logical, physical: size, unit: .centimeter, unitExponent: -1, size: 16)
            Input(.height, logical: logical, physical: size, unit: .centimeter, unitExponent: -1, size: 16)
            Input(.tipPressure, logical: 0...255, size: 8)
        }
    }

    /// A frame; slots beyond the most contacts are left out.
    ///
    /// - Parameter time: in units of 100 µs; rolls over.
    func bytes(_ slots: [Slot], time: UInt16) -> [UInt8] {
        let slots = slots.prefix(contacts)
        var bytes = [Self.inputID]
        for slot in slots {
            // What has been lifted says where it was, and that it was meant.
            let contact = slot.contact
            let (size, pressure) = slot.isDown ? (contact.size, contact.pressure) : (0, 0)
            bytes.append(slot.isDown ? 3 : 2)
            bytes.append(UInt8(truncatingIfNeeded: slot.id))
            append(contact.point.x, Self.extent, &bytes)
            append(contact.point.y, Self.extent, &bytes)
            append(size / Double(side), Self.extent, &bytes)
            append(size / Double(side), Self.extent, &bytes)
            bytes.append(UInt8(truncatingIfNeeded: Self.scale(pressure, 255)))
        }
        bytes += [UInt8](repeating: 0, count: (contacts - slots.count) * Self.slotSize)
        bytes += [UInt8(truncatingIfNeeded: time), UInt8(truncatingIfNeeded: time >> 8)]
        bytes.append(UInt8(truncatingIfNeeded: slots.count))
        return bytes
    }

    /// What touches according to a frame, by number.
    func touching(in frame: [UInt8]) -> [Int: TouchContact] {
        guard frame.count == 1 + contacts * Self.slotSize + 3, frame.first == Self.inputID else { return [:] }
        var touching: [Int: TouchContact] = [:]
        for index in 0..<min(contacts, Int(frame[frame.count - 1])) {
            let slot = Array(frame[(1 + index * Self.slotSize)...].prefix(Self.slotSize))
            guard slot[0] & 1 != 0 else { continue }
            let (x, y) = (Int(slot[2]) | Int(slot[3]) << 8, Int(slot[4]) | Int(slot[5]) << 8)
            touching[Int(slot[1])] = TouchContact(
                TouchPoint(x: Double(x) / Double(Self.extent), y: Double(y) / Double(Self.extent)))
        }
        return touching
    }

    private func append(_ part: Double, _ extent: Int, _ bytes: inout [UInt8]) {
        let value = Self.scale(part, extent)
        bytes += [UInt8(truncatingIfNeeded: value), UInt8(truncatingIfNeeded: value >> 8)]
    }

    private static func scale(_ part: Double, _ extent: Int) -> Int {
        part.isFinite ? Int((min(max(part, 0), 1) * Double(extent)).rounded()) : 0
    }
}
