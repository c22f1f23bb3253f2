"""A host that does again through libusb what a recorded one did, and compares the answers to the byte.

    recorded_host.py FILE VENDOR:PRODUCT [--flip PACKET]
    recorded_host.py --middle in|out FILE VENDOR:PRODUCT     the packet of an answer, or of a write, to change

What was recorded comes from Wireshark's reader (recorded.py), and libusb moves it: nothing of ours is in between. What
the host sent goes out in the order in which it was asked for, and what the device answered is fetched in the order in
which it came. Left out is what the recorded host took back, and SET_ADDRESS, which is the host controller's.

With --flip, the last byte that was sent in that packet is another one. Prints a line for each answer that differs,
with the packet that has the recorded one; exit status 1 when there is one.
"""

import struct
import sys

import usb.core
import usb.util

import recorded

# Of libusb, in ms; generous, since the machine may be emulated on a busy one.
TIMEOUT = 20000
STALL = 32


def steps(transfers):
    """In the order in which they are done, with the packet that decides that."""
    ordered = []
    for transfer in transfers:
        if transfer.was_cancelled or transfer.kind == recorded.ISOCHRONOUS or not transfer.submitted:
            continue
        # Standard requests to a device: SET_ADDRESS.
        if transfer.setup[:2] == b"\x00\x05":
            continue
        answered = transfer.is_in and transfer.kind != recorded.CONTROL
        ordered.append((transfer.completed if answered else transfer.submitted, transfer))
    return sorted(ordered, key=lambda step: step[0])


def middle(way, transfers):
    """A packet with an answer, or with what was sent, in the middle of those that say something of their own."""
    found = []
    for _, transfer in steps(transfers):
        data = transfer.answer if way == "in" else transfer.sent
        # The kernel asks for descriptors by itself, and class drivers for more.
        standard = transfer.kind == recorded.CONTROL and transfer.setup[0] & 0x60 == 0
        if len(data) > 1 and not standard and transfer.status == 0:
            found.append(transfer)
    # Where all go one way through vendor requests, those count as well.
    if not found:
        sys.exit("nothing there to change")
    chosen = found[len(found) // 2]
    return chosen.completed if way == "in" else chosen.submitted


class Host:
    def __init__(self, identity):
        vendor, product = (int(part, 16) for part in identity.split(":"))
        self.device = usb.core.find(idVendor=vendor, idProduct=product)
        if self.device is None:
            sys.exit(f"libusb does not see {identity}")
        self.claim()

    def claim(self):
        self.interfaces = [
            setting.bInterfaceNumber
            for setting in self.device.get_active_configuration()
            if setting.bAlternateSetting == 0
        ]
        for number in self.interfaces:
            if self.device.is_kernel_driver_active(number):
                self.device.detach_kernel_driver(number)
            usb.util.claim_interface(self.device, number)

    def control(self, transfer, sent):
        kind, request, value, index, length = struct.unpack("<BBHHH", transfer.setup)
        # The kernel keeps account of these, so they have calls of their own.
        if (kind, request) == (0x00, 9):
            usb.util.dispose_resources(self.device)
            self.device.set_configuration(value)
            self.claim()
            return b""
        if (kind, request) == (0x01, 11):
            self.device.set_interface_altsetting(index, value)
            return b""
        if (kind, request, value) == (0x02, 1, 0):
            self.device.clear_halt(index)
            return b""
        if kind & 0x80:
            return bytes(self.device.ctrl_transfer(kind, request, value, index, length, TIMEOUT))
        self.device.ctrl_transfer(kind, request, value, index, sent, TIMEOUT)
        return b""

    def do(self, transfer, sent):
        """The answer, or the name of what came in its place."""
        try:
            if transfer.kind == recorded.CONTROL:
                return self.control(transfer, sent), ""
            if transfer.is_in:
                return bytes(self.device.read(transfer.endpoint, max(transfer.wanted, 1), TIMEOUT)), ""
            if self.device.write(transfer.endpoint, sent, TIMEOUT) != len(sent):
                return b"", "a part was sent"
            return b"", ""
        except usb.core.USBTimeoutError:
            return b"", "no answer"
        except usb.core.USBError as error:
            return b"", "a stall" if error.errno == STALL else str(error)


def shown(data):
    return data[:48].hex(" ") + (" ..." if len(data) > 48 else "")


def main():
    words = sys.argv[1:]
    if words[0] == "--middle":
        print(middle(words[1], recorded.of_device(words[2], words[3])))
        return
    path, identity = words[:2]
    flipped = int(words[3]) if words[2:3] == ["--flip"] else None
    host = Host(identity)
    count, compared, differ = 0, 0, 0
    for _, transfer in steps(recorded.of_device(path, identity)):
        sent = transfer.sent
        if flipped == transfer.submitted:
            if not sent:
                sys.exit(f"packet {flipped} has nothing that was sent")
            sent = sent[:-1] + bytes([sent[-1] ^ 0x5A])
        found, trouble = host.do(transfer, sent)
        wanted = "a stall" if transfer.status == -STALL else ""
        count += 1
        compared += len(transfer.answer)
        # usbmon may have cut the recorded one.
        if trouble == wanted and found[: len(transfer.answer)] == transfer.answer and (
            not transfer.is_in or transfer.moved is None or len(found) == transfer.moved
        ):
            continue
        differ += 1
        packet = transfer.completed or transfer.submitted
        print(f"packet {packet}: endpoint {transfer.endpoint:#04x} {transfer.setup.hex()}")
        print(f"  recorded {wanted or shown(transfer.answer)}")
        print(f"  found    {trouble or shown(found)}")
        if differ == 5 or trouble == "no answer":
            print("ended here")
            break
    if differ:
        sys.exit(1)
    print(f"{count} transfers, {compared} bytes of answers, all as recorded")


main()
