public import USBCapture
public import USBCore

/// A device's descriptors without gaps: those of the capture, and what a rule puts where it has none.
///
/// The rules, each of which leaves a note when it is used:
/// - A device descriptor that is cut gets usual values for what is missing, and the ids that were said elsewhere;
///   `bNumConfigurations` is the number of configurations there are.
/// - A configuration that is cut ends with its last whole descriptor; its counts and lengths are made to agree.
/// - Without any configuration, one is made of the endpoints that were used: mass storage where Bulk-Only commands were
///   seen, a boot keyboard or mouse where one interrupt IN endpoint brings reports of 3 to 8 bytes, else the vendor's
///   own class.
/// - A HID interface whose report descriptor is not known gets the boot keyboard's or mouse's (HID 1.11 Appendix B)
///   where it is one, a tablet's where its reports look like one's (buttons, two positions of 16 bits, a wheel), else one
///   of bytes without a meaning; its HID descriptor says the new length.
/// - A binary object store that is cut ends with its last whole capability; a SuperSpeed device without one gets one.
/// - Strings that are not known stay unknown: the device answers with STALL, as with every other descriptor.
public struct CompletedDescriptors: Hashable, Sendable {
    /// The speed for which they hold.
    public var speed: Speed
    /// The device descriptor, 18 bytes or more.
    public var device: [UInt8]
    /// The configurations by index, one at least.
    public var configurations: [[UInt8]]
    /// The strings that are known; with index 0 and language 0 the list of languages.
    public var strings: [KnownDescriptors.StringKey: [UInt8]]
    /// The binary object store; empty where the device has none.
    public var objectStore: [UInt8]
    /// The device qualifier; empty where the device has none.
    public var qualifier: [UInt8]
    /// The configurations of the other speed by index.
    public var otherSpeed: [[UInt8]]
    /// By interface, the report descriptors.
    public var reports: [UInt8: [UInt8]]

    /// What the device answers to a standard GET_DESCRIPTOR, before the cut to `wLength`; nil for STALL.
    ///
    /// A string in a language in which it is not known is answered in another one in which it is.
    public func answer(to setup: SetupPacket) -> [UInt8]? {
        guard setup.request == StandardRequest.getDescriptor.rawValue else { return nil }
        let index = UInt8(truncatingIfNeeded: setup.value)
        let type = DescriptorType(rawValue: UInt8(truncatingIfNeeded: setup.value >> 8))
        let found: [UInt8]? =
            switch (setup.requestType, type) {
            case (0x81, 0x22): reports[UInt8(truncatingIfNeeded: setup.index)]
            case (0x80, .device): device
            case (0x80, .configuration): configurations.indices.contains(Int(index)) ? configurations[Int(index)] : nil
            case (0x80, .string): string(index, language: setup.index)
            case (0x80, .deviceQualifier): qualifier
            case (0x80, .otherSpeedConfiguration):
                otherSpeed.indices.contains(Int(index)) ? otherSpeed[Int(index)] : nil
            case (0x80, .bos): objectStore
            default: nil
            }
        return found?.isEmpty == false ? found : nil
    }

    private func string(_ index: UInt8, language: UInt16) -> [UInt8]? {
        if index == 0 { return strings[.init(index: 0, language: 0)] }
        if let exact = strings[.init(index: index, language: language)] { return exact }
        return strings.filter { $0.key.index == index }.min { $0.key.language < $1.key.language }?.value
    }
}

extension KnownDescriptors {
    /// Fills the gaps by the rules of ``CompletedDescriptors``, without a look at the transfers.
    ///
    /// - Parameter device: whose they are: its speed and how its endpoints were used.
    /// - Returns: the descriptors, and what was filled in, in words.
    public func completed(for device: CapturedDevice? = nil) -> (descriptors: CompletedDescriptors, notes: [String]) {
        var device = device ?? CapturedDevice(number: 1, channel: 0, bus: 0, address: 0, time: 0)
        device.descriptors = self
        return device.completedDescriptors()
    }
}

extension CapturedDevice {
    /// Fills the gaps of its descriptors by the rules of ``CompletedDescriptors``, without a look at the transfers.
    ///
    /// - Returns: the descriptors, and what was filled in, in words.
    public func completedDescriptors() -> (descriptors: CompletedDescriptors, notes: [String]) {
        var completion = DescriptorCompletion(UsageEvidence(self))
        return (completion.run(), completion.notes)
    }
}

extension Trace {
    /// Fills the gaps of the device's descriptors by the rules of ``CompletedDescriptors``.
    ///
    /// - Returns: the descriptors, and what was filled in, in words.
    /// - Throws: ``CaptureError`` when the file has been changed since.
    public func completedDescriptors() throws(CaptureError) -> (descriptors: CompletedDescriptors, notes: [String]) {
        var completion = DescriptorCompletion(try UsageEvidence(self))
        return (completion.run(), completion.notes)
    }
}
