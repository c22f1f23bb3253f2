import USBCore

/// What the platform capabilities of a device offer to read by vendor requests.
struct PlatformOffers {
    /// WebUSB's landing page: the request's code and the page's index.
    private(set) var webUSBPage: (code: UInt8, index: UInt8)?
    /// The Microsoft OS 2.0 descriptor set: the request's code and the set's length.
    private(set) var microsoftSet: (code: UInt8, length: UInt16)?

    init(_ store: [UInt8]) {
        for item in DescriptorWalk(store).items where item.type == .deviceCapability && item.byte(2) == 0x05 {
            switch USBUUID(bytes: [UInt8](item.bytes.dropFirst(4).prefix(16))) {
            case .webUSB? where item.bytes.count >= 24 && item.byte(23) != 0:
                webUSBPage = (item.byte(22), item.byte(23))
            case .microsoftOS2? where item.bytes.count >= 28 && item.word(24) > 0:
                microsoftSet = (item.byte(26), item.word(24))
            default: break
            }
        }
    }
}

/// A WebUSB URL descriptor (WebUSB §4.3.1).
enum WebUSBPage {
    /// The address, nil where the bytes are no URL descriptor.
    static func address(_ bytes: [UInt8]) -> String? {
        guard bytes.count >= 3, bytes[1] == 3, Int(bytes[0]) == bytes.count else { return nil }
        let scheme =
            switch bytes[2] {
            case 0: "http://"
            case 1: "https://"
            default: ""
            }
        return scheme + String(decoding: bytes[3...], as: UTF8.self)
    }
}
