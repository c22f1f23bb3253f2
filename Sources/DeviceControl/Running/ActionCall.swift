package import DeviceModels

/// Begins an action, and waits for its outcome.
package enum ActionCall {
    /// Waits until an action has ended.
    ///
    /// Holds nothing of the reply while it waits: one that is dropped ends the wait, too.
    ///
    /// - Parameters:
    ///   - cancellation: tells the action that nobody waits for it any more; how it then ends is waited for.
    ///   - begin: begins the action, which keeps the reply until it answers; false when there is no such action.
    /// - Returns: the outcome; nil when there is no such action.
    package static func outcome(
        _ cancellation: Cancellation, _ begin: (ActionReply) -> Bool
    ) -> ActionReply.Outcome? {
        let outcome = Monitor<ActionReply.Outcome?>(nil)
        guard let abandon = start(outcome, begin) else { return nil }
        return cancellation.withHandler(abandon) { outcome.wait { $0 } }
    }

    /// A function of its own, so that the reply is let go of when it returns.
    ///
    /// - Returns: what tells the action that nobody waits any more.
    private static func start(
        _ outcome: Monitor<ActionReply.Outcome?>, _ begin: (ActionReply) -> Bool
    ) -> (@Sendable () -> Void)? {
        let reply = ActionReply { result in outcome.change { $0 = result } }
        guard begin(reply) else { return nil }
        return { [weak reply] in reply?.abandon() }
    }
}
