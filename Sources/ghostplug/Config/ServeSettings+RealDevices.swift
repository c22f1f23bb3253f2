import ArgumentParser
import DeviceModels
import USBPassthrough

extension ServeSettings.Device {
    /// The model of real devices.
    private static let realModel = "real"
    /// Its key that says which one.
    static let subject = "device"

    /// Which real device it is, as it is written; nil where it is none.
    fileprivate var realDevice: String? {
        guard specification.model == Self.realModel else { return nil }
        return specification.options.last { $0.key == Self.subject }?.value
    }

    /// Whether it stands for every real device that meets conditions: `real:*`.
    var isStar: Bool { realDevice == "*" }
}

extension ServeSettings {
    /// Reads conditions that a real device is to meet.
    static func match(_ text: String, _ place: String) throws(ConfigurationError) -> DeviceMatch {
        do throws(InventoryError) {
            return try DeviceMatch(parsing: text)
        } catch {
            throw ConfigurationError("\(place): \(error)")
        }
    }

    /// Puts the devices that there are now in the place of each `real:*`, each by its place.
    ///
    /// What is named itself, or was found for another star already, is left out.
    ///
    /// - Throws: ``Failure`` when a star has no conditions, conditions have no star, or nothing meets them.
    mutating func expandStars(_ inventory: Inventory = Inventory()) throws(Failure) {
        guard devices.contains(where: \.isStar) else {
            guard matches.isEmpty else {
                throw Failure(
                    "--match chooses what real:* stands for, and there is no real:*; add it to the devices",
                    .validationFailure)
            }
            return
        }
        let named = devices.compactMap(\.realDevice).compactMap { try? DeviceSelector(parsing: $0) }
            .filter { $0.form != .every }
        var seen: Set<String> = []
        var expanded: [Device] = []
        for device in devices {
            guard device.isStar else {
                expanded.append(device)
                continue
            }
            for found in try matching(device, inventory) where !named.contains(where: { $0.matches(found) }) {
                guard seen.insert(found.path).inserted else { continue }
                expanded.append(device.standing(for: found))
            }
        }
        devices = expanded
    }

    private func matching(_ device: Device, _ inventory: Inventory) throws(Failure) -> [HostDevice] {
        let conditions = device.matches.isEmpty ? matches : device.matches
        guard !conditions.isEmpty else {
            throw Failure(
                "\(device.origin): which of all devices? say so with --match, such as --match class=mass-storage, or "
                    + "name one ('ghostplug devices' shows them)", .validationFailure)
        }
        do throws(InventoryError) {
            let found = try inventory.all(matching: conditions)
            guard !found.isEmpty else { throw conditions.unmet(try inventory.devices()) }
            guard device.specification.busID == nil || found.count == 1 else {
                throw InventoryError.malformed("busid= is for one device, and \(found.count) meet the conditions")
            }
            return found
        } catch {
            throw Failure("\(device.origin): \(error)", error.isMistake ? .validationFailure : .failure)
        }
    }
}

extension ServeSettings.Device {
    /// The same for one device that a star stands for.
    fileprivate func standing(for found: HostDevice) -> Self {
        var device = self
        device.matches = []
        device.origin = "\(origin), \(found.path)"
        device.specification.options = specification.options.map { option in
            option.key == Self.subject ? DeviceSpecification.Option(Self.subject, found.path) : option
        }
        return device
    }
}

extension [DeviceMatch] {
    /// The error that none of some devices meets any of these.
    func unmet(_ devices: [HostDevice]) -> InventoryError {
        .notFound("that meets \(map(\.description).joined(separator: " or "))", near: [], devices)
    }
}
