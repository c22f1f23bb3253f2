import ArgumentParser

/// What is recorded of devices that run.
struct CaptureOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Record what happens to the devices, as pcapng with usbmon records; replaces an older capture.",
            valueName: "file.pcapng"))
    var capture: String?

    @Option(
        help: ArgumentHelp(
            "Record this device only, also when it is added later; repeatable. (default: all)", valueName: "busid"))
    var captureDevice: [String] = []

}
