// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "ghostplug",
    products: [
        .library(name: "USBCore", targets: ["USBCore"]),
        .library(name: "SCSITarget", targets: ["SCSITarget"]),
    ],
    targets: [
        .target(name: "USBCore"),
        .target(name: "SCSITarget"),
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
        ]
}
