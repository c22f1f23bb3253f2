import USBCore
import USBIPWire

/// What a server's answer must hold to.
enum AnswerCheck {
    /// Checks that a status is zero or a negative errno that can be final.
    static func checkStatus(_ status: Int32, _ name: @autoclosure () -> String) throws(HostError) {
        guard (-4095...0).contains(status) else {
            throw .violation("\(name()) has status \(status), which is no errno of Linux")
        }
        guard status != -115 else {
            throw .violation("\(name()) has status -115 (EINPROGRESS), which is never final")
        }
    }

    /// Reads an isochronous answer's packets into their slot.
    ///
    /// - Parameter bytes: as many descriptors as the transfer has packets.
    static func readPackets(
        _ slot: UnsafeMutablePointer<TransferSlot>, _ answer: SubmitReturn, _ bytes: UnsafeRawPointer
    ) throws(HostError) {
        func name(_ index: Int) -> String {
            unsafe "packet \(index) of RET_SUBMIT \(answer.sequence) for \(slot.pointee.endpoint)"
        }
        unsafe slot.pointee.results.removeAll(keepingCapacity: true)
        var sum = 0
        for index in unsafe 0..<slot.pointee.packets.count {
            let asked = unsafe slot.pointee.packets[index]
            let packet = unsafe PacketDescriptor(bytes: bytes + index * URBWire.packetSize)
            guard packet.offset == asked.offset, packet.length == asked.length else {
                throw .violation(
                    "\(name(index)) lies at \(packet.offset) with \(packet.length) bytes, submitted was "
                        + "\(asked.offset) with \(asked.length)")
            }
            guard packet.actualLength <= packet.length else {
                throw .violation(
                    "\(name(index)) has actual_length \(packet.actualLength) where \(packet.length) were asked for")
            }
            try checkStatus(packet.status, name(index))
            unsafe slot.pointee.results.append(
                IsochronousResult(
                    offset: Int(packet.offset), length: Int(packet.length), actualLength: Int(packet.actualLength),
                    status: TransferStatus(rawValue: packet.status), dataOffset: sum))
            sum += Int(packet.actualLength)
        }
        guard sum == Int(answer.actualLength) else {
            throw .violation(
                "RET_SUBMIT \(answer.sequence) has actual_length \(answer.actualLength), its packets have \(sum)")
        }
    }
}
