/// Reads a USB/IP connection as it happens, from the bytes of its two directions.
///
/// Bytes are to be handed over in the order in which things happen: a request before its answer. For one thread at a
/// time.
package final class USBIPStreamDecoder {
    private let conversation = USBIPConversation(number: 1, hasBeginning: true)
    private let output = DecodedEvents()

    /// Makes a decoder for a connection's first bytes.
    package init() {}

    /// Why the connection cannot be read any further; nil while it can.
    package var trouble: String? { conversation.trouble }

    /// Reads what one end has sent.
    ///
    /// - Parameters:
    ///   - announce: is given the device that was imported.
    ///   - emit: is given each event with its data, which are valid during the call.
    package func read(
        _ bytes: UnsafeRawBufferPointer, fromClient: Bool, announce: (DeviceAnnouncement) -> Void,
        emit: (CapturedEvent, RawSpan) -> Void
    ) {
        guard conversation.trouble == nil else { return }
        let frame = CapturedFrame(
            number: 0, offset: 0, bytesOffset: 0, time: 0, interface: 0, linkType: 0, isBigEndian: true,
            originalLength: bytes.count)
        let chunk = TCPChunk(bytes: unsafe ByteView(bytes), frame: frame, place: 0, isInPacket: true)
        _ = conversation.read(chunk, fromClient: fromClient, mayWait: false, into: output)
        for announcement in output.takeAnnouncements() { announce(announcement) }
        for index in output.events.indices {
            let (event, data) = output.events[index]
            switch data {
            case .packet(let range):
                let part = unsafe UnsafeRawBufferPointer(rebasing: bytes[range])
                emit(event, unsafe RawSpan(_unsafeBytes: part))
            case .owned(let owned): emit(event, unsafe owned.span.bytes)
            }
        }
        output.removeEvents()
    }
}
