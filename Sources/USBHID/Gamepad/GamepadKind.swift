import HIDReports

/// What kind of gamepad: what its reports are like.
public enum GamepadKind: String, Hashable, Sendable, CaseIterable {
    /// Sixteen buttons, hat, signed 16-bit sticks and 8-bit triggers; two bytes of rumble.
    ///
    /// The axes are those of Linux's gamepad protocol: X, Y, Rx, Ry for sticks, Z and Rz for triggers.
    case generic
    /// The layout of the Xbox Wireless Controller over Bluetooth: unsigned 16-bit sticks, 10-bit triggers, four motors.
    ///
    /// With a cable those controllers speak a protocol of their own, which is not HID.
    case xbox

    /// The buttons that it has.
    public var buttons: GamepadButtons {
        switch self {
        case .generic: GamepadButtons(rawValue: 0xffff)
        case .xbox: [.a, .b, .x, .y, .lb, .rb, .select, .start, .home, .ls, .rs, .share]
        }
    }

    /// The ids of an Xbox controller's reports.
    enum XboxID {
        static let input: UInt8 = 1
        static let rumble: UInt8 = 3
    }

    /// The id of the report of a type; nil where there is none.
    func reportID(_ kind: ReportKind) -> UInt8? {
        switch (self, kind) {
        case (_, .feature): nil
        case (.generic, _): 0
        case (.xbox, .input): XboxID.input
        case (.xbox, .output): XboxID.rumble
        }
    }

    /// The output report of motors that stand still.
    var stillOutput: [UInt8] { self == .xbox ? [XboxID.rumble] + [UInt8](repeating: 0, count: 8) : [0, 0] }

    // MARK: Descriptors

    var descriptor: ReportDescriptor {
        switch self {
        case .generic: Self.genericDescriptor
        case .xbox: Self.xboxDescriptor
        }
    }

    private static let genericDescriptor = ReportDescriptor {
        ReportCollection(.application, .gamepad) {
            Input(.buttons(1...16))
            Input(
                .hatSwitch, logical: 0...7, physical: 0...315, unit: .degree, size: 4, flags: [.variable, .nullState])
            Padding(.input, bits: 4)
            Input(.x, .y, .rx, .ry, logical: -32_767...32_767, size: 16)
            Input(.z, .rz, logical: 0...255, size: 8)
            // No usage page has motors that a host could drive without knowing the device.
            ReportCollection(.logical, .vendor(page: 0xff00, id: 1)) {
                Output(UsageRange.vendor(page: 0xff00, ids: 2...3), logical: 0...255, size: 8)
            }
        }
    }

    private static let xboxDescriptor = ReportDescriptor {
        ReportCollection(.application, .gamepad) {
            ReportID(XboxID.input)
            ReportCollection(.physical, .pointer) { Input(.x, .y, logical: 0...65_535, size: 16) }
            ReportCollection(.physical, .pointer) { Input(.z, .rz, logical: 0...65_535, size: 16) }
            Input(.brake, logical: 0...1023, size: 10)
            Padding(.input, bits: 6)
            Input(.accelerator, logical: 0...1023, size: 10)
            Padding(.input, bits: 6)
            Input(
                .hatSwitch, logical: 1...8, physical: 0...315, unit: .degree, size: 4, flags: [.variable, .nullState])
            Padding(.input, bits: 4)
            Input(.buttons(1...15))
            Padding(.input, bits: 1)
            Input(.consumer(0xb2))
            Padding(.input, bits: 7)
            ReportID(XboxID.rumble)
            ReportCollection(.logical, physicalInput(0x21)) {
                Output(physicalInput(0x97), size: 4, count: 1)
                Padding(.output, bits: 4)
                Output(physicalInput(0x70), logical: 0...100, size: 8, count: 4)
                Output(
                    physicalInput(0x50), logical: 0...255, physical: 0...255, unit: .second, unitExponent: -2, size: 8)
                Output(
                    physicalInput(0xa7), logical: 0...255, physical: 0...255, unit: .second, unitExponent: -2, size: 8)
                Output(physicalInput(0x7c), logical: 0...255, size: 8)
            }
        }
    }

    /// Set Effect 0x21, DC Enable Actuators 0x97, Magnitude 0x70, Duration 0x50, Start Delay 0xA7, Loop Count 0x7C.
    private static func physicalInput(_ id: UInt16) -> Usage { Usage(page: UsagePage.physicalInput, id: id) }

    // MARK: Reports

    /// The input report of a state.
    func bytes(_ state: GamepadState) -> [UInt8] {
        let held = state.buttons.intersection(buttons).rawValue
        let sticks = [state.leftX, state.leftY, state.rightX, state.rightY]
        let triggers = [state.leftTrigger, state.rightTrigger]
        switch self {
        case .generic:
            return word(Int(held)) + [state.hat.rawValue] + sticks.flatMap { word(Self.scale($0, -1...1, 32_767)) }
                + triggers.map { UInt8(truncatingIfNeeded: Self.scale($0, 0...1, 255)) }
        case .xbox:
            let hat = state.hat == .center ? 0 : state.hat.rawValue + 1
            let share: UInt8 = state.buttons.contains(.share) ? 1 : 0
            return [XboxID.input] + sticks.flatMap { word(Self.unsigned($0)) }
                + triggers.flatMap { word(Self.scale($0, 0...1, 1023)) } + [hat] + word(Int(held & 0x7fff)) + [share]
        }
    }

    /// What an output report, without its id, says; nil when it is too short.
    func rumble(_ bytes: ArraySlice<UInt8>) -> GamepadRumble? {
        let bytes = Array(bytes)
        var rumble = GamepadRumble()
        switch self {
        case .generic:
            guard bytes.count >= 2 else { return nil }
            rumble.strong = Double(bytes[0]) / 255
            rumble.weak = Double(bytes[1]) / 255
        case .xbox:
            // Mask, four magnitudes, duration, start delay, loop count.
            guard bytes.count >= 8 else { return nil }
            func motor(_ bit: UInt8, _ index: Int) -> Double {
                bytes[0] & bit == 0 ? 0 : Double(min(bytes[index], 100)) / 100
            }
            rumble.leftTrigger = motor(8, 1)
            rumble.rightTrigger = motor(4, 2)
            rumble.strong = motor(2, 3)
            rumble.weak = motor(1, 4)
            rumble.time = .milliseconds(10 * Int(bytes[5]))
            rumble.repeats = Int(bytes[7])
        }
        return rumble
    }

    private func word(_ value: Int) -> [UInt8] {
        [UInt8(truncatingIfNeeded: value), UInt8(truncatingIfNeeded: value >> 8)]
    }

    private static func scale(_ value: Double, _ range: ClosedRange<Double>, _ extent: Int) -> Int {
        value.isFinite ? Int((min(max(value, range.lowerBound), range.upperBound) * Double(extent)).rounded()) : 0
    }

    /// A stick from 0 to 65535, at rest at 32768, which is where an Xbox controller's are.
    private static func unsigned(_ value: Double) -> Int {
        min(32_768 + scale(value, -1...1, 32_768), 65_535)
    }
}
