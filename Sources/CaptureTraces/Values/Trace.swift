public import USBCapture

/// The transfers of one device of a capture, in the order of their submissions.
///
/// Immutable but for the file it reads data from; usable from one thread at a time.
public final class Trace {
    /// The device.
    public let device: CapturedDevice
    /// The transfers.
    public let transfers: [TracedTransfer]
    /// The packets of isochronous transfers: see ``TracedTransfer/firstPacket``.
    public let packets: [CapturedPacket]
    /// The packets of isochronous transfers as they were submitted, in the same places.
    public let submittedPackets: [CapturedPacket]
    private let payloads: any PayloadReader

    /// Makes a trace.
    package init(
        device: CapturedDevice, transfers: [TracedTransfer], packets: [CapturedPacket],
        submittedPackets: [CapturedPacket], payloads: any PayloadReader
    ) {
        self.device = device
        self.transfers = transfers
        self.packets = packets
        self.submittedPackets = submittedPackets
        self.payloads = payloads
    }

    /// Reads a transfer's data.
    ///
    /// - Throws: ``CaptureError`` when the file has been changed since.
    public func bytes(_ reference: PayloadReference) throws(CaptureError) -> [UInt8] {
        guard reference.count > 0 else { return [] }
        var bytes = [UInt8](repeating: 0, count: Int(reference.count))
        var failure: CaptureError?
        unsafe bytes.withUnsafeMutableBytes { memory in
            do throws(CaptureError) {
                unsafe try payloads.copy(reference, from: 0, into: memory)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return bytes
    }

    /// Reads a part of a transfer's data, from byte `start` on.
    ///
    /// - Throws: ``CaptureError`` when there are fewer bytes, or the file has been changed since.
    public func copy(
        _ reference: PayloadReference, from start: Int, into memory: UnsafeMutableRawBufferPointer
    ) throws(CaptureError) {
        unsafe try payloads.copy(reference, from: start, into: memory)
    }
}

/// Reads the data of transfers from where they are.
package protocol PayloadReader: AnyObject {
    /// Copies `memory.count` bytes of what `reference` names, from byte `start` on.
    ///
    /// - Throws: ``CaptureError`` when there are fewer bytes, or the file has been changed since.
    func copy(_ reference: PayloadReference, from start: Int, into memory: UnsafeMutableRawBufferPointer)
        throws(CaptureError)
}
