extension DeviceDescription {
    /// Everything in which the description departs from the specification, in the order of the descriptors.
    ///
    /// - Parameter ignoringStrings: true for a description whose strings are unknown, as one read from a device's
    ///   configuration alone; a missing string is then no issue.
    public func validate(ignoringStrings: Bool = false) -> [DescriptorIssue] {
        validate(unknown: ignoringStrings ? .strings : [])
    }

    /// Everything in which the description departs from the specification, but for what is not known of it.
    ///
    /// - Parameter unknown: the parts that could not be read from a device; that they are missing is no issue.
    public func validate(unknown: UnknownParts) -> [DescriptorIssue] {
        var validator = DescriptorValidator(speed: speed)
        validator.checkDevice(self, isComplete: !unknown.contains(.configurations))
        for configuration in configurations { validator.checkConfiguration(configuration) }
        validator.checkConfigurationValues(configurations)
        if let otherSpeed {
            validator.checkOtherSpeed(otherSpeed, of: self, isComplete: !unknown.contains(.otherConfigurations))
        }
        if !unknown.contains(.capabilities) { validator.checkCapabilities(self) }
        if !unknown.contains(.strings) { validator.checkStrings(of: self) }
        return validator.issues
    }

    /// Parts of a description that its source did not give.
    public struct UnknownParts: OptionSet, Sendable {
        /// One bit for each part.
        public let rawValue: UInt8
        /// Makes a set from its bits.
        public init(rawValue: UInt8) { self.rawValue = rawValue }
        /// The strings.
        public static let strings = Self(rawValue: 1)
        /// Some of the configurations.
        public static let configurations = Self(rawValue: 2)
        /// Some of the other speed's configurations.
        public static let otherConfigurations = Self(rawValue: 4)
        /// The binary device object store.
        public static let capabilities = Self(rawValue: 8)
    }

    /// The description itself, if nothing in it is an error; warnings do not matter here.
    ///
    /// - Throws: ``DescriptorError/refused(_:)`` with every error that ``validate(ignoringStrings:)`` finds.
    public func validated() throws(DescriptorError) -> DeviceDescription {
        let errors = validate().filter { $0.severity == .error }
        guard errors.isEmpty else { throw .refused(errors) }
        return self
    }
}

/// Collects issues while it walks a description; the laws are in its extensions, one file for each kind of descriptor.
struct DescriptorValidator {
    /// The speed whose rules hold; the other speed's while its configurations are checked.
    var speed: Speed
    private(set) var issues: [DescriptorIssue] = []
    /// Where the walk is, outermost first.
    private var path: [String] = []

    init(speed: Speed) { self.speed = speed }

    mutating func error(_ section: String, _ message: String) {
        record(.error, section, message)
    }

    mutating func warning(_ section: String, _ message: String) {
        record(.warning, section, message)
    }

    /// Reports an error unless a law holds.
    mutating func require(_ holds: Bool, _ section: String, _ message: String) {
        if !holds { record(.error, section, message) }
    }

    /// Reports a warning unless a rule holds.
    mutating func advise(_ holds: Bool, _ section: String, _ message: String) {
        if !holds { record(.warning, section, message) }
    }

    /// Runs checks one step further down the path.
    mutating func within(_ step: String, _ checks: (inout DescriptorValidator) -> Void) {
        path.append(step)
        checks(&self)
        path.removeLast()
    }

    private mutating func record(_ severity: DescriptorIssue.Severity, _ section: String, _ message: String) {
        issues.append(
            DescriptorIssue(
                severity: severity, section: section, path: path.joined(separator: ", "), message: message))
    }

    /// A section of the specification that holds at the speed, for those that have one number in both.
    func section(_ number: String) -> String {
        speed.isSuperSpeed ? "USB 3.2 §\(number)" : "USB 2.0 §\(number)"
    }

    /// Checks descriptors that are kept as bytes: that they fit, and that none should have been a value.
    mutating func checkClassDescriptors(_ descriptors: [ClassDescriptor]) {
        for descriptor in descriptors {
            let name = descriptor.type.name.map { "\($0) (\(hex(descriptor.type.rawValue)))" }
            let title = "class descriptor \(name ?? hex(descriptor.type.rawValue))"
            require(
                descriptor.body.count <= DescriptorLimits.maxBody, section("9.5"),
                "\(title) has \(descriptor.body.count) bytes after its type; bLength allows "
                    + "\(DescriptorLimits.maxBody) at most")
            if descriptor.type == .endpointCompanion {
                error("USB 3.2 §9.6.7", "a companion stands where it follows no endpoint directly, as it must")
            } else if descriptor.type == .isochronousCompanion {
                require(
                    speed == .superPlus, "USB 3.2 §9.6.8",
                    "a SuperSpeedPlus isochronous companion at \(speed.title); it belongs to SuperSpeedPlus alone")
            } else if descriptor.type.isStructural {
                error(section("9.5"), "\(title) has no place inside a configuration as a class descriptor")
            }
        }
    }

    /// Checks what stands after the specified bytes of a descriptor: that the whole fits `bLength`.
    mutating func checkExtra(_ extra: [UInt8], after length: Int) {
        require(
            length + extra.count <= 255, section("9.5"),
            "the descriptor has \(length + extra.count) bytes; bLength allows 255 at most")
    }

    /// Whether every digit of a binary-coded decimal is one.
    static func isDecimal(_ value: UInt16) -> Bool {
        stride(from: 0, to: 16, by: 4).allSatisfy { value >> UInt16($0) & 0x0f <= 9 }
    }
}

extension Speed {
    /// The speed as people write it.
    var title: String {
        switch self {
        case .low: "low speed"
        case .full: "full speed"
        case .high: "high speed"
        case .super: "SuperSpeed"
        case .superPlus: "SuperSpeedPlus"
        }
    }
}

extension TransferType {
    /// The type as people write it.
    var title: String {
        switch self {
        case .control: "control"
        case .isochronous: "isochronous"
        case .bulk: "bulk"
        case .interrupt: "interrupt"
        }
    }
}
