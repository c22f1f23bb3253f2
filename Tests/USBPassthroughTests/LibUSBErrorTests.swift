import Testing
import USBPassthrough

@Suite struct LibUSBErrorTests {
    @Test func unknownNumbersAreShown() {
        #expect(LibUSBError(rawValue: -42).description == "libusb's error -42")
    }
}
