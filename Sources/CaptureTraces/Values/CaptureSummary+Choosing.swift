package import USBCapture

extension CaptureSummary {
    /// The error that a chosen device is not there: what is, and why there may be more.
    package func lacks(_ choice: DeviceChoice) -> CaptureError {
        guard !devices.isEmpty else { return isEmptyError }
        let rest = trouble.map { "; it was not read to its end: \($0)" } ?? ""
        return CaptureError(.unsupported, "the capture has no device \(choice); it has \(devices.list)\(rest)")
    }

    /// The error that there is no device at all: what kept the capture from being read, if something did.
    var isEmptyError: CaptureError { trouble ?? CaptureError(.unsupported, "no USB device is in it") }
}

extension [CapturedDevice] {
    /// The first 40 with their places and ids in a line, and how many more there are.
    package var list: String {
        let shown = prefix(40).map(\.line).joined(separator: "; ")
        return count > 40 ? shown + "; and \(count - 40) more" : shown
    }
}
