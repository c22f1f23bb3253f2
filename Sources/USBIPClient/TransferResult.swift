public import USBCore

/// How a transfer ended, with its bytes.
public struct TransferResult: Sendable {
    /// The endpoint.
    public var endpoint: EndpointAddress
    /// How it ended; an isochronous transfer whose packets failed has ended well all the same.
    public var status: TransferStatus
    /// The bytes moved.
    public var actualLength: Int
    /// What the device sent (IN): of an isochronous transfer the packets' bytes without the gaps between them.
    public var data: [UInt8]
    /// The packets of an isochronous transfer.
    public var packets: [IsochronousResult]
    /// Isochronous: the frame that the transfer started in.
    public var startFrame: Int32
    /// Isochronous: how many packets failed, by the server's count.
    public var errorCount: Int32
    /// Why the connection ended before the transfer did; nil where the server answered.
    public var connectionError: HostError?

    /// The bytes that a packet of an isochronous IN transfer brought; none beyond the last packet.
    public func bytes(ofPacket index: Int) -> ArraySlice<UInt8> {
        guard packets.indices.contains(index) else { return [] }
        let start = min(packets[index].dataOffset, data.count)
        return data[start..<min(start + packets[index].actualLength, data.count)]
    }

    /// The bytes of an isochronous IN transfer, each packet at its offset and zeros in between, as a driver sees them.
    public func spread() -> [UInt8] {
        var end = 0
        for packet in packets { end = max(end, packet.offset + packet.length) }
        var bytes = [UInt8](repeating: 0, count: end)
        for (index, packet) in packets.enumerated() {
            let source = self.bytes(ofPacket: index)
            bytes.replaceSubrange(packet.offset..<packet.offset + source.count, with: source)
        }
        return bytes
    }

    /// The failure, nil where the transfer ended well.
    public var error: HostError? {
        if let connectionError { return connectionError }
        guard status != .success else { return nil }
        return .transferFailed(TransferFailure(endpoint: endpoint, status: status, actualLength: actualLength))
    }

    /// The result itself where the transfer ended well.
    ///
    /// - Throws: ``error``.
    public func get() throws(HostError) -> TransferResult {
        if let error { throw error }
        return self
    }
}

/// How one packet of an isochronous transfer ended.
public struct IsochronousResult: Hashable, Sendable {
    /// Where the packet lies in the transfer's bytes.
    public var offset: Int
    /// The packet's length as it was asked for.
    public var length: Int
    /// The bytes moved, 0 to ``length``.
    public var actualLength: Int
    /// How it ended.
    public var status: TransferStatus
    /// Where its bytes begin in ``TransferResult/data`` (IN).
    public var dataOffset: Int
}

/// Names a transfer until its last completion.
public struct TransferID: Hashable, Sendable {
    var slot: UInt32
    var generation: UInt32
}
