import USBCore
import USBDeviceKit
import USBIPWire

/// A large transfer from the host whose bytes are still arriving.
@unsafe struct ArrivingTransfer {
    var command: SubmitCommand
    var shape: URBSession.Shape
    /// Where its bytes go: the device's memory, or the session's.
    var memory: UnsafeMutableRawPointer
    var received: Int
    var isLanded: Bool
}

extension URBSession {
    /// Where the transport must put what it reads next; empty when anything may come.
    ///
    /// At most the rest of one transfer, so that no byte of the next command gets here. Valid until ``landed(_:)``
    /// or ``close()``.
    public var landing: UnsafeMutableRawBufferPointer {
        guard let arriving = unsafe arriving else { return unsafe UnsafeMutableRawBufferPointer(start: nil, count: 0) }
        return unsafe UnsafeMutableRawBufferPointer(
            start: arriving.memory + arriving.received, count: arriving.shape.tail - arriving.received)
    }

    /// `count` bytes have been read into ``landing``.
    ///
    /// - Throws: ``ProtocolViolation`` when the connection must be closed.
    public func landed(_ count: Int) throws(ProtocolViolation) {
        guard var transfer = unsafe arriving else { return }
        unsafe transfer.received += count
        guard unsafe transfer.received >= transfer.shape.tail else {
            unsafe arriving = transfer
            return
        }
        unsafe arriving = nil
        try unsafe submit(
            transfer.command, transfer.shape, tail: UnsafeRawPointer(transfer.memory), isLanded: transfer.isLanded)
    }

    /// Prepares to receive a transfer in place.
    ///
    /// - Parameter beginning: the bytes of it that have been read already.
    func beginArrival(_ command: SubmitCommand, _ shape: Shape, _ beginning: UnsafeRawBufferPointer) {
        // Only when the device will see the transfer: an unlink may have overtaken it, or too much may wait.
        let mayLand =
            shape.packets == 0 && unlinks.heldCount == 0 && !isDraining && !isOverLimit(adding: shape.tail)
        let landing = mayLand ? unsafe device.landing(for: shape.endpoint, count: shape.payload) : nil
        let memory: UnsafeMutableRawPointer
        var isLanded = false
        if let landing = unsafe landing, landing.count >= shape.payload, let start = landing.baseAddress {
            unsafe memory = start
            isLanded = true
        } else {
            unsafe memory = staging.bytes(shape.tail)
        }
        if let start = beginning.baseAddress {
            unsafe memory.copyMemory(from: start, byteCount: beginning.count)
        }
        unsafe arriving = ArrivingTransfer(
            command: command, shape: shape, memory: memory, received: beginning.count, isLanded: isLanded)
    }
}
