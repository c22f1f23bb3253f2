/// Some steps of a script, made one by one, so that a long movement is not all in memory.
struct ScriptPart {
    /// How many there are.
    let count: Int
    /// Makes the step of an index; called once for each, in order, when its turn has come.
    let step: (Int) -> InputScript.Step

    init(count: Int, step: @escaping (Int) -> InputScript.Step) {
        self.count = max(0, count)
        self.step = step
    }

    init(_ steps: [InputScript.Step]) { self.init(count: steps.count) { steps[$0] } }
}

extension InputScript {
    /// Makes a script of parts, one after the other.
    ///
    /// - Parameters:
    ///   - parts: what it is made of.
    ///   - begin: called before the first step.
    ///   - undo: brings the state back when the script fails after it has begun.
    init(_ parts: [ScriptPart], begin: @escaping () -> Void, undo: @escaping () -> Void) {
        var part = 0
        var first = 0
        self.init(count: parts.reduce(0) { $0 + $1.count }, undo: undo) { index in
            if index == 0 { begin() }
            while part < parts.count - 1, index - first >= parts[part].count {
                first += parts[part].count
                part += 1
            }
            return parts[part].step(index - first)
        }
    }
}
