import HIDReports

/// What a mouse says in one report: the buttons, and how far it has moved since the last.
struct MouseReport: Hashable {
    var buttons: PointerButtons = []
    /// Counts rightward.
    var dx = 0
    /// Counts downward.
    var dy = 0
    /// Counts away from the user.
    var wheel = 0
    /// Counts rightward.
    var tilt = 0

    /// Whether it moves nothing.
    var isStill: Bool { dx == 0 && dy == 0 && wheel == 0 && tilt == 0 }

    /// So many reports of the same buttons, whose movements add up to this one's.
    func shares(_ count: Int) -> [MouseReport] {
        var shares = MouseShares(of: self, into: count)
        return (0..<count).map { _ in shares.next() }
    }

    /// Takes off what another report has moved.
    mutating func subtract(_ other: MouseReport) {
        dx -= other.dx
        dy -= other.dy
        wheel -= other.wheel
        tilt -= other.tilt
    }
}

/// A movement divided evenly, one report after the other.
struct MouseShares {
    private let buttons: PointerButtons
    private var dx: EvenShares
    private var dy: EvenShares
    private var wheel: EvenShares
    private var tilt: EvenShares

    init(of report: MouseReport, into count: Int) {
        buttons = report.buttons
        (dx, dy) = (EvenShares(of: report.dx, into: count), EvenShares(of: report.dy, into: count))
        (wheel, tilt) = (EvenShares(of: report.wheel, into: count), EvenShares(of: report.tilt, into: count))
    }

    mutating func next() -> MouseReport {
        MouseReport(buttons: buttons, dx: dx.next(), dy: dy.next(), wheel: wheel.next(), tilt: tilt.next())
    }
}

/// How a mouse's reports are laid out.
enum MouseFormat: Hashable {
    /// Three bytes: buttons, X and Y (HID 1.11 appendix B.2).
    case boot
    /// Eight-bit wheels that count detents, and no report id.
    case plain
    /// Sixteen-bit wheels with resolution multipliers.
    ///
    /// The reports have an id only for Linux: without one, kernels up to 6.15 set the multipliers with an empty report.
    case highResolution

    /// The counts that make a detent once the host has turned high resolution on.
    ///
    /// 120 is what both Windows and Linux divide a detent into, so that nothing is rounded on the way.
    static let countsPerDetent = 120
    /// The id of the only reports that have one.
    static let reportID: UInt8 = 1

    /// The longest movement of one report, on either axis.
    var axisLimit: Int { self == .boot ? 127 : 32_767 }

    /// The longest turn of one report; none in the boot protocol.
    var wheelLimit: Int {
        switch self {
        case .boot: 0
        case .plain: 127
        case .highResolution: 32_767
        }
    }

    /// The report divided into as many as the limits make of it, at least one; the movements add up to its own.
    func pieces(of report: MouseReport) -> [MouseReport] {
        let wheels =
            wheelLimit == 0
            ? 0
            : max(
                report.wheel.shareCount(atMost: wheelLimit), report.tilt.shareCount(atMost: wheelLimit))
        let count = max(
            1, report.dx.shareCount(atMost: axisLimit), report.dy.shareCount(atMost: axisLimit), wheels)
        return report.shares(count)
    }

    /// The report as bytes; what is beyond the limits is cut off.
    func bytes(_ report: MouseReport) -> [UInt8] {
        let (x, y) = (clamp(report.dx, axisLimit), clamp(report.dy, axisLimit))
        let (wheel, tilt) = (clamp(report.wheel, wheelLimit), clamp(report.tilt, wheelLimit))
        let buttons = report.buttons.rawValue
        switch self {
        case .boot: return [buttons, low(x), low(y)]
        case .plain: return [buttons, low(x), high(x), low(y), high(y), low(wheel), low(tilt)]
        case .highResolution:
            return [
                Self.reportID, buttons, low(x), high(x), low(y), high(y), low(wheel), high(wheel), low(tilt),
                high(tilt),
            ]
        }
    }

    /// The report descriptor of a mouse, whose boot protocol none describes.
    static func descriptor(highResolution: Bool) -> ReportDescriptor {
        ReportDescriptor {
            ReportCollection(.application, .mouse) {
                ReportCollection(.physical, .pointer) {
                    if highResolution { ReportID(reportID) }
                    Input(.buttons(1...5))
                    Padding(.input, bits: 3)
                    Input(.x, .y, logical: -32_767...32_767, size: 16, flags: [.variable, .relative])
                    if highResolution {
                        wheel(.wheel)
                        wheel(.acPan)
                        Padding(.feature, bits: 6)
                    } else {
                        Input(.wheel, .acPan, logical: -127...127, size: 8, flags: [.variable, .relative])
                    }
                }
            }
        }
    }

    /// A wheel with the multiplier that applies to it: what shares a logical collection (HID Usage Tables §4.3.1).
    private static func wheel(_ usage: Usage) -> [ReportItem] {
        let collection = ReportCollection(.logical, .mouse) {
            Feature(.resolutionMultiplier, logical: 0...1, physical: 1...Int32(countsPerDetent))
            Input(usage, logical: -32_767...32_767, size: 16, flags: [.variable, .relative])
        }
        return [collection.item]
    }

    private func clamp(_ value: Int, _ limit: Int) -> Int { min(max(value, -limit), limit) }
    private func low(_ value: Int) -> UInt8 { UInt8(truncatingIfNeeded: value) }
    private func high(_ value: Int) -> UInt8 { UInt8(truncatingIfNeeded: value >> 8) }
}
