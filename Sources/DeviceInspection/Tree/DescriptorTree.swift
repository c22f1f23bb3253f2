import USBCore

/// Everything that a device answered, as it is shown.
struct DescriptorTree {
    /// A field that names a string.
    struct StringReference {
        var path: String
        var field: String
        var index: UInt8
    }

    let speed: Speed
    let device: DescriptorNode?
    /// The configurations that answered, each with its index.
    let configurations: [(index: Int, node: DescriptorNode)]
    let bos: DescriptorNode?
    let qualifier: DescriptorNode?
    /// The other speed's configurations that answered.
    let otherConfigurations: [(index: Int, node: DescriptorNode)]

    init(_ raw: RawDevice) {
        let speed = AssumedSpeed(raw).speed
        self.speed = speed
        let other: Speed = speed == .high ? .full : .high
        device = raw.device.bytes.map(StandardNodes.device)
        configurations = Self.nodes(raw.configurations, at: speed, prefix: "")
        bos = raw.bos.bytes.map(CapabilityNodes.store)
        qualifier = raw.qualifier.bytes.map(StandardNodes.qualifier)
        otherConfigurations = Self.nodes(raw.otherConfigurations, at: other, prefix: "other speed")
    }

    private static func nodes(
        _ answers: [ControlAnswer], at speed: Speed, prefix: String
    ) -> [(index: Int, node: DescriptorNode)] {
        answers.enumerated().compactMap { index, answer in
            answer.bytes.map {
                (index, ConfigurationTree.node(ConfigurationOutline($0, index: index, prefix: prefix), at: speed))
            }
        }
    }

    /// The fields that name a string, in the order of the descriptors, without those that are 0.
    var stringReferences: [StringReference] {
        var references: [StringReference] = []
        for node in [device, bos].compactMap(\.self) + (configurations + otherConfigurations).map(\.node) {
            Self.collect(from: node, into: &references)
        }
        return references
    }

    private static func collect(from node: DescriptorNode, into references: inout [StringReference]) {
        for field in node.fields {
            guard case .string(let index) = field.value, index != 0 else { continue }
            references.append(StringReference(path: node.path, field: field.name, index: index))
        }
        // No deeper than configuration, interface, endpoint and the descriptors there.
        for child in node.children { collect(from: child, into: &references) }
    }
}
