import USBCore
import USBDeviceKit
import USBGadgetZero

/// A device to test hosts, drivers and programs with: `zero`.
public enum ZeroModel: DeviceModel {
    /// `zero`.
    public static let name = "zero"
    /// Linux's gadget zero, or a vendor echo.
    public static let summary = "a test device: Linux's gadget zero (all transfer types), or a vendor echo"

    /// See ``DeviceModel/keys``.
    public static let keys = [
        ModelKey("speed", "full|high|super", default: "high", "12 Mb/s, 480 Mb/s or 5 Gb/s"),
        ModelKey(
            "function", "source-sink|loopback|echo", default: "source-sink",
            "gadget zero with that configuration first; or a WinUSB and WebUSB device that echoes bulk and interrupt"),
        ModelKey(
            "pattern", "zeros|mod63|none|counter", default: "zeros",
            "what sources send and sinks expect; none checks nothing, counter numbers each transfer"),
        ModelKey(
            "bulk-packet", "8, 16, 32 or 64 at full, 512 at high, 1024 at super speed", default: "the largest",
            "the bytes of a bulk packet"),
        ModelKey("bulk-burst", "0 to 15", default: "0", "bMaxBurst of bulk endpoints at super speed"),
        ModelKey(
            "iso-packet", "1 to 1023 at full, to 1024 at high and super speed", default: "the largest",
            "the bytes of an isochronous packet"),
        ModelKey(
            "iso-transactions", "1 to 3", default: "1",
            "packets in a microframe at high speed; 2 take packets of 513 bytes and more, 3 of 683 and more"),
        ModelKey(
            "iso-interval", "1 to 16", default: "4",
            "bInterval of isochronous endpoints: every 2^(n-1) ms at full speed, 2^(n-1) x 125 us above"),
        ModelKey(
            "iso-burst", "0 to 15", default: "0",
            "bMaxBurst of isochronous endpoints at super speed; more than 0 takes packets of 1024 bytes"),
        ModelKey(
            "iso-mult", "0 to 2", default: "0",
            "Mult of isochronous endpoints at super speed; more than 0 takes an iso-burst of 1 and more"),
        ModelKey(
            "int-packet", "1 to 64 at full, to 1024 at high and super speed", default: "64",
            "the bytes of an interrupt packet"),
        ModelKey(
            "int-interval", "1 to 255 at full, 1 to 16 at high and super speed", default: "1 ms",
            "bInterval of interrupt endpoints: every n ms at full speed, 2^(n-1) x 125 us above"),
        ModelKey(
            "report-every", "1 to 60000", default: "none",
            "milliseconds from one report of interrupt IN to the next, asked for or not; each begins with its number "
                + "and its time"),
        ModelKey(
            "url", "http:// or https:// and up to 252 ASCII characters", default: "none",
            "with function=echo: the page that browsers offer to open"),
        ModelKey("vid", "16 bits in hexadecimal", default: "0525, of the echo 1209", "idVendor"),
        ModelKey("pid", "16 bits in hexadecimal", default: "a4a0, of the echo 7a65", "idProduct"),
        ModelKey(
            "serial", "1 to 32 of 0-9 A-Z a-z . _ -",
            default: "12 hexadecimal digits made of the keys and the position", "the serial number"),
    ]

    /// See ``DeviceModel/examples``.
    public static let examples: [(specification: String, meaning: String)] = [
        ("zero", "gadget zero at high speed, for the kernel's usbtest"),
        ("zero:speed=super,pattern=mod63,bulk-burst=15", "at SuperSpeed, with bytes that show what was lost"),
        ("zero:iso-transactions=3,iso-interval=1", "3 x 1024 bytes in each microframe"),
        ("zero:speed=full,int-interval=10,report-every=40", "a keyboard that types by itself"),
        ("zero:function=loopback", "what is written comes back"),
        ("zero:function=echo,url=https://example.com/", "for WinUSB, WebUSB, libusb and pyusb programs"),
    ]

    /// See ``DeviceModel/make(_:_:)``.
    public static func make(_ options: ModelOptions, _ context: ModelContext) throws(ModelError) -> ModelDevice {
        let settings = try ZeroSettings(options, context)
        let gadget: any Gadget =
            switch settings.kind {
            case .zero(let configuration): ZeroGadget(configuration)
            case .echo(let configuration): EchoGadget(configuration)
            }
        do throws(DescriptorError) {
            return ModelDevice(device: try GadgetDevice(gadget), backing: settings.backing)
        } catch {
            throw ModelError("the device's descriptors are refused: \(error)")
        }
    }
}
