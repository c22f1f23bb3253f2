import USBCore

/// The names of requests (USB 2.0 §9.4 and the classes' specifications).
enum RequestNames {
    /// A standard request's name; nil for a number without one.
    static func standard(_ request: UInt8) -> String? {
        switch StandardRequest(rawValue: request) {
        case .getStatus: "GET_STATUS"
        case .clearFeature: "CLEAR_FEATURE"
        case .setFeature: "SET_FEATURE"
        case .setAddress: "SET_ADDRESS"
        case .getDescriptor: "GET_DESCRIPTOR"
        case .setDescriptor: "SET_DESCRIPTOR"
        case .getConfiguration: "GET_CONFIGURATION"
        case .setConfiguration: "SET_CONFIGURATION"
        case .getInterface: "GET_INTERFACE"
        case .setInterface: "SET_INTERFACE"
        case .synchFrame: "SYNCH_FRAME"
        case .setSystemExitLatency: "SET_SEL"
        case .setIsochronousDelay: "SET_ISOCH_DELAY"
        case nil: nil
        }
    }

    /// A class request's name; nil for one that is not known here.
    static func classRequest(_ request: UInt8, _ code: USBClass, _ subclass: UInt8) -> String? {
        switch code {
        case .hid: hid[request]
        case .cdc, .cdcData: cdc[request]
        case .massStorage: massStorage[request]
        case .hub: hub[request]
        case .printer: printer[request]
        case .smartCard: smartCard[request]
        case .audio, .video: controls[request]
        case .applicationSpecific: subclass == 1 ? firmwareUpdate[request] : subclass == 3 ? testing[request] : nil
        default: nil
        }
    }

    /// HID 1.11 §7.2.
    private static let hid: [UInt8: String] = [
        0x01: "GET_REPORT", 0x02: "GET_IDLE", 0x03: "GET_PROTOCOL", 0x09: "SET_REPORT", 0x0a: "SET_IDLE",
        0x0b: "SET_PROTOCOL",
    ]

    /// CDC 1.2 table 19, PSTN 1.2 table 13, NCM 1.0 table 6-2.
    private static let cdc: [UInt8: String] = [
        0x00: "SEND_ENCAPSULATED_COMMAND", 0x01: "GET_ENCAPSULATED_RESPONSE", 0x02: "SET_COMM_FEATURE",
        0x03: "GET_COMM_FEATURE", 0x04: "CLEAR_COMM_FEATURE", 0x20: "SET_LINE_CODING", 0x21: "GET_LINE_CODING",
        0x22: "SET_CONTROL_LINE_STATE", 0x23: "SEND_BREAK", 0x40: "SET_ETHERNET_MULTICAST_FILTERS",
        0x43: "SET_ETHERNET_PACKET_FILTER", 0x80: "GET_NTB_PARAMETERS", 0x83: "GET_NTB_FORMAT",
        0x84: "SET_NTB_FORMAT", 0x85: "GET_NTB_INPUT_SIZE", 0x86: "SET_NTB_INPUT_SIZE",
    ]

    /// Bulk-Only Transport 1.0 §3, UAS has none.
    private static let massStorage: [UInt8: String] = [0xfe: "GET_MAX_LUN", 0xff: "BULK_ONLY_RESET"]

    /// USB 2.0 table 11-16, USB 3.2 table 10-9.
    private static let hub: [UInt8: String] = [
        0x00: "GET_STATUS", 0x01: "CLEAR_FEATURE", 0x03: "SET_FEATURE", 0x06: "GET_DESCRIPTOR",
        0x07: "SET_DESCRIPTOR", 0x08: "CLEAR_TT_BUFFER", 0x09: "RESET_TT", 0x0a: "GET_TT_STATE", 0x0b: "STOP_TT",
        0x0c: "SET_HUB_DEPTH", 0x0d: "GET_PORT_ERR_COUNT",
    ]

    /// Printer 1.1 §4.2.
    private static let printer: [UInt8: String] = [
        0x00: "GET_DEVICE_ID", 0x01: "GET_PORT_STATUS", 0x02: "SOFT_RESET",
    ]

    /// CCID 1.1 §5.3.
    private static let smartCard: [UInt8: String] = [
        0x01: "ABORT", 0x02: "GET_CLOCK_FREQUENCIES", 0x03: "GET_DATA_RATES",
    ]

    /// Audio 1.0 table A-9, Video 1.5 table A-8.
    private static let controls: [UInt8: String] = [
        0x01: "SET_CUR", 0x02: "SET_MIN", 0x03: "SET_MAX", 0x04: "SET_RES", 0x81: "GET_CUR", 0x82: "GET_MIN",
        0x83: "GET_MAX", 0x84: "GET_RES", 0x85: "GET_LEN", 0x86: "GET_INFO", 0x87: "GET_DEF",
    ]

    /// Device Firmware Upgrade 1.1 table 3.2.
    private static let firmwareUpdate: [UInt8: String] = [
        0x00: "DFU_DETACH", 0x01: "DFU_DNLOAD", 0x02: "DFU_UPLOAD", 0x03: "DFU_GETSTATUS", 0x04: "DFU_CLRSTATUS",
        0x05: "DFU_GETSTATE", 0x06: "DFU_ABORT",
    ]

    /// USBTMC 1.0 table 15.
    private static let testing: [UInt8: String] = [
        0x01: "INITIATE_ABORT_BULK_OUT", 0x02: "CHECK_ABORT_BULK_OUT_STATUS", 0x03: "INITIATE_ABORT_BULK_IN",
        0x04: "CHECK_ABORT_BULK_IN_STATUS", 0x05: "INITIATE_CLEAR", 0x06: "CHECK_CLEAR_STATUS",
        0x07: "GET_CAPABILITIES", 0x40: "INDICATOR_PULSE",
    ]
}
