import USBCore

/// What begins every packet of USBPcap: 27 packed little-endian bytes, and more by the kind of transfer
/// (`USBPCAP_BUFFER_PACKET_HEADER` of `USBPcap.h`).
struct USBPcapHeader {
    /// The size without what the kinds add.
    static let size = 27

    /// The most isochronous packets that USBPcap records of a transfer.
    static let maximumPackets = 1024

    /// The stage of a control transfer that a packet records.
    enum Stage: UInt8 {
        /// The eight bytes of the setup stage; since USBPcap 1.5 followed by what the host sends.
        case setup = 0
        /// The data stage, before 1.5.
        case data = 1
        /// The status stage, before 1.5.
        case status = 2
        /// The end, with what the device answered, since 1.5.
        case complete = 3
    }

    /// What kind of transfer a packet records.
    enum Transfer {
        /// An isochronous transfer.
        case isochronous
        /// A bulk or interrupt transfer.
        case plain(TransferType)
        /// A control transfer, and its stage; nil for one that is not known.
        case control(Stage?)
        /// Something of Windows' that is no transfer: a plug-and-play request, or a function USBPcap does not analyze.
        case other
    }

    /// Where the data begin in the packet.
    let length: Int
    /// Names the request packet to which a transfer belongs; 0 in what USBPcap makes up as it starts.
    let irp: UInt64
    /// `USBD_STATUS`.
    let status: UInt32
    /// What Windows' driver asked for: `URB_FUNCTION_...`.
    let function: UInt16
    /// Whether the packet was on its way back from the device.
    let isCompletion: Bool
    /// The root hub.
    let bus: UInt16
    /// The device's address; 0xffff when USBPcap does not know.
    let device: UInt16
    /// The endpoint; of a control transfer, bit 7 cannot be relied upon.
    let endpoint: UInt8
    /// The kind.
    let transfer: Transfer
    /// How many bytes of data there were.
    let dataLength: Int

    /// Reads a header; nil when it does not fit the packet or itself.
    init?(_ bytes: ByteView) {
        length = Int(bytes.little16(0))
        guard bytes.count >= Self.size, length >= Self.size, length <= bytes.count else { return nil }
        irp = bytes.little64(2)
        status = bytes.little32(10)
        function = bytes.little16(14)
        isCompletion = bytes[16] & 1 != 0
        bus = bytes.little16(17)
        device = bytes.little16(19)
        endpoint = bytes[21]
        dataLength = Int(bytes.little32(23))
        switch bytes[22] {
        case 0:
            let packets = Int(bytes.little32(31))
            guard length >= 39, packets <= Self.maximumPackets, length >= 39 + 12 * packets else { return nil }
            transfer = .isochronous
        case 1: transfer = .plain(.interrupt)
        case 3: transfer = .plain(.bulk)
        case 2:
            guard length > Self.size else { return nil }
            transfer = .control(Stage(rawValue: bytes[27]))
        default: transfer = .other
        }
    }

    /// Whether the packet stands for something Windows keeps to itself, rather than for bytes that were seen: what
    /// USBPcap lists as it starts, requests it rebuilds (select configuration, select interface), and descriptors that
    /// came back without ever having become a control transfer, out of the hub driver's memory.
    var isMadeUp: Bool {
        irp == 0 || function == 0 || function == 1
            || isCompletion && (function == 0x0b || function == 0x24 || function == 0x28)
    }
}
