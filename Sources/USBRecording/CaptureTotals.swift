/// What came of a capture.
public struct CaptureTotals: Hashable, Sendable {
    /// The file.
    public var path: String
    /// Records that are in it.
    public var records: UInt64
    /// Devices that were recorded, each on an interface of its own.
    public var devices: Int
    /// Records that are not in it: there was no room for them in memory, or in the file.
    public var dropped: UInt64
    /// Why recording ended early; nil when it did not.
    public var failure: String?

    /// The line for people, such as `captured 1234 records of 2 devices in run.pcapng (0 dropped)`.
    public var line: String {
        "captured \(records) record\(records == 1 ? "" : "s") of \(devices) device\(devices == 1 ? "" : "s") in \(path) "
            + "(\(dropped) dropped)" + (failure.map { "; recording ended early: \($0)" } ?? "")
    }
}
