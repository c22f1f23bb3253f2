public import CaptureTraces
public import USBIPClient
public import USBReplay

/// A capture as a host: makes the recorded requests of one device again, to a device at a USB/IP server, and compares
/// the answers with the recorded ones.
///
/// Requests keep their recorded order: each is made when those have ended that had ended before it in the recording, so
/// as many are in flight as were then. What an interrupt IN endpoint sends by itself is waited for in its own order and
/// holds up nothing else for longer than half a second. Requests that cannot be made again are left out and counted,
/// see ``SkipReason``.
///
/// For one thread, which ``run(progress:)`` keeps until the end; it must not be the device's reading thread.
public final class HostReplay {
    /// How far a replay has come.
    public struct Progress: Sendable {
        /// Transfers that have ended.
        public var done: Int
        /// Transfers to be made.
        public var total: Int
        /// What differed up to now.
        public var divergences: Int
    }

    /// How many transfers of the recording are not made again, by reason; those of ``SkipReason/silentEndpoint`` are
    /// known when the replay has ended.
    public var skipped: [SkipReason: Int] { run.skipped }
    /// Why the replay ended before its end: what became of the connection; nil where it did not.
    public var trouble: HostError? { run.trouble }

    private let run: ReplayRun

    /// Prepares a replay; nothing is sent yet.
    ///
    /// - Parameters:
    ///   - trace: what was recorded of the device.
    ///   - remote: the device that is asked.
    public convenience init(_ trace: Trace, remote: RemoteDevice, _ settings: HostReplaySettings = HostReplaySettings())
    {
        self.init(trace, target: RemoteTarget(remote), settings)
    }

    /// Prepares a replay to anything that takes requests.
    package init(_ trace: Trace, target: any RequestTarget, _ settings: HostReplaySettings) {
        run = ReplayRun(trace, target, settings)
    }

    /// Makes the requests; to be called once.
    ///
    /// A connection that ends before, and a capture that can no longer be read, are divergences too.
    ///
    /// - Parameter progress: called after each transfer, on the calling thread.
    public func run(progress: ((Progress) -> Void)? = nil) -> ReplayReport { run.run(progress) }
}
