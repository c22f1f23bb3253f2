extension ScenarioSyntax {
    /// The names of steps; whatever else a step is called is an action of a device.
    static let keywords = [
        "wait", "pause", "at", "plug", "unplug", "run", "expect", "expect-none", "repeat",
    ]

    private static let usualTimeout = Duration.seconds(30)
    private static let usualEventTimeout = Duration.seconds(5)
    private static let usualCommandTimeout = Duration.seconds(60)

    mutating func steps(_ node: ScenarioNode) throws(ScenarioFileError) -> [ScenarioStep] {
        guard case .list(let nodes) = node.content else {
            throw ScenarioFileError(file, node.line, "steps: a list is expected, such as '- pause: 1'")
        }
        var steps: [ScenarioStep] = []
        for node in nodes {
            stepCount += 1
            guard stepCount <= Scenario.stepLimit else {
                throw ScenarioFileError(
                    file, node.line, "more than \(Scenario.stepLimit) steps; 'repeat' plays the same ones again")
            }
            steps.append(try step(node))
        }
        return steps
    }

    private mutating func step(_ node: ScenarioNode) throws(ScenarioFileError) -> ScenarioStep {
        guard case .mapping(let members) = node.content, members.count == 1, let (key, value) = members.first,
            let name = key.text
        else {
            throw ScenarioFileError(
                file, node.line, "a step is one name with what it takes, such as '- pause: 1' or '- plug: stick'")
        }
        return ScenarioStep(line: key.line, kind: try kind(name, value))
    }

    private mutating func kind(_ name: String, _ value: ScenarioNode) throws(ScenarioFileError) -> ScenarioStep.Kind {
        switch name {
        case "wait": return try wait(value)
        case "pause": return .pause(try Self.seconds(value, name, file))
        case "at": return .at(try Self.seconds(value, name, file))
        case "plug":
            if let device = value.text { return .plug(device: device, timeout: nil) }
            var members = try ScenarioMembers(value, name, file)
            let device = try members.text(needed: "device", "which one")
            let timeout = try members.take("timeout").map { node throws(ScenarioFileError) in
                try Self.seconds(node, "plug: timeout", file)
            }
            try members.end()
            return .plug(device: device, timeout: timeout)
        case "unplug":
            guard let device = value.text else {
                throw ScenarioFileError(file, value.line, "unplug takes a device's name")
            }
            return .unplug(device: device)
        case "run": return .run(try command(value))
        case "expect": return try expectation(value)
        case "expect-none":
            var members = try ScenarioMembers(value, name, file)
            guard let span = members.take("for") else {
                throw ScenarioFileError(file, value.line, "expect-none needs for: how many seconds, such as 'for: 2'")
            }
            let time = try Self.seconds(span, "expect-none: for", file)
            return .expectNone(try pattern(&members), during: time)
        case "repeat": return try repetition(value)
        default: return try action(name, value)
        }
    }

    // MARK: Steps that wait

    /// `kbd configured`, or a mapping.
    private func wait(_ value: ScenarioNode) throws(ScenarioFileError) -> ScenarioStep.Kind {
        if let text = value.text {
            let words = text.split(separator: " ")
            guard words.count == 2 else {
                throw ScenarioFileError(file, value.line, "wait takes a device and a state, such as 'kbd configured'")
            }
            return .wait(
                device: String(words[0]), state: try state(words[1], value.line), timeout: Self.usualTimeout)
        }
        var members = try ScenarioMembers(value, "wait", file)
        let device = try members.text(needed: "device", "which one")
        let state = try state(try members.text(needed: "for", "which state")[...], value.line)
        let timeout = try members.seconds("timeout", default: Self.usualTimeout)
        try members.end()
        return .wait(device: device, state: state, timeout: timeout)
    }

    private func state(_ text: Substring, _ line: Int) throws(ScenarioFileError) -> HostState {
        guard let state = HostState(rawValue: String(text)) else {
            let known = HostState.allCases.map(\.rawValue).joined(separator: ", ")
            throw ScenarioFileError(file, line, "there is no state '\(text.prefix(40))'; there is: \(known)")
        }
        return state
    }

    private func expectation(_ value: ScenarioNode) throws(ScenarioFileError) -> ScenarioStep.Kind {
        var members = try ScenarioMembers(value, "expect", file)
        guard let word = try members.text("state") else {
            let timeout = try members.seconds("timeout", default: Self.usualEventTimeout)
            return .expect(try pattern(&members), timeout: timeout)
        }
        let state = try state(word[...], value.line)
        let device = try members.text(needed: "device", "which one")
        let timeout = try members.seconds("timeout", default: .zero)
        try members.end()
        return .wait(device: device, state: state, timeout: timeout)
    }

    private func pattern(_ members: inout ScenarioMembers) throws(ScenarioFileError) -> ScenarioEventPattern {
        let kind = try members.text(
            needed: "event", "which, such as leds, attached or detached ('ghostplug ctl events' shows what there is)")
        let device = try members.text("device")
        return ScenarioEventPattern(
            kind: kind, device: device,
            members: members.takeRest().map { ScenarioArgument(name: $0.key, value: $0.value) })
    }

    // MARK: Steps that do something

    private func action(_ name: String, _ value: ScenarioNode) throws(ScenarioFileError) -> ScenarioStep.Kind {
        if let device = value.text { return .act(name, device: device, arguments: []) }
        var members = try ScenarioMembers(value, name, file)
        let device = try members.text(needed: "device", "which one")
        let arguments = members.takeRest().map { ScenarioArgument(name: $0.key, value: $0.value) }
        return .act(name, device: device, arguments: arguments)
    }

    private func command(_ value: ScenarioNode) throws(ScenarioFileError) -> ScenarioCommand {
        var text = value.text ?? ""
        var status: Int32? = 0
        var output: String?
        var timeout = Self.usualCommandTimeout
        if value.text == nil {
            var members = try ScenarioMembers(value, "run", file)
            text = try members.text(needed: "command", "for the shell")
            if let node = members.take("status") {
                status = node.text == "any" ? nil : Int32(clamping: try integer(node, 0...255, "run: status (or any)"))
            }
            output = try members.text("output")
            timeout = try members.seconds("timeout", default: timeout)
            try members.end()
        }
        guard !text.isEmpty, !text.contains("\0") else {
            throw ScenarioFileError(file, value.line, "run takes a command for the shell")
        }
        let parts = try ScenarioVariable.parts(of: text, file, value.line)
        return ScenarioCommand(
            text: text, status: status, output: output, timeout: timeout, variables: parts.compactMap(\.variable))
    }

    private mutating func repetition(_ value: ScenarioNode) throws(ScenarioFileError) -> ScenarioStep.Kind {
        var members = try ScenarioMembers(value, "repeat", file)
        guard let node = members.take("times") else {
            throw ScenarioFileError(file, value.line, "repeat needs times: how often")
        }
        let times = try integer(node, 1...100_000, "repeat: times")
        guard let inner = members.take("steps") else {
            throw ScenarioFileError(file, value.line, "repeat needs steps: what is played again")
        }
        try members.end()
        repeatDepth += 1
        defer { repeatDepth -= 1 }
        guard repeatDepth <= Scenario.repeatDepthLimit else {
            throw ScenarioFileError(file, value.line, "repeat stands in more than \(Scenario.repeatDepthLimit) others")
        }
        return .repeat(times: times, try steps(inner))
    }
}

extension ScenarioVariable {
    /// A piece of a command.
    enum Part: Equatable {
        case text(String)
        case variable(ScenarioVariable)

        var variable: ScenarioVariable? { if case .variable(let variable) = self { variable } else { nil } }
    }

    /// Takes a command apart at `${DEVICE.NAME}`; whatever else has a `$` is the shell's own.
    static func parts(of text: String, _ file: String, _ line: Int) throws(ScenarioFileError) -> [Part] {
        var parts: [Part] = []
        var plain = ""
        var rest = text[...]
        while let start = rest.firstRange(of: "${") {
            plain += rest[..<start.lowerBound]
            rest = rest[start.lowerBound...]
            guard let end = rest.firstIndex(of: "}") else { break }
            let inner = rest[start.upperBound..<end]
            let words = inner.split(separator: ".", omittingEmptySubsequences: false)
            if words.count == 2, ScenarioSyntax.isName(words[0]), ScenarioSyntax.isName(words[1]) {
                let variable = ScenarioVariable(device: String(words[0]), name: String(words[1]))
                guard known.contains(variable.name) else {
                    throw ScenarioFileError(
                        file, line, "a device has no '\(variable.name)'; it has: \(known.joined(separator: ", "))")
                }
                parts += [.text(plain), .variable(variable)]
                plain = ""
                rest = rest[rest.index(after: end)...]
            } else {
                plain += "${"
                rest = rest[start.upperBound...]
            }
        }
        return parts + [.text(plain + rest)]
    }
}
