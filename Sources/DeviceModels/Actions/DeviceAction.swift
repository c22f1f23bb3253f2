package import CommandSupport
import Synchronization

/// Something that can be done to a running device from outside: `type`, `mouse`, `eject`.
///
/// Part of a ``ModelDevice``: a model that brings an action has it on the command line and in the control protocol
/// without an edit elsewhere.
package struct DeviceAction {
    /// What can be known of an action without a device.
    package struct Summary: Sendable {
        /// The name: small letters and hyphens.
        package let name: String
        /// One line that says what it does.
        package let summary: String
        /// What it takes.
        package let parameters: [ActionParameter]

        /// Makes a summary.
        package init(_ name: String, _ summary: String, _ parameters: [ActionParameter] = []) {
            self.name = name
            self.summary = summary
            self.parameters = parameters
        }
    }

    /// What can be known without the device.
    package let summary: Summary
    private let body: (ActionArguments, ActionReply) throws(ModelError) -> Void

    /// Makes an action.
    ///
    /// - Parameter body: runs on the device's executor; what it throws is the answer. What takes longer keeps the reply
    ///   and answers later, from the executor.
    package init(
        _ summary: Summary, _ body: @escaping (ActionArguments, ActionReply) throws(ModelError) -> Void
    ) {
        self.summary = summary
        self.body = body
    }

    /// Does it; on the device's executor.
    package func perform(_ arguments: [(String, JSON)], _ reply: ActionReply) {
        do throws(ModelError) {
            try body(try ActionArguments(arguments, of: summary), reply)
        } catch {
            reply.fail(error)
        }
    }
}

/// What an action takes.
package struct ActionParameter: Sendable {
    /// The name.
    package let name: String
    /// What values it takes, for people: `1 to 1000`, `yes|no`, `TEXT`.
    package let values: String
    /// What holds when it is not given; nil when it must be.
    package let fallback: String?
    /// What it is for.
    package let summary: String

    /// Makes a parameter.
    package init(_ name: String, _ values: String, default fallback: String?, _ summary: String) {
        self.name = name
        self.values = values
        self.fallback = fallback
        self.summary = summary
    }
}

/// Where an action's outcome goes, once.
///
/// Dropped without an answer, it says so itself: nobody waits for ever.
package final class ActionReply: Sendable {
    /// How an action ended.
    package typealias Outcome = Result<[(String, JSON)], ModelError>

    private let answer: Mutex<(@Sendable (Outcome) -> Void)?>
    private let abandoned = Atomic(false)

    /// Whether somebody still waits for the outcome: what takes long is given up when nobody does.
    package var isWanted: Bool { !abandoned.load(ordering: .relaxed) }

    /// Says that nobody waits any more.
    package func abandon() { abandoned.store(true, ordering: .relaxed) }

    /// Makes a reply; `answer` is called once, from any thread.
    package init(_ answer: @escaping @Sendable (Outcome) -> Void) { self.answer = Mutex(answer) }

    deinit { fail(ModelError(unavailable: "the device gave up without saying why")) }

    /// The action is done.
    ///
    /// - Parameter members: what there is to tell, such as how many keys were typed.
    package func succeed(_ members: [(String, JSON)] = []) { finish(.success(members)) }

    /// The action was not done, or not all of it.
    package func fail(_ error: ModelError) { finish(.failure(error)) }

    private func finish(_ outcome: Outcome) {
        let answer = answer.withLock { answer in
            defer { answer = nil }
            return answer
        }
        answer?(outcome)
    }
}
