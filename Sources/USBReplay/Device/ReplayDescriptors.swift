import CaptureTraces
import USBCapture
import USBCore

/// The descriptors that a replayed device answers, byte for byte as recorded.
struct ReplayDescriptors {
    /// What the kit needs to know of them: endpoints and settings.
    let description: DeviceDescription
    /// What was made up, and what cannot be understood.
    private(set) var notes: [String] = []
    private let completed: CompletedDescriptors

    /// Takes the descriptors of a recorded device, with what the capture lacks filled in.
    ///
    /// - Parameter isSelfPowered: what GET_STATUS told, which the configuration only promises; nil for what that says.
    /// - Throws: ``ReplayError`` when they make no device.
    init(_ trace: Trace, isSelfPowered: Bool?) throws(ReplayError) {
        do throws(CaptureError) {
            let (filled, notes) = try trace.completedDescriptors()
            var descriptors = filled
            descriptors.keepRecordedLengths(of: trace.device.descriptors)
            completed = descriptors
            self.notes = notes
        } catch {
            throw ReplayError("the capture cannot be read: \(error)")
        }
        let device: DeviceDescriptor
        do throws(DescriptorError) {
            device = try DeviceDescriptor(parsing: completed.device)
        } catch {
            throw ReplayError("the device descriptor cannot be understood (\(error)); give one with descriptors=FILE")
        }
        var configurations: [ConfigurationDescription] = []
        for (index, bytes) in completed.configurations.enumerated() {
            do throws(DescriptorError) {
                var configuration = try ConfigurationDescription(parsing: bytes)
                if let isSelfPowered {
                    configuration.attributes = configuration.attributes & ~0x40 | (isSelfPowered ? 0x40 : 0)
                }
                configurations.append(configuration)
            } catch {
                notes.append("configuration \(index) cannot be understood: \(error)")
            }
        }
        var strings = StringTable()
        for (key, bytes) in completed.strings.sorted(by: { $0.key.language < $1.key.language }) where key.index != 0 {
            let string = try? StringDescriptor(parsing: bytes)
            strings.setDescriptor(string, index: key.index, language: LanguageID(rawValue: key.language))
        }
        description = DeviceDescription(
            speed: completed.speed, device: device, configurations: configurations, strings: strings)
    }

    /// The answer to GET_DESCRIPTOR before it is cut to wLength; nil when nothing is known of such a descriptor.
    func answer(_ setup: SetupPacket) -> [UInt8]? { completed.answer(to: setup) }
}
