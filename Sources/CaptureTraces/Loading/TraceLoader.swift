public import USBCapture

/// Reads the transfers of a capture's devices.
///
/// Data stay in the capture's file where they are there in one piece; others are set aside, from 64 MiB on in a
/// temporary file. Each transfer takes about 90 bytes of memory beside.
public enum TraceLoader {
    /// Reads the transfers of some of a capture's devices.
    ///
    /// - Parameters:
    ///   - choice: the devices that are wanted; nil for all.
    ///   - progress: told the number of events read, every 65,536 events and at the end.
    /// - Returns: the traces in the order of the devices, and what the whole capture contains. Where reading must end
    ///   early, the summary's ``CaptureSummary/trouble`` says so.
    /// - Throws: ``CaptureError`` when no device is meant by the choice, or data cannot be set aside.
    public static func load(
        _ source: any EventSource, choice: DeviceChoice?, progress: ((Int) -> Void)? = nil
    ) throws(CaptureError) -> (traces: [Trace], summary: CaptureSummary) {
        var reading = try Reading(source, progress: progress)
        let wanted = reading.summary.devices.indices.filter { choice?.matches(reading.summary.devices[$0]) ?? true }
        if let choice, wanted.isEmpty { throw reading.summary.lacks(choice) }
        return (reading.traces(wanted), reading.summary)
    }

    /// Reads the transfers of one device of a file.
    ///
    /// - Parameters:
    ///   - path: the capture; `-` is standard input.
    ///   - choice: which device; nil for the only one that is not a hub.
    ///   - descriptors: the path of a `.umockdev` file or of the bytes of a `descriptors` file of Linux's sysfs, which
    ///     say what the capture lacks.
    ///   - progress: told the number of events read, every 65,536 events and at the end.
    /// - Returns: the trace, and what the whole capture contains. A capture that ends early is read as far as it goes.
    /// - Throws: ``CaptureError`` when nothing can be read, or no device or more than one is meant: the error lists them.
    public static func loadOne(
        path: String, choice: DeviceChoice?, descriptors: String?, progress: ((Int) -> Void)? = nil
    ) throws(CaptureError) -> (trace: Trace, summary: CaptureSummary) {
        try loadOne(CaptureReader(path: path), choice: choice, descriptors: descriptors, progress: progress)
    }

    /// Reads the transfers of one device of a capture that is open.
    ///
    /// - Parameters:
    ///   - source: the capture, of which nothing has been read.
    ///   - choice: which device; nil for the only one that is not a hub.
    ///   - descriptors: the path of a file as for ``loadOne(path:choice:descriptors:progress:)``.
    ///   - progress: told the number of events read, every 65,536 events and at the end.
    /// - Returns: the trace, and what the whole capture contains. A capture that ends early is read as far as it goes.
    /// - Throws: ``CaptureError`` when nothing can be read, or no device or more than one is meant: the error lists
    ///   them. What is wrong with the file of descriptors begins with its path and a colon.
    public static func loadOne(
        _ source: any EventSource, choice: DeviceChoice?, descriptors: String?, progress: ((Int) -> Void)? = nil
    ) throws(CaptureError) -> (trace: Trace, summary: CaptureSummary) {
        // Before the capture, which can be long, is read.
        let file = try descriptors.map { path throws(CaptureError) in try DescriptorFile(path: path) }
        return try loadOne(source, choice: choice, file: file, progress: progress)
    }

    static func loadOne(
        _ source: any EventSource, choice: DeviceChoice?, file: DescriptorFile?, progress: ((Int) -> Void)?
    ) throws(CaptureError) -> (trace: Trace, summary: CaptureSummary) {
        var reading = try Reading(source, progress: progress)
        if reading.summary.devices.isEmpty { throw reading.summary.isEmptyError }
        let devices = reading.summary.devices
        var wanted = devices.indices.filter { choice?.matches(devices[$0]) ?? !devices[$0].isHub }
        // A capture of a hub alone means the hub.
        if choice == nil, wanted.isEmpty, devices.count == 1 { wanted = [0] }
        guard let first = wanted.first else {
            if let choice { throw reading.summary.lacks(choice) }
            throw CaptureError(
                .unsupported, "the capture has hubs only; choose one by its number: \(devices.list)")
        }
        guard wanted.count == 1 else {
            let meant = choice.map { "\($0) means several devices" } ?? "the capture has several devices"
            throw CaptureError(
                .unsupported, "\(meant); choose one by its number: \(wanted.map { devices[$0] }.list)")
        }
        try file?.fill(&reading.summary.devices[first])
        guard let trace = reading.traces([first]).first else {
            throw reading.summary.lacks(choice ?? .number(first + 1))
        }
        return (trace, reading.summary)
    }

    /// A capture that has been read.
    private struct Reading {
        var summary: CaptureSummary
        private let index: TransferIndex
        private let deviceOfSlot: [Int]

        init(_ source: any EventSource, progress: ((Int) -> Void)?) throws(CaptureError) {
            index = TransferIndex(CapturePayloads(source))
            var follower = EventFollower(source, index: index)
            let trouble = follower.run(progress: progress)
            if let failure = index.payloads.failure { throw failure }
            let result = follower.finish()
            deviceOfSlot = result.deviceOfSlot
            summary = CaptureSummary(result, trouble: trouble)
        }

        /// The traces of some devices, by their places in the summary; the transfers of others are dropped.
        mutating func traces(_ wanted: [Int]) -> [Trace] {
            let (packets, submitted) = (index.packets, index.submittedPackets)
            let lists = index.take(wanted, deviceOfSlot: deviceOfSlot)
            return zip(wanted, lists).map { device, transfers in
                Trace(
                    device: summary.devices[device], transfers: transfers, packets: packets,
                    submittedPackets: submitted, payloads: index.payloads)
            }
        }
    }
}
