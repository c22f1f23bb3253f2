/// Names of subclasses and protocols that are met often (usb.org, "Defined Class Codes").
enum ClassNames {
    static func subclass(_ code: UInt32, _ subclass: UInt32) -> String {
        switch (code, subclass) {
        case (1, 1): "Control Device"
        case (1, 2): "Streaming"
        case (1, 3): "MIDI Streaming"
        case (2, 2): "Abstract (modem)"
        case (2, 6): "Ethernet Networking"
        case (2, 10): "Mobile Direct Line"
        case (2, 13): "Network Control Model"
        case (2, 14): "Mobile Broadband"
        case (3, 1): "Boot Interface Subclass"
        case (6, 1): "Still Image Capture"
        case (7, 1): "Printer"
        case (8, 6): "SCSI"
        case (14, 1): "Video Control"
        case (14, 2): "Video Streaming"
        case (254, 1): "Device Firmware Update"
        case (254, 3): "Test and Measurement"
        default: ""
        }
    }

    static func `protocol`(_ code: UInt32, _ subclass: UInt32, _ number: UInt32) -> String {
        switch (code, subclass, number) {
        case (1, _, 0x20): "Audio 2.0"
        case (1, _, 0x30): "Audio 3.0"
        case (2, 2, 1): "AT-commands (v.25ter)"
        case (3, 1, 1): "Keyboard"
        case (3, 1, 2): "Mouse"
        case (6, 1, 1): "Picture Transfer Protocol (PIMA 15470)"
        case (7, 1, 1): "Unidirectional"
        case (7, 1, 2): "Bidirectional"
        case (8, 6, 80): "Bulk-Only"
        case (8, 6, 98): "USB Attached SCSI"
        case (9, _, 1): "Single TT"
        case (9, _, 2): "TT per port"
        case (0xef, 2, 1): "Interface Association"
        case (254, 1, 1): "Runtime"
        case (254, 1, 2): "DFU mode"
        default: ""
        }
    }
}
