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

    let contacts: Int
    /// Millimetres.
    let width: Int
    let height: Int

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
        return ReportCollection(.logical, .finger) {
            Input(.tipSwitch, .confidence)
            Padding(.input, bits: 6)
            Input(.contactIdentifier, logical: 0...Int32(contacts - 1), size: 8)
            // Tenths of a centimetre: the resolution is what hosts reckon the size of a swipe with.
            Input(.x, logical: logical, physical: 0...Int32(width), unit: .centimeter, unitExponent: -1, size: 16)
            Input(.y, logical: logical, physical: 0...Int32(height), unit: .centimeter, unitExponent: -1, size: 16)
            Input(.width, logical: logical, physical: 0...Int32(width), unit: .centimeter, unitExponent: -1, size: 16)
            Input(
                .height, logical: logical, physical: 0...Int32(height), unit: .centimeter, unitExponent: -1, size: 16)
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
            append(size / Double(width), Self.extent, &bytes)
            append(size / Double(height), Self.extent, &bytes)
            bytes.append(UInt8(truncatingIfNeeded: Self.scale(pressure, 255)))
        }
        bytes += [UInt8](repeating: 0, count: (contacts - slots.count) * 11)
        bytes += [UInt8(truncatingIfNeeded: time), UInt8(truncatingIfNeeded: time >> 8)]
        bytes.append(UInt8(truncatingIfNeeded: slots.count))
        return bytes
    }

    private func append(_ part: Double, _ extent: Int, _ bytes: inout [UInt8]) {
        let value = Self.scale(part, extent)
        bytes += [UInt8(truncatingIfNeeded: value), UInt8(truncatingIfNeeded: value >> 8)]
    }

    private static func scale(_ part: Double, _ extent: Int) -> Int {
        part.isFinite ? Int((min(max(part, 0), 1) * Double(extent)).rounded()) : 0
    }
}
