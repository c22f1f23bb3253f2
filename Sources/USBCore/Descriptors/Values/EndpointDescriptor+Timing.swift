extension EndpointDescriptor {
    /// How often a periodic endpoint is served, in microframes of 125 µs, or nil for bulk and control.
    ///
    /// `bInterval` counts milliseconds for interrupt endpoints at low and full speed, and is an exponent elsewhere:
    /// 2^(bInterval-1) frames for isochronous endpoints at full speed, as many microframes at high speed and
    /// SuperSpeed (USB 2.0 §9.6.6, USB 3.2 §9.6.6). A value out of range counts as the nearest in range.
    public func periodInMicroframes(at speed: Speed) -> Int? {
        switch (type, speed) {
        case (.bulk, _), (.control, _): nil
        case (.interrupt, .low), (.interrupt, .full): max(1, Int(interval)) * 8
        case (.isochronous, .low), (.isochronous, .full): 8 << exponent
        default: 1 << exponent
        }
    }

    /// How often a periodic endpoint is served, in nanoseconds, or nil for bulk and control.
    ///
    /// The units are those of ``periodInMicroframes(at:)``.
    public func period(at speed: Speed) -> UInt64? {
        periodInMicroframes(at: speed).map { UInt64($0) * 125_000 }
    }

    private var exponent: Int { min(max(Int(interval), 1), 16) - 1 }

    /// The most that an isochronous or interrupt endpoint moves in one period, in bytes.
    ///
    /// At high speed it counts the additional transactions, at SuperSpeed burst and Mult; of bulk and control it is
    /// one packet, or one burst.
    public func bytesPerServiceInterval(at speed: Speed) -> Int {
        switch speed {
        case .low, .full: packetSize
        case .high: packetSize * (isPeriodic ? transactionsPerMicroframe : 1)
        case .super, .superPlus:
            packetSize * (Int(companion?.maxBurst ?? 0) + 1)
                * (type == .isochronous ? Int(companion?.mult ?? 0) + 1 : 1)
        }
    }

    /// Whether the endpoint is served at an interval: isochronous and interrupt.
    public var isPeriodic: Bool { type == .isochronous || type == .interrupt }

    /// The `bInterval` whose period is the longest that does not exceed `period`, or the shortest there is.
    ///
    /// - Parameters:
    ///   - period: how often the endpoint should be served.
    ///   - type: the endpoint's type; for bulk and control the answer is 0.
    ///   - speed: the speed, which sets the unit.
    public static func interval(for period: Duration, _ type: TransferType, at speed: Speed) -> UInt8 {
        let candidates: ClosedRange<UInt8>
        switch (type, speed) {
        case (.bulk, _), (.control, _): return 0
        case (.interrupt, .low): candidates = 10...255
        case (.interrupt, .full): candidates = 1...255
        default: candidates = 1...16
        }
        var probe = EndpointDescriptor(address: .in(1), attributes: type.rawValue, maxPacketSize: 0)
        var best = candidates.lowerBound
        for candidate in candidates {
            probe.interval = candidate
            guard let microframes = probe.periodInMicroframes(at: speed) else { continue }
            if Duration.microseconds(microframes * 125) <= period { best = candidate }
        }
        return best
    }
}
