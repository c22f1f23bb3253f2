import USBCore

/// A configuration as it is shown.
enum ConfigurationTree {
    /// The configuration's node, with everything in it below.
    ///
    /// - Parameter index: the index that was asked for.
    static func node(_ outline: ConfigurationOutline, at speed: Speed) -> DescriptorNode {
        var assembly = Assembly(outline, speed)
        for entry in outline.entries { assembly.take(entry) }
        return assembly.finish(outline)
    }

    /// What is being put together; open nodes stay outside the lists until they are complete, which keeps it linear.
    private struct Assembly {
        let speed: Speed
        var root: DescriptorNode
        var item: DescriptorNode?
        var endpoint: DescriptorNode?

        init(_ outline: ConfigurationOutline, _ speed: Speed) {
            self.speed = speed
            if let header = outline.header {
                root = StandardNodes.configuration(header, at: speed, path: outline.path)
            } else {
                root = DescriptorNode(.descriptor, "Configuration Descriptor", path: outline.path)
            }
        }

        mutating func take(_ entry: ConfigurationOutline.Entry) {
            switch (entry.isHead, entry.level) {
            case (true, .interface):
                closeItem()
                item = StandardNodes.interface(entry.item, path: entry.path)
            case (true, .association):
                closeItem()
                item = StandardNodes.association(entry.item, path: entry.path)
            case (true, .endpoint):
                closeEndpoint()
                endpoint = StandardNodes.endpoint(
                    entry.item, at: speed, isAudio: entry.owner?.isFirstAudio == true,
                    path: entry.path)
            default:
                attach(ClassNodes.node(entry))
            }
        }

        private mutating func attach(_ node: DescriptorNode) {
            if endpoint != nil {
                endpoint?.children.append(node)
            } else if item != nil {
                item?.children.append(node)
            } else {
                root.children.append(node)
            }
        }

        private mutating func closeEndpoint() {
            if let endpoint { item?.children.append(endpoint) }
            endpoint = nil
        }

        private mutating func closeItem() {
            closeEndpoint()
            if let item { root.children.append(item) }
            item = nil
        }

        consuming func finish(_ outline: ConfigurationOutline) -> DescriptorNode {
            closeItem()
            append("Unreadable Bytes", outline.rest, outline.path)
            append("Bytes beyond wTotalLength", outline.beyond, outline.path)
            return root
        }

        private mutating func append(_ title: String, _ bytes: ArraySlice<UInt8>, _ path: String) {
            guard !bytes.isEmpty else { return }
            root.children.append(
                DescriptorNode(
                    .descriptor, title, path: path, fields: [DescriptorField("data", .bytes([UInt8](bytes)))]))
        }
    }
}
