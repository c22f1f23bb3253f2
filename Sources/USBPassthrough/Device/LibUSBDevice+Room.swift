import CLibUSB
import SocketIO
import USBCore
import USBDeviceKit

/// What becomes of transfers that the system has no room for: they wait until others have ended, for a while.
///
/// Linux sets memory apart for the transfers of all programs together, so that room can come and go without our doing.
extension LibUSBDevice {
    /// How long a transfer waits for room, in nanoseconds.
    private static let patience: UInt64 = 2_000_000_000
    /// How long until it is tried again when nothing of ours has ended, in milliseconds.
    private static let pause: Int32 = 20
    /// From so many bytes on, it may be our own transfers that have taken the room.
    private static let suspicious = 1 << 20

    /// Whether a transfer may be given to the system beside those that it has; one at a time always may.
    func hasRoom(_ bytes: Int) -> Bool { flights.isEmpty || bytesInFlight + bytes <= Self.bytesLimit }

    /// Whether a refusal means that there is no room.
    ///
    /// Libusb says so of bulk and interrupt transfers only; of others it says that something went wrong.
    func meansNoRoom(_ error: LibUSBError, _ type: TransferType) -> Bool {
        guard !flights.isEmpty else { return false }
        if error == .noMemory { return true }
        return error == .io && (type == .control || type == .isochronous) && bytesInFlight >= Self.suspicious
    }

    /// Has a transfer wait for room.
    ///
    /// - Parameter flight: it is loaded, if it is.
    func starve(_ urb: consuming URB, _ flight: Flight?) {
        let pipe = starved[urb.pipe] ?? StarvedPipe(since: port?.clock.now ?? 0)
        starved[urb.pipe] = pipe
        if let flight {
            unsafe urb.releasePayload()
            flight.board(urb)
            pipe.first = flight
        } else {
            pipe.rest.append(urb)
        }
        retryLater()
    }

    private func retryLater() {
        guard !isRetrying, let device = current else { return }
        isRetrying = true
        let port = port
        device.later {
            SocketIO.pause(milliseconds: Self.pause)
            port?.post { [self] in
                guard current === device else { return }
                isRetrying = false
                retry()
            }
        }
    }

    /// Tries what waits for room.
    func retry() {
        guard !starved.isEmpty, !isCalling, !isLeaving, let device = current else { return }
        let now = port?.clock.now ?? 0
        for (endpoint, pipe) in starved.sorted(by: { $0.value.since < $1.value.since }) {
            guard !isCalling else { break }
            starved[endpoint] = nil
            let head = pipe.first?.id ?? pipe.rest.firstID
            if now &- pipe.since > Self.patience { endFirst(of: pipe) }
            if let flight = pipe.first, let urb = flight.disembark() {
                pipe.first = nil
                launch(flight, urb, device)
            }
            while starved[endpoint] == nil, !isCalling, let urb = pipe.rest.popFirst() { begin(urb, device) }
            keepOrder(pipe, at: endpoint, head: head)
        }
        if !starved.isEmpty { retryLater() }
    }

    /// Puts what is left of a pipe behind what has just found no room again.
    private func keepOrder(_ pipe: StarvedPipe, at endpoint: EndpointAddress, head: URB.ID?) {
        let again = starved[endpoint]
        guard again != nil || !pipe.rest.isEmpty else { return }
        // One that was at the front before has waited since then.
        let isSame = again == nil || (again?.first?.id ?? again?.rest.firstID) == head
        let merged = StarvedPipe(since: isSame ? pipe.since : again?.since ?? pipe.since)
        merged.first = again?.first
        while let urb = again?.rest.popFirst() { merged.rest.append(urb) }
        while let urb = pipe.rest.popFirst() { merged.rest.append(urb) }
        starved[endpoint] = merged
    }

    private func endFirst(of pipe: StarvedPipe) {
        place.warnOfRoom()
        if !end(pipe.first, .outOfMemory), let urb = pipe.rest.popFirst() { refuse(urb, .outOfMemory) }
        pipe.first = nil
    }

    /// Ends a loaded transfer; false when there is none.
    private func end(_ flight: Flight?, _ status: TransferStatus) -> Bool {
        guard let flight, let urb = flight.disembark() else { return false }
        pool?.put(flight)
        urb.complete(status)
        return true
    }

    /// Ends a transfer that waits for room; false when there is none of that name.
    func cancelStarved(_ id: URB.ID) -> Bool {
        for (endpoint, pipe) in starved {
            if pipe.first?.id == id {
                _ = end(pipe.first, .cancelled)
                pipe.first = nil
            } else if let urb = pipe.rest.remove(id) {
                refuse(urb, .cancelled)
            } else {
                continue
            }
            if pipe.first == nil, pipe.rest.isEmpty { starved[endpoint] = nil }
            return true
        }
        return false
    }

    /// Ends every transfer that waits for room.
    func endStarved(_ status: TransferStatus) {
        let pipes = starved.values
        starved = [:]
        for pipe in pipes {
            _ = end(pipe.first, status)
            pipe.first = nil
            while let urb = pipe.rest.popFirst() { refuse(urb, status) }
        }
    }
}
