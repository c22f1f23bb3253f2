import CaptureTraces
import USBCapture
import USBCore
import USBDeviceKit

/// An isochronous IN endpoint: the recorded packets, one after another, whatever transfers the host makes of them.
///
/// The bus decides when: where it has a clock, packets go at the endpoint's interval.
final class IsochronousInput: EndpointHandler {
    let address: EndpointAddress
    private let ledger: Ledger
    /// As places in ``Trace/transfers``.
    private let answers: [UInt32]
    private var transfer = 0
    private var packet = 0

    init(_ address: EndpointAddress, _ ledger: Ledger, answers: [UInt32]) {
        self.address = address
        self.ledger = ledger
        self.answers = answers
        ledger.expect(answers.count, on: address, .isochronous)
    }

    func rewind() {
        transfer = 0
        packet = 0
    }

    func submit(_ urb: consuming URB) {
        guard urb.type == .isochronous else {
            urb.complete(.invalid)
            return
        }
        urb.completePackets { [self] _, output in
            guard let (bytes, status) = next() else { return .success }
            let room = output.freeCapacity
            for byte in bytes.prefix(room) { output.append(byte) }
            return bytes.count > room ? .overflow : status
        }
    }

    func cancel(_ id: URB.ID) -> Bool { false }

    func completeAll(_ status: TransferStatus) {}

    /// The next packet; nil when there are no more: then packets are empty.
    private func next() -> ([UInt8], TransferStatus)? {
        if transfer >= answers.count, ledger.settings.loops { rewind() }
        while transfer < answers.count {
            let index = Int(answers[transfer])
            let recorded = ledger.trace.transfers[index]
            let place = Int(recorded.firstPacket) + packet
            guard packet < Int(recorded.packetCount), ledger.trace.packets.indices.contains(place) else {
                ledger.match(index)
                transfer += 1
                packet = 0
                continue
            }
            packet += 1
            let found = ledger.trace.packets[place]
            guard let bytes = read(index, found) else { return ([], .protocolError) }
            return (bytes, found.status)
        }
        return nil
    }

    /// A packet's bytes; nil when the capture cannot be read.
    private func read(_ index: Int, _ packet: CapturedPacket) -> [UInt8]? {
        let reference = ledger.trace.transfers[index].input
        // What was cut off the capture is not made up: a packet can be shorter.
        let available = max(0, Int(reference.count) - Int(packet.offset))
        let count = min(Int(packet.length), available)
        guard count > 0 else { return [] }
        var bytes = [UInt8](repeating: 0, count: count)
        var failure: CaptureError?
        unsafe bytes.withUnsafeMutableBytes { memory in
            do throws(CaptureError) {
                unsafe try ledger.trace.copy(reference, from: Int(packet.offset), into: memory)
            } catch {
                failure = error
            }
        }
        if let failure {
            ledger.unreadable(failure, index)
            return nil
        }
        return bytes
    }
}

/// An isochronous OUT endpoint: everything is taken; what is played or shown is compared in strict order only.
final class IsochronousOutput: EndpointHandler {
    let address: EndpointAddress
    private let ledger: Ledger
    private let sent: [UInt32]
    private var next = 0

    init(_ address: EndpointAddress, _ ledger: Ledger, sent: [UInt32]) {
        self.address = address
        self.ledger = ledger
        self.sent = sent
        ledger.expect(sent.count, on: address, .isochronous)
    }

    func rewind() { next = 0 }

    func submit(_ urb: consuming URB) {
        guard urb.type == .isochronous else {
            urb.complete(.invalid)
            return
        }
        compare(urb)
        urb.acceptPackets()
    }

    func cancel(_ id: URB.ID) -> Bool { false }

    func completeAll(_ status: TransferStatus) {}

    private func compare(_ urb: borrowing URB) {
        guard next < sent.count else {
            ledger.answerByRule(address, .isochronous)
            return
        }
        let index = Int(sent[next])
        next += 1
        guard ledger.settings.isStrict else {
            ledger.match(index)
            return
        }
        var data: [UInt8] = []
        for packet in 0..<urb.packetCount { urb.withPacket(packet) { data += [UInt8](copying: $0) } }
        let match = ledger.compare(data, with: index)
        if match == .same {
            ledger.match(index)
            return
        }
        ledger.reach(index)
        guard match != .unreadable else { return }
        ledger.diverge(match.kind, address, .isochronous, subject: "\(address)", transfer: index, actual: data)
    }
}
