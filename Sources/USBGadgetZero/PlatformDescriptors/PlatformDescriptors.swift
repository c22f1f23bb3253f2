public import USBCore

/// What a device tells operating systems and browsers beyond chapter 9: Microsoft OS 2.0 descriptors and WebUSB.
///
/// A gadget puts ``capabilities`` into its binary device object store, says `bcdUSB` 0x0210 or more, and asks
/// ``answer(to:)`` about its vendor requests.
public struct PlatformDescriptors: Hashable, Sendable {
    /// The Microsoft OS 2.0 descriptors; nil for none.
    public var microsoft: MicrosoftOS2DescriptorSet?
    /// The URLs of WebUSB, numbered from 1, at most 255; the first is the landing page.
    public var urls: [WebUSBURL]

    /// `bRequest` of the vendor request that reads a URL.
    public static let webUSBRequest: UInt8 = 0x01
    /// `bRequest` of the vendor request that reads the Microsoft OS 2.0 descriptors.
    public static let microsoftRequest: UInt8 = 0x02

    /// Makes the descriptors; WebUSB is offered with and without URLs.
    public init(microsoft: MicrosoftOS2DescriptorSet?, urls: [WebUSBURL] = []) {
        self.microsoft = microsoft
        self.urls = urls
    }

    /// The platform capabilities (USB 3.2 §9.6.2.4): 24 bytes for WebUSB, 28 for Microsoft.
    public var capabilities: [Capability] {
        var capabilities = [
            Capability.webUSB(vendorCode: Self.webUSBRequest, landingPage: urls.isEmpty ? 0 : 1)
        ]
        if let microsoft {
            capabilities.append(
                .microsoftOS2(
                    setLength: UInt16(clamping: microsoft.bytes.count), vendorCode: Self.microsoftRequest,
                    windowsVersion: microsoft.windowsVersion))
        }
        return capabilities
    }

    /// The answer to a vendor request, before wLength cuts it; nil for a request that is none of these.
    ///
    /// - WebUSB §4.2: `C0 01`, wValue the URL's number, wIndex 2 (GET_URL).
    /// - Microsoft OS 2.0, "Retrieving the descriptor set": `C0 02`, wValue 0, wIndex 7.
    public func answer(to setup: SetupPacket) -> [UInt8]? {
        guard setup.requestType == 0xc0 else { return nil }
        switch (setup.request, setup.index) {
        case (Self.webUSBRequest, 2):
            let number = Int(setup.value)
            guard (1...255).contains(number), number <= urls.count else { return nil }
            return urls[number - 1].bytes
        case (Self.microsoftRequest, 7) where setup.value == 0:
            return microsoft?.bytes
        default:
            return nil
        }
    }
}
