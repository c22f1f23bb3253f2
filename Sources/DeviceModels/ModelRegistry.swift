import USBDeviceKit

/// Every model there is.
public enum ModelRegistry {
    /// The models, in the order in which they are listed.
    public static let models: [any DeviceModel.Type] = [
        DriveModel.self, KeyboardModel.self, MouseModel.self, TabletModel.self, TouchscreenModel.self,
        GamepadModel.self,
        CompositeModel.self, RawHIDModel.self, ZeroModel.self, RealModel.self,
        ReplayModel.self,
    ]

    /// The model of a name.
    ///
    /// - Throws: ``ModelError`` that lists the names there are.
    public static func model(named name: String) throws(ModelError) -> any DeviceModel.Type {
        guard let model = models.first(where: { $0.name == name }) else {
            let known = models.map { $0.name }.joined(separator: ", ")
            throw ModelError("there is no model '\(name)'; there is: \(known) (see 'ghostplug models')")
        }
        return model
    }

    /// The key of a name.
    ///
    /// - Throws: ``ModelError`` that lists the keys there are.
    @discardableResult
    public static func checkKey(_ name: String, of model: any DeviceModel.Type) throws(ModelError) -> ModelKey {
        let keys = model.keys + ModelKey.common
        guard let key = keys.first(where: { $0.name == name }) else {
            let known = keys.map(\.name).joined(separator: ", ")
            throw ModelError("\(model.name) has no key '\(name)'; it has: \(known)", key: name)
        }
        return key
    }

    /// Makes the device of a specification, once its keys are known to exist.
    ///
    /// - Throws: ``ModelError``.
    public static func make(
        _ specification: DeviceSpecification, _ context: ModelContext
    ) throws(ModelError) -> ModelDevice {
        let model = try check(specification)
        let options = ModelOptions(specification, model.keys + ModelKey.common)
        let pace = try options.choice("pace", Pace.allCases.map { ($0.rawValue, Optional($0)) }, default: nil)
        var made = try model.make(options, context)
        made.pace = pace
        return made
    }

    /// Checks that a specification's model and keys exist, without making anything.
    ///
    /// - Throws: ``ModelError``.
    @discardableResult
    public static func check(_ specification: DeviceSpecification) throws(ModelError) -> any DeviceModel.Type {
        let model = try model(named: specification.model)
        var seen: Set<String> = []
        for option in specification.options {
            let key = try checkKey(option.key, of: model)
            guard seen.insert(option.key).inserted || key.isRepeatable else {
                throw ModelError("\(option.key)= is given twice", key: option.key)
            }
        }
        return model
    }
}
