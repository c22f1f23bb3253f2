public import USBCapture

/// Finds out what a capture contains without keeping its transfers.
public enum CaptureSurvey {
    /// Reads a capture to its end.
    ///
    /// The memory it takes does not depend on how long the capture is: at most 4096 devices are told apart, and 65,536
    /// transfers are waited for. Where reading must end early, the summary says so in its ``CaptureSummary/trouble``.
    ///
    /// - Parameter progress: told the number of events read, every 65,536 events and at the end.
    public static func run(_ source: any EventSource, progress: ((Int) -> Void)?) -> CaptureSummary {
        var follower = EventFollower(source, index: nil)
        let trouble = follower.run(progress: progress)
        return CaptureSummary(follower.finish(), trouble: trouble)
    }
}
