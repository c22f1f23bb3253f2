import USBCore

extension TransferStatus {
    /// How a transfer ended, in words; nil for success.
    var words: String? {
        switch self {
        case .success: nil
        case .stalled: "STALL"
        case .overflow: "overflow: more came than was asked for"
        case .cancelled, TransferStatus(rawValue: -2): "cancelled"
        case .shutdown: "device gone or reset"
        case .noDevice: "no device"
        case .busy: "busy"
        case .timedOut: "timed out"
        case .protocolError: "no proper answer (EPROTO)"
        case .missed: "isochronous packets missed"
        case .outOfMemory: "no memory"
        case .invalid: "refused as invalid"
        case .abandoned: "I/O error"
        case TransferStatus(rawValue: -62): "no answer in time (ETIME)"
        case TransferStatus(rawValue: -63): "buffer underrun (ENOSR)"
        case TransferStatus(rawValue: -70): "buffer overrun (ECOMM)"
        case TransferStatus(rawValue: -84): "CRC error (EILSEQ)"
        case TransferStatus(rawValue: -115): "under way"
        case TransferStatus(rawValue: -121): "shorter than the host allows"
        default: "error \(rawValue)"
        }
    }

    /// The word that names the status in filters and JSON.
    var name: String {
        switch self {
        case .success: "success"
        case .stalled: "stall"
        case .overflow: "overflow"
        case .cancelled, TransferStatus(rawValue: -2): "cancelled"
        case .shutdown: "shutdown"
        case .noDevice: "no-device"
        case .timedOut: "timeout"
        case .protocolError: "protocol-error"
        default: "error"
        }
    }
}

extension TransferType {
    /// The word that names the type in filters, JSON and tables.
    var name: String {
        switch self {
        case .control: "control"
        case .isochronous: "iso"
        case .bulk: "bulk"
        case .interrupt: "interrupt"
        }
    }
}

extension Speed {
    /// The word that names the speed.
    var name: String {
        switch self {
        case .low: "low"
        case .full: "full"
        case .high: "high"
        case .super: "super"
        case .superPlus: "super-plus"
        }
    }
}

extension EndpointAddress {
    /// The endpoint in a column: `EP 0` for both directions of control transfers.
    var column: String { number == 0 ? "EP 0" : description }
}
