import USBCore
import USBDeviceKit

/// An isochronous IN endpoint that fills every packet.
///
/// A packet longer than what an interval carries is filled as far as that: a real one could not have more.
final class IsochronousSource: EndpointHandler {
    let address: EndpointAddress
    private(set) var counts = EndpointCounts()
    private let capacity: Int
    private var memory: PatternMemory

    /// Makes a source that moves up to `capacity` bytes in an interval.
    init(_ address: EndpointAddress, _ pattern: TestPattern, packetField: UInt16, capacity: Int) {
        self.address = address
        self.capacity = capacity
        memory = PatternMemory(pattern, period: Int(packetField))
    }

    func submit(_ urb: consuming URB) {
        counts.transfers &+= 1
        urb.completePackets { _, output in
            unsafe output.withUnsafeMutableBytes { room, initialized in
                let count = min(room.count, capacity)
                let packet = unsafe UnsafeMutableRawBufferPointer(rebasing: room[..<count])
                if memory.pattern == .counter {
                    unsafe memory.fill(packet, numbered: counts.packets)
                } else {
                    unsafe memory.fill(packet)
                }
                counts.packets &+= 1
                counts.bytes &+= UInt64(truncatingIfNeeded: count)
                initialized = count
            }
            return .success
        }
    }

    func cancel(_ id: URB.ID) -> Bool { false }

    func completeAll(_ status: TransferStatus) {}

    /// Counts from 0 again.
    func restart() { counts = EndpointCounts() }
}

/// An isochronous OUT endpoint that takes every packet.
///
/// Bytes that are not the pattern's are counted and no more: isochronous packets are not acknowledged, so there is
/// nothing to refuse them with, and Linux's `usbtest` sends zeros there whatever the pattern.
final class IsochronousSink: EndpointHandler {
    let address: EndpointAddress
    private(set) var counts = EndpointCounts()
    private let capacity: Int
    private var memory: PatternMemory

    /// Makes a sink that looks at up to `capacity` bytes of a packet: what an interval carries.
    init(_ address: EndpointAddress, _ pattern: TestPattern, packetField: UInt16, capacity: Int) {
        self.address = address
        self.capacity = capacity
        memory = PatternMemory(pattern, period: Int(packetField))
    }

    func submit(_ urb: consuming URB) {
        counts.transfers &+= 1
        for index in 0..<urb.packetCount {
            urb.withPacket(index) { bytes in
                counts.packets &+= 1
                counts.bytes &+= UInt64(truncatingIfNeeded: bytes.byteCount)
                guard memory.pattern.isChecked else { return }
                // Packets may overlap in the host's buffer: their lengths say nothing about its size.
                let isExpected = unsafe bytes.withUnsafeBytes { packet in
                    unsafe memory.matches(UnsafeRawBufferPointer(rebasing: packet.prefix(capacity)))
                }
                if !isExpected { counts.mismatches &+= 1 }
            }
        }
        urb.acceptPackets()
    }

    func cancel(_ id: URB.ID) -> Bool { false }

    func completeAll(_ status: TransferStatus) {}

    /// Counts from 0 again.
    func restart() { counts = EndpointCounts() }
}
