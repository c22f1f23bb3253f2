import CaptureTraces
import USBCore

extension CompletedDescriptors {
    /// Makes report descriptors that stand in for recorded ones as long as those were, where they are shorter.
    ///
    /// The configuration can then stay as it was recorded, with the length of the report descriptor that the capture
    /// lacks (HID 1.11 §6.2.1).
    mutating func keepRecordedLengths(of known: KnownDescriptors) {
        for index in configurations.indices {
            guard let number = UInt8(exactly: index), let recorded = known.configurations[number],
                recorded.count == configurations[index].count, recorded != configurations[index]
            else { continue }
            var interface: UInt8?
            var place = 0
            while place + 2 <= recorded.count {
                let length = Int(recorded[place])
                guard length >= 2, place + length <= recorded.count else { break }
                switch (recorded[place + 1], length) {
                case (0x04, 9...): interface = recorded[place + 2]
                case (0x21, 9...):
                    if let interface { keepLength(interface, at: place + 7, recorded, configuration: index) }
                default: break
                }
                place += length
            }
        }
    }

    private mutating func keepLength(_ interface: UInt8, at place: Int, _ recorded: [UInt8], configuration: Int) {
        let wanted = Int(recorded[place]) | Int(recorded[place + 1]) << 8
        guard recorded[place..<place + 2] != configurations[configuration][place..<place + 2],
            let made = reports[interface], made.count <= wanted
        else { return }
        // Logical Minimum without data, which is 0: behind the last collection it means nothing (HID 1.11 §6.2.2.7).
        reports[interface] = made + [UInt8](repeating: 0x14, count: wanted - made.count)
        configurations[configuration][place] = recorded[place]
        configurations[configuration][place + 1] = recorded[place + 1]
    }
}
