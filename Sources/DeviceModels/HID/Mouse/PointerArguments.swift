import CommandSupport
import USBHID

extension ActionArguments {
    /// Buttons by name, such as `left,right`.
    ///
    /// - Parameter allowed: those that the device has.
    /// - Throws: ``ModelError`` that names the argument and the buttons.
    func buttons(_ name: String, among allowed: PointerButtons) throws(ModelError) -> PointerButtons {
        var buttons: PointerButtons = []
        for word in try list(name) {
            guard let match = PointerButtons.named.first(where: { $0.name == word }), allowed.contains(match.button)
            else { throw error(name, .string(word)) }
            buttons.insert(match.button)
        }
        guard !has(name) || !buttons.isEmpty else { throw error(name, .string("")) }
        return buttons
    }

    /// Seconds, to the microsecond; nil when they were not given.
    func seconds(_ name: String, upTo limit: Double) throws(ModelError) -> Duration? {
        guard let seconds = try decimal(name, in: 0...limit) else { return nil }
        return .microseconds(Int64((seconds * 1_000_000).rounded()))
    }

    /// Refuses an argument that means nothing without one of others.
    func require(_ name: String, for uses: [String]) throws(ModelError) {
        guard has(name), !uses.contains(where: has) else { return }
        throw ModelError("\(name) is for \(uses.joined(separator: ", ")), and there is none of it", key: name)
    }
}

extension PointerButtons {
    /// The names of the buttons, for people and for replies.
    var names: [String] { Self.named.filter { contains($0.button) }.map(\.name) }

    /// What the arguments that take buttons say that they take.
    var words: String { names.joined(separator: ", ") + "; several with commas" }
}

extension ActionReply {
    /// Answers with how a script ended.
    ///
    /// - Parameter members: what there is to tell of a success.
    func finish(
        _ result: Result<Void, InputScriptError>, _ members: @autoclosure () -> [(String, JSON)] = []
    ) {
        switch result {
        case .success: succeed(members())
        case .failure(let error): fail(ModelError(unavailable: error.advice))
        }
    }
}
