import DeviceModels

/// Reads a scenario; see ``Scenario/init(_:file:)``.
struct ScenarioSyntax {
    let file: String
    var stepCount = 0
    var repeatDepth = 0

    /// The longest time that a step may name: a day.
    private static let longest = 86_400.0

    // MARK: The whole

    mutating func scenario(_ root: ScenarioNode) throws(ScenarioFileError) -> Scenario {
        var members = try ScenarioMembers(root, "a scenario", file)
        // Who reads the file has read these.
        _ = members.take("settings")
        var devices: [Scenario.Device] = []
        if let node = members.take("devices") { devices = try self.devices(node) }
        guard !devices.isEmpty else {
            throw ScenarioFileError(file, root.line, "a scenario needs devices, such as 'devices: {kbd: keyboard}'")
        }
        guard let node = members.take("steps") else {
            throw ScenarioFileError(file, root.line, "a scenario needs steps, a list of what happens")
        }
        let steps = try self.steps(node)
        try members.end()
        return Scenario(file: file, devices: devices, steps: steps)
    }

    private func devices(_ node: ScenarioNode) throws(ScenarioFileError) -> [Scenario.Device] {
        guard case .mapping(let members) = node.content else {
            throw ScenarioFileError(file, node.line, "devices: a mapping is expected, such as 'kbd: keyboard'")
        }
        guard members.count <= Scenario.deviceLimit else {
            throw ScenarioFileError(file, node.line, "more than \(Scenario.deviceLimit) devices")
        }
        var devices: [Scenario.Device] = []
        for (key, value) in members {
            let name = key.text ?? ""
            guard Self.isName(name) else {
                throw ScenarioFileError(
                    file, key.line,
                    "'\(name.prefix(40))' is no name for a device: a letter, then letters, digits and _, 32 at most")
            }
            guard !devices.contains(where: { $0.name == name }) else {
                throw ScenarioFileError(file, key.line, "there are two devices '\(name)'")
            }
            devices.append(try device(name, key.line, value))
        }
        return devices
    }

    static func isName(_ text: some StringProtocol) -> Bool {
        guard (1...32).contains(text.utf8.count), let first = text.first, first.isASCII, first.isLetter else {
            return false
        }
        return text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
    }

    private func device(
        _ name: String, _ line: Int, _ node: ScenarioNode
    ) throws(ScenarioFileError) -> Scenario.Device {
        if let text = node.text {
            let specification = try attempt(node.line) { () throws(ModelError) in
                let specification = try DeviceSpecification(parsing: text)
                try ModelRegistry.check(specification)
                return specification
            }
            return Scenario.Device(name: name, specification: specification, isLater: false, line: line)
        }
        var members = try ScenarioMembers(node, "device \(name)", file)
        var specification = DeviceSpecification(
            model: try members.text(needed: "model", "such as 'model: drive' ('ghostplug models' lists them)"))
        let isLater = try members.bool("later", default: false)
        let model = try attempt(node.line) { () throws(ModelError) in
            try ModelRegistry.model(named: specification.model)
        }
        for (key, line, value) in members.takeRest() {
            _ = try attempt(line) { () throws(ModelError) in try ModelRegistry.checkKey(key, of: model) }
            let values = if case .list(let nodes) = value.content { nodes } else { [value] }
            for value in values {
                guard let text = value.text else {
                    throw ScenarioFileError(file, value.line, "device \(name): \(key) takes a single value")
                }
                specification.options.append(.init(key, text))
            }
        }
        try attempt(node.line) { () throws(ModelError) in _ = try ModelRegistry.check(specification) }
        return Scenario.Device(name: name, specification: specification, isLater: isLater, line: line)
    }

    func attempt<R>(_ line: Int, _ body: () throws(ModelError) -> R) throws(ScenarioFileError) -> R {
        do throws(ModelError) {
            return try body()
        } catch {
            throw ScenarioFileError(file, line, "\(error)")
        }
    }

    // MARK: Values

    static func seconds(
        _ node: ScenarioNode, _ what: String, _ file: String
    ) throws(ScenarioFileError) -> Duration {
        guard let text = node.text, let number = Double(text), (0...longest).contains(number) else {
            throw ScenarioFileError(
                file, node.line, "\(what): '\(node.words.prefix(40))' is no time; write seconds, 0 to \(Int(longest))")
        }
        return .microseconds(Int64((number * 1_000_000).rounded()))
    }

    func integer(
        _ node: ScenarioNode, _ range: ClosedRange<Int>, _ what: String
    ) throws(ScenarioFileError) -> Int {
        guard let text = node.text, let number = Int(text), range.contains(number) else {
            throw ScenarioFileError(
                file, node.line,
                "\(what): '\(node.words.prefix(40))' is not a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }
}

extension Scenario {
    /// Reads a scenario, and checks all that can be known of it before it is played.
    ///
    /// The member `settings` is the reader's own; it is not looked at.
    ///
    /// - Parameters:
    ///   - root: the file's mapping.
    ///   - file: its name, for messages.
    /// - Throws: ``ScenarioFileError``.
    package init(_ root: ScenarioNode, file: String) throws(ScenarioFileError) {
        var syntax = ScenarioSyntax(file: file)
        self = try syntax.scenario(root)
        var check = ScenarioCheck(self)
        try check.run()
    }
}
