package import USBCore
package import USBIPClient

/// Carries out the requests of a replay: a device at a server, or what a test has in its place.
///
/// For one thread.
package protocol RequestTarget: AnyObject {
    /// The device's speed.
    var speed: Speed { get }
    /// The time, in nanoseconds of a clock that never jumps.
    var now: UInt64 { get }

    /// Submits a transfer.
    ///
    /// - Parameter tag: names it; not in use by another that has not been given by ``next(until:)``.
    /// - Throws: ``USBIPClient/HostError/invalidRequest(_:)``, or why the connection has ended; then there is no answer.
    func submit(_ request: TransferRequest, tag: Int) throws(HostError)

    /// Asks for a transfer to be taken back; it is answered all the same.
    func cancel(_ tag: Int)

    /// Waits for the end of a transfer.
    ///
    /// - Parameter deadline: the time at which it stops to wait; nil waits for ever.
    /// - Returns: the next that ended; nil when the time has come.
    func next(until deadline: UInt64?) -> RequestAnswer?
}

/// How a request ended.
package struct RequestAnswer: Sendable {
    /// The request.
    package var tag: Int
    /// How it ended.
    package var status: TransferStatus
    /// Bytes moved.
    package var actualLength: Int
    /// What the device sent; of an isochronous transfer without the gaps between packets.
    package var data: [UInt8]
    /// The packets of an isochronous transfer.
    package var packets: [Packet]
    /// Why the connection ended before the request did.
    package var connectionError: HostError?

    /// One packet of an isochronous transfer.
    package struct Packet: Hashable, Sendable {
        /// How it ended.
        package var status: TransferStatus
        /// Bytes moved.
        package var length: Int

        /// Makes a packet.
        package init(status: TransferStatus, length: Int) {
            self.status = status
            self.length = length
        }
    }

    /// Makes an answer.
    package init(
        tag: Int, status: TransferStatus, actualLength: Int, data: [UInt8] = [], packets: [Packet] = [],
        connectionError: HostError? = nil
    ) {
        self.tag = tag
        self.status = status
        self.actualLength = actualLength
        self.data = data
        self.packets = packets
        self.connectionError = connectionError
    }
}
