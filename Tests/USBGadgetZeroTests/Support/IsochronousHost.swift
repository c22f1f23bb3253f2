import USBCore
import USBDeviceKit

/// Submits isochronous transfers to a device that another host has configured, and expects each to end at once.
@safe final class IsochronousHost: URBHost {
    /// How a transfer ended.
    struct Completion: Equatable {
        var status: TransferStatus
        var actualLength: Int
        /// What the device sent, packet behind packet.
        var data: [UInt8]
        var packets: [IsochronousPacket]
    }

    // Whoever configured the device takes it away when it goes.
    private let zero: ZeroHost
    private var completion: Completion?
    private var room = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)

    init(_ zero: ZeroHost) { self.zero = zero }

    deinit { unsafe room.deallocate() }

    /// Asks for packets of the given lengths; nil when the device keeps the transfer.
    func read(_ endpoint: EndpointAddress, _ lengths: [Int]) -> Completion? {
        submit(endpoint, lengths, [], length: lengths.reduce(0, +))
    }

    /// Sends packets; nil when the device keeps the transfer.
    func write(_ endpoint: EndpointAddress, _ packets: [[UInt8]]) -> Completion? {
        let bytes = packets.flatMap(\.self)
        return submit(endpoint, packets.map(\.count), bytes, length: bytes.count)
    }

    /// Sends one run of bytes as so many packets that all have all of it.
    func writeOverlapping(_ endpoint: EndpointAddress, _ bytes: [UInt8], packets: Int) -> Completion? {
        submit(
            endpoint, Array(repeating: bytes.count, count: packets), bytes, length: bytes.count, isOverlapping: true)
    }

    private func submit(
        _ endpoint: EndpointAddress, _ lengths: [Int], _ bytes: [UInt8], length: Int, isOverlapping: Bool = false
    ) -> Completion? {
        let slot = UnsafeMutablePointer<URBSlot>.allocate(capacity: 1)
        unsafe slot.initialize(to: URBSlot(host: self))
        unsafe slot.pointee.rearm()
        unsafe slot.pointee.endpoint = endpoint
        unsafe slot.pointee.type = .isochronous
        unsafe slot.pointee.requestedLength = length
        let packets = unsafe slot.pointee.makePackets(lengths.count)
        var offset = 0
        for (index, length) in lengths.enumerated() {
            let packet = IsochronousPacket(offset: UInt32(offset), length: UInt32(length), status: .missed)
            unsafe packets.initializeElement(at: index, to: packet)
            if !isOverlapping { offset += length }
        }
        completion = nil
        unsafe bytes.withUnsafeBytes { payload in
            unsafe slot.pointee.payload = payload.baseAddress
            unsafe zero.device.submit(URB(slot))
        }
        unsafe slot.pointee.freeAll()
        unsafe slot.deinitialize(count: 1)
        unsafe slot.deallocate()
        return completion
    }

    func reserve(_ count: Int) -> UnsafeMutableRawPointer {
        unsafe room.initializeMemory(as: UInt8.self, repeating: 0xee)
        return unsafe room.baseAddress ?? UnsafeMutableRawPointer.allocate(byteCount: count, alignment: 16)
    }

    func unreserve(_ memory: UnsafeRawPointer) {}

    func completed(_ urb: consuming URB) {
        let slot = unsafe urb.release()
        let actual = unsafe slot.pointee.actualLength
        let answer = unsafe slot.pointee.endpoint.direction == .in ? slot.pointee.answer : nil
        completion = Completion(
            status: unsafe slot.pointee.status, actualLength: actual,
            data: unsafe answer.map { unsafe [UInt8](UnsafeRawBufferPointer(start: $0, count: actual)) } ?? [],
            packets: unsafe [IsochronousPacket](slot.pointee.packets))
    }
}
