import USBDeviceKit

extension URBSession {
    /// Answers what waits, and everything that still comes, with `ESHUTDOWN`: drivers stop resubmitting.
    ///
    /// Half of a graceful end; the other is to go on reading for a moment, because a client that is waiting for a
    /// transfer or an unlink when the connection breaks can wait for ever.
    public func drain() {
        guard !isClosed else { return }
        isDraining = true
        for id in unsafe Array(kept.keys) { device.cancel(id) }
    }

    /// The connection is gone: takes every transfer back and disconnects the device.
    public func close() {
        guard !isClosed else { return }
        isClosed = true
        unsafe arriving = nil
        device.disconnect()
        for id in unsafe Array(kept.keys) { device.cancel(id) }
        if waitingCount > 0 { selfUntilEmpty = self }
    }

    func releaseIfEmpty() {
        if isClosed, waitingCount == 0 { selfUntilEmpty = nil }
    }
}
