import USBHID

/// Several HID models in one device: `composite`.
public enum CompositeModel: DeviceModel {
    /// `composite`.
    public static let name = "composite"
    /// A keyboard with a pointer, and the like.
    public static let summary = "several HID models in one device, such as a keyboard with a mouse"

    /// See ``DeviceModel/keys``: the functions' own keys have the function's name before them.
    public static let keys =
        [
            ModelKey(
                "functions", "\(HIDModels.all.map { $0.name }.joined(separator: "|")), with + in between",
                default: "keyboard+mouse", "what the device is; where two have an action of one name, the first does it"
            )
        ] + HIDKeys.shared
        + HIDModels.all.flatMap { model in
            model.ownKeys.map { key in
                ModelKey(
                    "\(model.name).\(key.name)", key.values, default: key.fallback, key.summary,
                    repeats: key.isRepeatable)
            }
        }

    /// See ``DeviceModel/examples``.
    public static let examples: [(specification: String, meaning: String)] = [
        ("composite", "a keyboard with a mouse, as wireless receivers have them"),
        ("composite:functions=keyboard+tablet,keyboard.layout=de", "what a remote control of a screen needs"),
    ]

    /// See ``DeviceModel/make(_:_:)``.
    public static func make(_ options: ModelOptions, _ context: ModelContext) throws(ModelError) -> ModelDevice {
        let models = try models(options)
        try checkKeys(options, models)
        var whole = HIDPart(functions: [], backing: "")
        for model in models {
            let part = try part(model, options, context)
            whole.functions += part.functions
            let known = Set(whole.actions.map(\.summary.name))
            whole.actions += part.actions.filter { !known.contains($0.summary.name) }
            whole.backing += (whole.backing.isEmpty ? "" : "; ") + part.backing
        }
        // A string descriptor has room for 126 characters.
        let names = models.count > 3 ? "Input Device" : models.map { $0.name }.joined(separator: " and ")
        let configuration = try HIDKeys.configuration(
            options, context, product: "Virtual \(names)", productID: 0x6863)
        return try whole.device(configuration)
    }

    private static func models(_ options: ModelOptions) throws(ModelError) -> [any HIDModel.Type] {
        let text = options.string("functions") ?? "keyboard+mouse"
        var models: [any HIDModel.Type] = []
        for name in text.split(separator: "+", omittingEmptySubsequences: false) {
            guard let model = HIDModels.all.first(where: { $0.name == name }) else {
                throw options.refusal("functions", text)
            }
            models.append(model)
        }
        return models
    }

    /// Refuses keys of models that are not among the functions.
    private static func checkKeys(_ options: ModelOptions, _ models: [any HIDModel.Type]) throws(ModelError) {
        for model in HIDModels.all where !models.contains(where: { $0.name == model.name }) {
            for key in model.ownKeys where options.string("\(model.name).\(key.name)") != nil {
                throw ModelError(
                    "\(model.name).\(key.name)= is for a \(model.name), which is not among functions=",
                    key: "\(model.name).\(key.name)")
            }
        }
    }

    /// A model's functions, made of the keys that are its own and those of all.
    private static func part(
        _ model: any HIDModel.Type, _ options: ModelOptions, _ context: ModelContext
    ) throws(ModelError) -> HIDPart {
        var specification = DeviceSpecification(model: model.name)
        for key in HIDKeys.shared {
            specification.options += options.all(key.name).map { .init(key.name, $0) }
        }
        for key in model.ownKeys {
            specification.options += options.all("\(model.name).\(key.name)").map { .init(key.name, $0) }
        }
        do throws(ModelError) {
            return try model.makePart(ModelOptions(specification, model.keys), context)
        } catch {
            guard error.isMistake else { throw ModelError(unavailable: "\(model.name): \(error)") }
            let isOwn = model.ownKeys.contains { $0.name == error.key }
            throw ModelError(
                "\(model.name): \(error)", key: isOwn ? error.key.map { "\(model.name).\($0)" } : error.key)
        }
    }
}
