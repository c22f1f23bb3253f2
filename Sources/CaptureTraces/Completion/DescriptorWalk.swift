internal import USBCore

/// An interface of the HID class, as a configuration has it.
struct HIDInterface {
    var number: UInt8
    var subclass: UInt8
    var `protocol`: UInt8
    /// Its first interrupt IN endpoint.
    var input: EndpointAddress?
    /// The bytes of that endpoint's packets.
    var packetSize = 8
    /// The length of its report descriptor, where its HID descriptor says it (HID 1.11 §6.2.1).
    var reportLength: Int?
    /// Where that length stands in the configuration.
    var lengthPlace: Int?
}

// Walks over descriptors that may be cut or wrong: each stops where a length leads nowhere.
extension [UInt8] {
    /// Where each whole descriptor begins.
    var descriptorPlaces: [Int] {
        var places: [Int] = []
        var place = 0
        while place + 2 <= count {
            let length = Int(self[place])
            guard length >= 2, place + length <= count else { break }
            places.append(place)
            place += length
        }
        return places
    }

    /// The bytes up to the end of the last whole descriptor.
    var wholeDescriptors: [UInt8] {
        guard let last = descriptorPlaces.last else { return [] }
        return [UInt8](prefix(last + Int(self[last])))
    }

    /// The string indices of a configuration and its interfaces.
    var stringIndices: Set<UInt8> {
        var indices: Set<UInt8> = []
        for place in descriptorPlaces {
            switch DescriptorType(rawValue: self[place + 1]) {
            case .configuration where self[place] >= 9: indices.insert(self[place + 6])
            case .interface where self[place] >= 9: indices.insert(self[place + 8])
            default: break
            }
        }
        return indices
    }

    /// The interfaces of the HID class, in their first alternate setting.
    var hidInterfaces: [HIDInterface] {
        var found: [HIDInterface] = []
        var isInside = false
        for place in descriptorPlaces {
            let length = Int(self[place])
            switch DescriptorType(rawValue: self[place + 1]) {
            case .interface where length >= 9:
                isInside = self[place + 5] == USBClass.hid.rawValue && self[place + 3] == 0
                guard isInside else { continue }
                found.append(
                    HIDInterface(number: self[place + 2], subclass: self[place + 6], protocol: self[place + 7]))
            case .hid where isInside && length >= 9 && found[found.count - 1].lengthPlace == nil:
                guard self[place + 6] == 0x22 else { continue }
                found[found.count - 1].lengthPlace = place + 7
                found[found.count - 1].reportLength = Int(self[place + 7]) | Int(self[place + 8]) << 8
            case .endpoint where isInside && length >= 7 && found[found.count - 1].input == nil:
                guard self[place + 2] & 0x80 != 0, self[place + 3] & 3 == 3 else { continue }
                found[found.count - 1].input = EndpointAddress(rawValue: self[place + 2])
                found[found.count - 1].packetSize = Int(self[place + 4]) | Int(self[place + 5] & 7) << 8
            default: break
            }
        }
        return found
    }
}
