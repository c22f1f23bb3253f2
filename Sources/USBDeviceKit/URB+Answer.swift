public import USBCore

extension URB {
    /// The bytes that an IN transfer is answered with, for sinks that copy them: at most what the host has room for.
    ///
    /// Valid until the sink passes the transfer on. Empty for OUT, and where the device has answered nothing.
    @inlinable @unsafe public var answer: UnsafeRawBufferPointer {
        guard endpoint.direction == .in, let start = unsafe slot.pointee.answer else {
            return unsafe UnsafeRawBufferPointer(start: nil, count: 0)
        }
        return unsafe UnsafeRawBufferPointer(start: start, count: max(0, min(actualLength, requestedLength)))
    }
}
