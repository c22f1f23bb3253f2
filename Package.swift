// swift-tools-version: 6.2
import PackageDescription

let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

// Dependencies point one way: values, then the device kit and the wire codec, then behaviour, then what does I/O.
let package = Package(
    name: "ghostplug",
    products: [
        // What others build their own devices and servers on.
        .library(name: "USBDeviceKit", targets: ["USBCore", "USBDeviceKit"]),
        .library(name: "USBMassStorage", targets: ["SCSITarget", "USBMassStorage", "DiskStores"]),
        .library(name: "USBGadgetZero", targets: ["USBGadgetZero"]),
        .library(name: "USBHID", targets: ["HIDReports", "USBHID"]),
        .library(name: "USBPassthrough", targets: ["USBPassthrough"]),
        .library(name: "USBIPServer", targets: ["USBIPWire", "USBIPSession", "USBIPServer"]),
        .library(name: "USBIPClient", targets: ["USBIPClient"]),
        .library(name: "USBCapture", targets: ["USBCapture", "CaptureTraces", "USBRecording", "USBReplay"]),
        .executable(name: "ghostplug", targets: ["ghostplug"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.6.0"),
        .package(url: "https://github.com/jpsim/Yams.git", from: "6.0.0"),
    ],
    targets: [
        // Values and pure behaviour: no I/O, no clock.
        .target(name: "USBCore"),
        .target(name: "USBDeviceKit", dependencies: ["USBCore"]),
        .target(name: "USBIPWire", dependencies: ["USBCore"]),
        .target(name: "Statistics"),
        .target(name: "USBIPSession", dependencies: ["Statistics", "USBCore", "USBDeviceKit", "USBIPWire"]),
        .target(name: "SCSITarget"),
        .target(name: "USBMassStorage", dependencies: ["SCSITarget", "USBCore", "USBDeviceKit"]),
        .target(name: "USBGadgetZero", dependencies: ["USBCore", "USBDeviceKit"]),
        .target(name: "HIDReports"),
        .target(name: "USBHID", dependencies: ["HIDReports", "USBCore", "USBDeviceKit"]),

        // The edges.
        // System calls that Swift's Glibc does not show.
        .target(name: "CLinux"),
        .target(name: "SocketIO", dependencies: ["CLinux"]),
        .target(name: "DiskStores", dependencies: ["SCSITarget"]),
        .target(
            name: "USBIPServer",
            dependencies: ["SocketIO", "USBCore", "USBDeviceKit", "USBIPSession", "USBIPWire", logging]),
        .target(name: "USBIPClient", dependencies: ["SocketIO", "USBCore", "USBIPWire"]),
        // Which keys to press for a text: libxkbcommon knows the layouts.
        .systemLibrary(name: "CXKBCommon", pkgConfig: "xkbcommon", providers: [.apt(["libxkbcommon-dev"])]),
        .target(name: "KeyboardLayouts", dependencies: ["CXKBCommon"]),
        // Linux's virtual host controller, through its files.
        .target(name: "VHCI", dependencies: ["CLinux", "SocketIO", "USBCore"]),

        // Captures: what is in them, one format after another; then what devices they show.
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .target(name: "USBCapture", dependencies: ["CZlib", "USBCore", "USBIPWire"]),
        .target(name: "CaptureTraces", dependencies: ["USBCapture", "USBCore"]),
        .target(
            name: "CaptureTranscript",
            dependencies: [
                "CaptureTraces", "CommandSupport", "HIDReports", "SCSITarget", "USBCapture", "USBCore",
            ]),
        // A capture as a device, and as a host.
        .target(
            name: "USBReplay",
            dependencies: ["CaptureTraces", "SCSITarget", "USBCapture", "USBCore", "USBDeviceKit"]),
        .target(
            name: "USBReplayHost",
            dependencies: ["CaptureTraces", "USBCapture", "USBCore", "USBIPClient", "USBReplay"]),
        // Making captures: of devices that run here, and of what passes between others.
        .target(
            name: "USBRecording", dependencies: ["SocketIO", "USBCapture", "USBCore", "USBDeviceKit", logging]),
        .target(
            name: "USBIPProxy",
            dependencies: ["SocketIO", "USBCapture", "USBCore", "USBIPWire", "USBRecording", logging]),

        // Real devices, through libusb.
        .systemLibrary(name: "CLibUSB", pkgConfig: "libusb-1.0", providers: [.apt(["libusb-1.0-0-dev"])]),
        .target(
            name: "USBPassthrough", dependencies: ["CLibUSB", "CLinux", "SocketIO", "USBCore", "USBDeviceKit", logging]),

        // What the command offers.
        .target(name: "CommandSupport"),
        .target(name: "Measurement", dependencies: ["CommandSupport", "Statistics"]),
        .target(name: "DeviceInspection", dependencies: ["CommandSupport", "HIDReports", "USBCore"]),
        .target(
            name: "DeviceModels",
            dependencies: [
                "CaptureTraces", "CommandSupport", "DiskStores", "HIDReports", "KeyboardLayouts", "SCSITarget",
                "USBCapture", "USBCore", "USBDeviceKit", "USBGadgetZero", "USBHID", "USBMassStorage", "USBPassthrough",
                "USBReplay", logging,
            ]),
        // Devices that run, and how they are controlled from outside.
        .target(
            name: "DeviceControl",
            dependencies: [
                "CommandSupport", "DeviceModels", "SocketIO", "Statistics", "USBCore", "USBDeviceKit", "USBIPServer",
                "USBIPSession", "USBRecording", logging,
            ]),
        .executableTarget(
            name: "ghostplug",
            dependencies: [
                "CLinux", "CaptureTraces", "CaptureTranscript", "CommandSupport", "DeviceControl", "DeviceInspection",
                "DeviceModels", "Measurement", "SocketIO", "Statistics", "USBCapture", "USBCore", "USBDeviceKit",
                "USBIPClient", "USBIPProxy", "USBIPServer", "USBIPSession", "USBIPWire", "USBPassthrough",
                "USBRecording", "USBReplay", "USBReplayHost", "VHCI", argumentParser, logging, "Yams",
            ]),
        // Measured by Scripts/bench. The C part is host and reference, so that measuring costs least.
        .target(name: "CBenchReference"),
        .executableTarget(
            name: "ghostbench",
            dependencies: [
                "CBenchReference", "CommandSupport", "DeviceControl", "DeviceModels", "SocketIO", "Statistics",
                "USBCapture", "USBCore", "USBDeviceKit", "USBIPClient", "USBIPServer", "USBIPSession", "USBIPWire",
                "USBRecording", argumentParser, logging,
            ]),

        // Scripts/fuzz builds it with libFuzzer; as it is, it reads the files that it is given.
        .executableTarget(
            name: "fuzz-capture", dependencies: ["CaptureTraces", "CaptureTranscript", "CommandSupport", "USBCapture"]),

        // Tests. What runs under a real kernel is in Tests/Lab.
        .testTarget(name: "USBCoreTests", dependencies: ["USBCore"]),
        .testTarget(name: "SCSITargetTests", dependencies: ["SCSITarget"]),
        .target(
            name: "TestSupport",
            dependencies: ["SocketIO", "USBCore", "USBDeviceKit", "USBIPSession", "USBIPWire"], path: "Tests/Support"),
        .testTarget(name: "SocketIOTests", dependencies: ["SocketIO", "TestSupport"]),
        .testTarget(name: "USBIPWireTests", dependencies: ["TestSupport", "USBCore", "USBIPWire"]),
        .testTarget(
            name: "USBIPSessionTests",
            dependencies: [
                "DirectHost", "Statistics", "TestSupport", "USBCore", "USBDeviceKit", "USBIPSession", "USBIPWire",
            ]),
        .testTarget(
            name: "USBIPServerTests",
            dependencies: [
                "SocketIO", "TestSupport", "USBCore", "USBDeviceKit", "USBIPServer", "USBIPSession", "USBIPWire",
                logging,
            ]),
        .target(name: "DirectHost", dependencies: ["USBCore", "USBDeviceKit"], path: "Tests/DirectHost"),
        .testTarget(name: "USBDeviceKitTests", dependencies: ["DirectHost", "USBCore", "USBDeviceKit"]),
        .testTarget(
            name: "USBMassStorageTests",
            dependencies: ["DirectHost", "SCSITarget", "USBCore", "USBDeviceKit", "USBMassStorage"]),
        .testTarget(
            name: "USBGadgetZeroTests", dependencies: ["DirectHost", "USBCore", "USBDeviceKit", "USBGadgetZero"]),
        .testTarget(name: "HIDReportsTests", dependencies: ["HIDReports"]),
        .testTarget(
            name: "USBHIDTests", dependencies: ["DirectHost", "HIDReports", "USBCore", "USBDeviceKit", "USBHID"]),
        .testTarget(
            name: "USBPassthroughTests",
            dependencies: [
                "CLibUSB", "DirectHost", "SocketIO", "TestSupport", "USBCore", "USBDeviceKit", "USBIPSession",
                "USBIPWire", "USBPassthrough", logging,
            ]),
        .testTarget(name: "USBCaptureTests", dependencies: ["TestSupport", "USBCapture", "USBCore", "USBIPWire"]),
        .testTarget(name: "CaptureTracesTests", dependencies: ["CaptureTraces", "USBCapture", "USBCore"]),
        .testTarget(
            name: "CaptureTranscriptTests",
            dependencies: ["CaptureTraces", "CaptureTranscript", "CommandSupport", "USBCapture", "USBCore"]),
        .testTarget(
            name: "USBReplayTests",
            dependencies: [
                "CaptureTraces", "DirectHost", "SCSITarget", "TestSupport", "USBCapture", "USBCore", "USBDeviceKit",
                "USBIPSession", "USBIPWire", "USBReplay",
            ]),
        .testTarget(
            name: "USBReplayHostTests",
            dependencies: [
                "CaptureTraces", "SocketIO", "TestSupport", "USBCapture", "USBCore", "USBDeviceKit", "USBIPClient",
                "USBIPServer", "USBRecording", "USBReplay", "USBReplayHost", logging,
            ]),
        .testTarget(
            name: "USBRecordingTests",
            dependencies: [
                "DirectHost", "SocketIO", "TestSupport", "USBCapture", "USBCore", "USBDeviceKit", "USBIPSession",
                "USBIPWire", "USBRecording", logging,
            ]),
        .testTarget(
            name: "USBIPProxyTests",
            dependencies: [
                "SocketIO", "TestSupport", "USBCapture", "USBCore", "USBDeviceKit", "USBIPClient", "USBIPProxy",
                "USBIPServer", "USBIPWire", "USBRecording", logging,
            ]),
        .testTarget(name: "KeyboardLayoutsTests", dependencies: ["CXKBCommon", "KeyboardLayouts"]),
        .testTarget(name: "VHCITests", dependencies: ["SocketIO", "USBCore", "VHCI"]),
        .testTarget(
            name: "DeviceControlTests",
            dependencies: [
                "CommandSupport", "DeviceControl", "DeviceModels", "DirectHost", "SocketIO", "TestSupport",
                "USBCapture", "USBCore", "USBDeviceKit", "USBIPClient", "USBIPServer", "USBRecording", logging,
            ]),
        .testTarget(name: "DiskStoresTests", dependencies: ["DiskStores", "SCSITarget"]),
        .testTarget(
            name: "DeviceModelsTests",
            dependencies: [
                "CaptureTraces", "CommandSupport", "DeviceModels", "DirectHost", "HIDReports", "KeyboardLayouts",
                "SCSITarget", "USBCapture", "USBCore", "USBDeviceKit", "USBGadgetZero", "USBHID", "USBMassStorage",
                "USBReplay", logging,
            ]),
        .testTarget(
            name: "USBIPClientTests",
            dependencies: [
                "DirectHost", "SocketIO", "TestSupport", "USBCore", "USBDeviceKit", "USBIPClient", "USBIPServer",
                "USBIPSession", "USBIPWire", logging,
            ]),
        .testTarget(
            name: "DeviceInspectionTests", dependencies: ["CommandSupport", "DeviceInspection", "USBCore"]),
        .testTarget(name: "MeasurementTests", dependencies: ["CommandSupport", "Measurement", "Statistics"]),
        .testTarget(name: "StatisticsTests", dependencies: ["Statistics"]),
        .testTarget(
            name: "ghostplugTests",
            dependencies: [
                "CommandSupport", "DeviceControl", "DeviceModels", "Measurement", "SocketIO", "Statistics", "USBCore",
                "USBIPClient", "USBIPServer", "USBIPSession", "USBPassthrough", "VHCI", "ghostplug", logging,
            ]),
    ]
)

// One language dialect for every target. Each upcoming feature is a later Swift's default, adopted early so that
// the code does not have to change twice; strict memory safety makes every unsafe expression say so.
for target in package.targets where [.regular, .executable, .test].contains(target.type) {
    target.swiftSettings =
        (target.swiftSettings ?? []) + [
            .swiftLanguageMode(.v6),
            .strictMemorySafety(),
            .enableUpcomingFeature("ExistentialAny"),  // SE-0335
            .enableUpcomingFeature("MemberImportVisibility"),  // SE-0444
            .enableUpcomingFeature("InternalImportsByDefault"),  // SE-0409
        ] + (Context.environment["GHOSTPLUG_WARNINGS_AS_ERRORS"] == nil ? [] : [.treatAllWarnings(as: .error)])
}
