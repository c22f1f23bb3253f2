/// The binary device object store: the device's capabilities (USB 3.2 §9.6.2).
public struct BOSDescriptor: Hashable, Sendable {
    /// The capabilities in the order of their descriptors.
    public var capabilities: [Capability]
    /// What stands after the 5 bytes of the specification in the first descriptor, usually nothing.
    public var extra: [UInt8]
    /// What `bNumDeviceCaps` says instead of the number of capabilities; nil where it tells the truth.
    public var declaredCount: UInt8?
    /// What `wTotalLength` says instead of the number of bytes; nil where it tells the truth.
    public var declaredTotalLength: UInt16?

    /// Makes a store from its capabilities.
    public init(
        _ capabilities: [Capability], extra: [UInt8] = [], declaredCount: UInt8? = nil,
        declaredTotalLength: UInt16? = nil
    ) {
        self.capabilities = capabilities
        self.extra = extra
        self.declaredCount = declaredCount
        self.declaredTotalLength = declaredTotalLength
    }

    /// `bNumDeviceCaps` as it is sent.
    public var capabilityCount: UInt8 { declaredCount ?? UInt8(clamping: capabilities.count) }

    /// The length of everything in bytes, before `wTotalLength` cuts it to 65535.
    public var totalLength: Int { untrimmedBytes.count }

    /// The store and its capabilities as they go over the bus; what exceeds 65535 bytes is left out.
    public var bytes: [UInt8] {
        var bytes = untrimmedBytes
        if bytes.count > DescriptorLimits.maxTotal { bytes.removeLast(bytes.count - DescriptorLimits.maxTotal) }
        bytes.overwrite(at: 2, littleEndian: declaredTotalLength ?? UInt16(clamping: bytes.count))
        return bytes
    }

    private var untrimmedBytes: [UInt8] {
        var bytes: [UInt8] = []
        let totalLengthPlace: [UInt8] = [0, 0]
        bytes.appendDescriptor(.bos, totalLengthPlace + [capabilityCount] + extra)
        for capability in capabilities { bytes += capability.bytes }
        return bytes
    }

    /// Reads a store; lengths and counts that lie are treated as those of a configuration are.
    ///
    /// - Throws: ``DescriptorError/malformed(offset:reason:)`` where the bytes are no store, a descriptor runs over the
    ///   end, or a capability is shorter than the 3 bytes that name it.
    public init(parsing bytes: [UInt8]) throws(DescriptorError) {
        var start = DescriptorReader(bytes[...])
        let header = try start.first()
        try header.requireType(.bos)
        try header.require(5)
        let total = header.word(2)
        guard Int(total) >= header.bytes.count else {
            throw .malformed(
                offset: 2,
                reason: "wTotalLength is \(total), the BOS descriptor alone has \(header.bytes.count) bytes")
        }
        self.init([], extra: header.tail(5))
        var reader = DescriptorReader(bytes.prefix(Int(total)).dropFirst(header.bytes.count))
        while let raw = try reader.next() { capabilities.append(try Capability(raw)) }
        if header.byte(4) != capabilityCount { declaredCount = header.byte(4) }
        if Int(total) > bytes.count { declaredTotalLength = total }
    }
}
