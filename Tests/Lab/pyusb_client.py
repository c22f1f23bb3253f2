"""Drives the echo and the numbered source with pyusb: pyusb_client.py full|high|super."""
import sys
import usb.core
import usb.util

SPEED = sys.argv[1]


def expect(what, expected, found):
    if expected != found:
        sys.exit(f"{what}: expected {expected!r}, found {found!r}")


def find(vendor, product):
    device = usb.core.find(idVendor=vendor, idProduct=product)
    if device is None:
        sys.exit(f"libusb does not see {vendor:04x}:{product:04x}")
    return device


echo = find(0x1209, 0x7A65)
expect("speed", {"full": usb.util.SPEED_FULL, "high": usb.util.SPEED_HIGH, "super": usb.util.SPEED_SUPER}[SPEED],
       echo.speed)
expect("serial number", "ECHO", echo.serial_number)
echo.set_configuration()

for size in (0, 1, 63, 64, 65, 512, 1000, 1024, 65_536):
    data = bytes(i % 251 for i in range(size))
    expect(f"bytes written of {size}", size, echo.write(0x01, data))
    expect(f"echo of {size} bytes", data, bytes(echo.read(0x81, max(size, 64))))
for size in (1, 8, 64):
    data = bytes(reversed(range(size)))
    echo.write(0x03, data)
    expect(f"interrupt echo of {size} bytes", data, bytes(echo.read(0x83, 64)))

echo.ctrl_transfer(0x40, 0x5B, 0, 0, b"kept")
expect("what was kept", b"kept", bytes(echo.ctrl_transfer(0xC0, 0x5C, 0, 0, 64)))
expect("a request's own setup", bytes([0xC0, 0x5D, 1, 0, 2, 0, 8, 0]), bytes(echo.ctrl_transfer(0xC0, 0x5D, 1, 2, 8)))

# What Windows and browsers ask.
bos = bytes(echo.ctrl_transfer(0x80, 6, 0x0F00, 0, 4096))
expect("length of the BOS", len(bos), int.from_bytes(bos[2:4], "little"))
microsoft = bytes.fromhex("df60ddd88945c74c9cd2659d9e648a9f")
web = bytes.fromhex("38b60834a909a0478bfda0768815b665")
at = bos.find(microsoft)
expect("a Microsoft OS 2.0 capability", True, at >= 0)
length, request = int.from_bytes(bos[at + 20:at + 22], "little"), bos[at + 22]
descriptors = bytes(echo.ctrl_transfer(0xC0, request, 0, 7, 4096))
expect("length of the Microsoft set", length, len(descriptors))
expect("compatible id", True, b"WINUSB\0\0" in descriptors)
at = bos.find(web)
expect("a WebUSB capability", True, at >= 0)
url = bytes(echo.ctrl_transfer(0xC0, bos[at + 18], bos[at + 19], 2, 255))
expect("WebUSB URL", b"example.com/ghost", url[3:url[0]])
expect("URL scheme (https)", 1, url[2])

try:
    echo.ctrl_transfer(0xC0, 0x77, 0, 0, 8)
    sys.exit("an unknown request was answered")
except usb.core.USBError as error:
    expect("error of an unknown request (EPIPE)", 32, error.errno)
try:
    echo.read(0x81, 64, timeout=200)
    sys.exit("an empty pipe was answered")
except usb.core.USBTimeoutError:
    pass
# The transfer that timed out was taken back: what comes now is not lost.
echo.write(0x01, b"after")
expect("echo after a timeout", b"after", bytes(echo.read(0x81, 64)))
echo.ctrl_transfer(0x02, 3, 0, 0x81)
try:
    echo.read(0x81, 64)
    sys.exit("a halted endpoint was answered")
except usb.core.USBError as error:
    expect("error of a halted endpoint (EPIPE)", 32, error.errno)
echo.clear_halt(0x81)
echo.write(0x01, b"cleared")
expect("echo after the halt", b"cleared", bytes(echo.read(0x81, 64)))

source = find(0x0525, 0xA4A9)
source.set_configuration(3)
for number in range(5):
    expect("number of a transfer", number, int.from_bytes(bytes(source.read(0x81, 512))[:8], "little"))
source.set_interface_altsetting(0, 2)
expect("length of a report", 64, len(source.read(0x83, 64)))
usb.util.dispose_resources(source)
source.set_configuration(2)
source.write(0x01, b"loop")
expect("loopback", b"loop", bytes(source.read(0x81, 512)))
