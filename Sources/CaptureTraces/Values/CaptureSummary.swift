public import USBCapture

/// What a capture contains.
public struct CaptureSummary: Hashable, Sendable {
    /// The devices, in the order in which they appear.
    public var devices: [CapturedDevice]
    /// How many events were read.
    public var events: Int
    /// The earliest time, in nanoseconds of the capture; 0 when there are no events.
    public var firstTime: Int64
    /// The latest time.
    public var lastTime: Int64
    /// Where reading ended early, and why; what came before is good.
    public var trouble: CaptureError?
    /// What is to be known of this reading, in words: limits that were reached.
    public var notes: [String]

    /// Makes a summary.
    public init(
        devices: [CapturedDevice] = [], events: Int = 0, firstTime: Int64 = 0, lastTime: Int64 = 0,
        trouble: CaptureError? = nil, notes: [String] = []
    ) {
        self.devices = devices
        self.events = events
        self.firstTime = firstTime
        self.lastTime = lastTime
        self.trouble = trouble
        self.notes = notes
    }

    init(_ result: EventFollower.Result, trouble: CaptureError?) {
        self.init(
            devices: result.devices, events: result.events, firstTime: result.firstTime, lastTime: result.lastTime,
            trouble: trouble, notes: result.notes)
    }
}
