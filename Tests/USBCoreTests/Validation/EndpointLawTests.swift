import Testing
import USBCore

private let inPath = "configuration 1, interface 0 alternate 0, EP 1 IN"

/// A description with one endpoint in alternate setting 1, where it may claim what it wants.
private func stream(
    _ speed: Speed, _ type: TransferType, maxPacketSize: UInt16? = nil, more: UInt8 = 0, interval: UInt8? = nil,
    maxBurst: UInt8 = 0
) -> DeviceDescription {
    DeviceDescription(speed: speed, vendorID: 0x1209, productID: 4, offersOtherSpeed: false) {
        Configuration {
            Interface(0, class: .vendorSpecific)
            Interface(0, alternate: 1, class: .vendorSpecific) {
                Endpoint(
                    .in(1), type, maxPacketSize: maxPacketSize, additionalTransactions: more, interval: interval,
                    maxBurst: maxBurst)
            }
        }
    }
}

private let streamPath = "configuration 1, interface 0 alternate 1, EP 1 IN"

@Suite struct EndpointLawTests {
    /// A packet size that a type may have at a speed.
    struct Size: Sendable, CustomTestStringConvertible {
        var speed: Speed
        var type: TransferType
        var allowed: [UInt16]
        var refused: [UInt16]
        var section: String
        var testDescription: String { "\(type) at \(speed)" }
    }

    @Test(arguments: [
        Size(speed: .low, type: .interrupt, allowed: [1, 8], refused: [9, 64], section: "USB 2.0 §5.7.3"),
        Size(speed: .low, type: .control, allowed: [8], refused: [0, 16, 64], section: "USB 2.0 §5.5.3"),
        Size(
            speed: .full, type: .control, allowed: [8, 16, 32, 64], refused: [0, 24, 512], section: "USB 2.0 §5.5.3"),
        Size(speed: .full, type: .bulk, allowed: [8, 16, 32, 64], refused: [0, 63, 512], section: "USB 2.0 §5.8.3"),
        Size(speed: .full, type: .interrupt, allowed: [1, 64], refused: [65, 1024], section: "USB 2.0 §5.7.3"),
        Size(speed: .full, type: .isochronous, allowed: [0, 1023], refused: [1024], section: "USB 2.0 §5.6.3"),
        Size(speed: .high, type: .control, allowed: [64], refused: [8, 512], section: "USB 2.0 §5.5.3"),
        Size(speed: .high, type: .bulk, allowed: [512], refused: [0, 64, 511, 1024], section: "USB 2.0 §5.8.3"),
        Size(speed: .high, type: .interrupt, allowed: [1, 1024], refused: [1025], section: "USB 2.0 §5.7.3"),
        Size(speed: .high, type: .isochronous, allowed: [0, 1024], refused: [1025], section: "USB 2.0 §5.6.3"),
        Size(speed: .super, type: .control, allowed: [512], refused: [64, 1024], section: "USB 3.2 §9.6.6"),
        Size(speed: .super, type: .bulk, allowed: [1024], refused: [512, 0], section: "USB 3.2 §9.6.6"),
        Size(speed: .super, type: .interrupt, allowed: [1, 1024], refused: [1025], section: "USB 3.2 §9.6.6"),
        Size(speed: .superPlus, type: .isochronous, allowed: [0, 1024], refused: [1025], section: "USB 3.2 §9.6.6"),
    ])
    func packetSizesOfATypeAtASpeed(_ sizes: Size) {
        for size in sizes.allowed {
            #expect(stream(sizes.speed, sizes.type, maxPacketSize: size).validate() == [], "\(size)")
        }
        for size in sizes.refused {
            let issues = stream(sizes.speed, sizes.type, maxPacketSize: size).validate()
            #expect(issues.map(\.section) == [sizes.section], "\(size): \(issues)")
            #expect(issues.first?.path == streamPath)
            #expect(issues.first?.message.hasPrefix("wMaxPacketSize is \(size);") == true)
        }
    }

    /// The intervals that a type may have at a speed.
    struct Intervals: Sendable, CustomTestStringConvertible {
        var speed: Speed
        var type: TransferType
        var allowed: ClosedRange<UInt8>
        var testDescription: String { "\(type) at \(speed)" }
    }

    @Test(arguments: [
        Intervals(speed: .low, type: .interrupt, allowed: 10...255),
        Intervals(speed: .full, type: .interrupt, allowed: 1...255),
        Intervals(speed: .full, type: .isochronous, allowed: 1...16),
        Intervals(speed: .full, type: .bulk, allowed: 0...255),
        Intervals(speed: .high, type: .interrupt, allowed: 1...16),
        Intervals(speed: .high, type: .isochronous, allowed: 1...16),
        Intervals(speed: .high, type: .bulk, allowed: 0...255),
        Intervals(speed: .super, type: .interrupt, allowed: 1...16),
        Intervals(speed: .superPlus, type: .isochronous, allowed: 1...16),
    ])
    func intervalsOfATypeAtASpeed(_ intervals: Intervals) {
        for interval in UInt8.min...UInt8.max {
            let issues = stream(intervals.speed, intervals.type, interval: interval).validate()
            if intervals.allowed.contains(interval) {
                #expect(issues == [])
            } else {
                #expect(issues.count == 1)
                #expect(issues.first?.severity == .error)
                #expect(issues.first?.section.hasSuffix("§9.6.6") == true)
                #expect(issues.first?.message.contains("bInterval is \(interval);") == true)
            }
        }
    }

    @Test(
        arguments: [
            (TransferType.bulk, "USB 2.0 §5.8.3"), (.isochronous, "USB 2.0 §5.6.3"),
        ] as [(TransferType, String)])
    func lowSpeedHasControlAndInterruptOnly(_ type: TransferType, _ section: String) {
        let issues = stream(.low, type).validate()
        #expect(issues.map(\.section) == [section])
        #expect(issues.first?.message.contains("at low speed") == true)
    }

    @Test func additionalTransactionsNeedLargePackets() {
        for (more, least) in [(1, 513), (2, 683)] as [(UInt8, UInt16)] {
            #expect(stream(.high, .isochronous, maxPacketSize: least, more: more).validate() == [])
            #expect(stream(.high, .interrupt, maxPacketSize: 1024, more: more).validate() == [])
            let issues = stream(.high, .isochronous, maxPacketSize: least - 1, more: more).validate()
            #expect(issues.map(\.section) == ["USB 2.0 §9.6.6"])
        }
        #expect(stream(.high, .isochronous, more: 3).validate().map(\.section) == ["USB 2.0 §9.6.6"])
    }

    @Test func isochronousBandwidthInSettingZeroIsUnwise() {
        var device = stream(.high, .isochronous)
        device.configurations[0].items.removeFirst()
        device.edit { $0.alternate = 0 }
        let issues = device.validate()
        #expect(issues.map(\.severity) == [.warning])
        #expect(issues.map(\.section) == ["USB 2.0 §5.6.3"])
        device.editEndpoint { $0.maxPacketSize = 0 }
        #expect(device.validate() == [])
    }

    @Test(arguments: [
        BrokenLaw("endpoint 0", drive(.high), "USB 2.0 §9.6.6", at: path(0), saying: "endpoint 0 has no descriptor") {
            $0.editEndpoint { $0.address = .in(0) }
        },
        BrokenLaw("reserved address bits", drive(.high), "USB 2.0 §9.6.6", at: inPath, saying: "bits 6:4") {
            $0.editEndpoint { $0.address = EndpointAddress(rawValue: 0x91) }
        },
        BrokenLaw("synchronization of bulk", drive(.high), "USB 2.0 §9.6.6", at: inPath, saying: "bits 5:2") {
            $0.editEndpoint { $0.attributes = 0x06 }
        },
        BrokenLaw("reserved attributes", drive(.high), "USB 2.0 §9.6.6", at: inPath, saying: "bits 7:6") {
            $0.editEndpoint { $0.attributes = 0x82 }
        },
        BrokenLaw(
            "reserved usage", stream(.high, .isochronous), "USB 2.0 §9.6.6", at: streamPath, saying: "usage type 3"
        ) { $0.editEndpoint(item: 1) { $0.attributes = 0x31 } },
        BrokenLaw(
            "attributes of a SuperSpeed interrupt", stream(.super, .interrupt), "USB 3.2 §9.6.6", at: streamPath,
            saying: "bits 1:0 and 4"
        ) { $0.editEndpoint(item: 1) { $0.attributes = 0x07 } },
        BrokenLaw("reserved size bits", drive(.high), "USB 2.0 §9.6.6", at: inPath, saying: "bits 15:13") {
            $0.editEndpoint { $0.maxPacketSize = 0x2200 }
        },
        BrokenLaw("bulk with more transactions", drive(.high), "USB 2.0 §9.6.6", at: inPath, saying: "bits 12:11") {
            $0.editEndpoint { $0.additionalTransactions = 1 }
        },
        BrokenLaw(
            "more transactions at full speed", stream(.full, .isochronous), "USB 2.0 §9.6.6", at: streamPath,
            saying: "at high speed"
        ) { $0.editEndpoint(item: 1) { $0.additionalTransactions = 2 } },
        BrokenLaw(
            "an interval of bulk", drive(.super), .warning, "USB 3.2 §9.6.6", at: inPath, saying: "bInterval is 1"
        ) {
            $0.editEndpoint { $0.interval = 1 }
        },
        BrokenLaw(
            "an interrupt endpoint of nothing", stream(.full, .interrupt), .warning, "USB 2.0 §5.7.3", at: streamPath,
            saying: "cannot move anything"
        ) { $0.editEndpoint(item: 1) { $0.maxPacketSize = 0 } },
        BrokenLaw(
            "much interrupt in setting 0", SampleDevices.composite(.high), .warning, "USB 2.0 §5.7.3",
            at: "configuration 1, interface 2 alternate 0, EP 3 IN", saying: "may claim 64"
        ) { $0.editEndpoint(item: 3) { $0.maxPacketSize = 65 } },
        BrokenLaw("an endpoint descriptor too long", drive(.high), "USB 2.0 §9.5", at: inPath, saying: "256 bytes") {
            $0.editEndpoint { $0.extra = [UInt8](repeating: 0, count: 249) }
        },
    ])
    func oneLawOfTheEndpoint(_ law: BrokenLaw) { law.check() }

    @Test(arguments: [
        BrokenLaw("no companion", drive(.super), "USB 3.2 §9.6.7", at: inPath, saying: "companion is missing") {
            $0.editEndpoint { $0.companion = nil }
        },
        BrokenLaw("a companion at high speed", drive(.high), "USB 3.2 §9.6.7", at: inPath, saying: "there are none") {
            $0.editEndpoint { $0.companion = CompanionDescriptor() }
        },
        BrokenLaw("a companion out of place", drive(.high), "USB 3.2 §9.6.7", at: inPath, saying: "directly") {
            $0.editEndpoint { $0.descriptors = [ClassDescriptor(type: .endpointCompanion, 0, 0, 0, 0)] }
        },
        BrokenLaw("a burst of 17", drive(.super), "USB 3.2 §9.6.7", at: inPath, saying: "15 at most") {
            $0.editEndpoint { $0.companion?.maxBurst = 16 }
        },
        BrokenLaw(
            "an interrupt burst of 4", stream(.super, .interrupt, maxBurst: 2), "USB 3.2 §9.6.7", at: streamPath,
            saying: "2 at most"
        ) { $0.editEndpoint(item: 1) { $0.companion?.maxBurst = 3 } },
        BrokenLaw("streams beyond 65536", drive(.super), "USB 3.2 §9.6.7", at: inPath, saying: "0 to 16") {
            $0.editEndpoint { $0.companion?.attributes = 17 }
        },
        BrokenLaw("bytes of bulk", drive(.super), "USB 3.2 §9.6.7", at: inPath, saying: "wBytesPerInterval is 1") {
            $0.editEndpoint { $0.companion?.bytesPerInterval = 1 }
        },
        BrokenLaw(
            "more bytes than packets carry", stream(.super, .interrupt), "USB 3.2 §9.6.7", at: streamPath,
            saying: "carry 64"
        ) { $0.editEndpoint(item: 1) { $0.companion?.bytesPerInterval = 65 } },
        BrokenLaw(
            "no bytes reserved", stream(.super, .interrupt), .warning, "USB 3.2 §9.6.7", at: streamPath,
            saying: "reserves no time"
        ) { $0.editEndpoint(item: 1) { $0.companion?.bytesPerInterval = 0 } },
        BrokenLaw(
            "Mult without a burst", stream(.super, .isochronous), "USB 3.2 §9.6.7", at: streamPath, saying: "Mult is 1"
        ) { $0.editEndpoint(item: 1) { $0.companion?.attributes = 1 } },
        BrokenLaw(
            "Mult 3", stream(.super, .isochronous, maxBurst: 1), "USB 3.2 §9.6.7", at: streamPath, saying: "0 to 2"
        ) { $0.editEndpoint(item: 1) { $0.companion?.attributes = 3 } },
        BrokenLaw(
            "attributes of an interrupt companion", stream(.super, .interrupt), "USB 3.2 §9.6.7", at: streamPath,
            saying: "it is 0"
        ) { $0.editEndpoint(item: 1) { $0.companion?.attributes = 1 } },
        BrokenLaw(
            "small packets with a burst", stream(.super, .isochronous, maxBurst: 1), "USB 3.2 §9.6.6", at: streamPath,
            saying: "when bMaxBurst is not 0"
        ) {
            $0.editEndpoint(item: 1) {
                $0.maxPacketSize = 512
                $0.companion?.bytesPerInterval = 1024
            }
        },
        BrokenLaw(
            "an isochronous companion that does not follow", stream(.superPlus, .isochronous), "USB 3.2 §9.6.8",
            at: streamPath, saying: "does not follow"
        ) {
            $0.editEndpoint(item: 1) {
                $0.companion?.attributes = 0x80
                $0.companion?.bytesPerInterval = 1
            }
        },
        BrokenLaw(
            "an isochronous companion at SuperSpeed", drive(.super), "USB 3.2 §9.6.8", at: inPath, saying: "alone"
        ) {
            $0.editEndpoint { $0.descriptors = [ClassDescriptor(type: .isochronousCompanion, 0, 0, 0, 0, 0, 0)] }
        },
    ])
    func oneLawOfTheCompanion(_ law: BrokenLaw) { law.check() }

    private static func drive(_ speed: Speed) -> DeviceDescription { SampleDevices.drive(speed) }

    private static func path(_ number: UInt8) -> String {
        "configuration 1, interface 0 alternate 0, EP \(number) IN"
    }
}
