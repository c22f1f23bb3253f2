"""A headset that is this program: its end of QEMU's usb-redir, on a virtio port (boot the lab with --usb).

    headset.py PORT PLAYED

A USB Audio 1.0 device at full speed, 8 kHz, 16 bits, one channel, isochronous both ways: QEMU has no device that sends
isochronous data, and the kernel's dummy_hcd carries none. What it hears is sample numbers, from 1 on; what is played to
it goes to the file PLAYED, as it came. Say `device_add driver=usb-redir chardev=...` when it says "ready".

The protocol is usbredir's, version 0.6: a header of type, length and id, and a body, in little-endian order.
"""

import os
import select
import struct
import sys
import time

HELLO, CONNECT, RESET, INTERFACES, ENDPOINTS = 0, 1, 3, 4, 5
SET_CONFIGURATION, GET_CONFIGURATION, CONFIGURATION_STATUS = 6, 7, 8
SET_ALTERNATE, GET_ALTERNATE, ALTERNATE_STATUS = 9, 10, 11
START_ISO, STOP_ISO, ISO_STATUS = 12, 13, 14
CANCEL = 21
CONTROL, ISO = 100, 102
# Capabilities: the length of packets in the list of endpoints.
CAPABILITIES = 1 << 4
STALL = 4

SPEAKER, MICROPHONE = 0x01, 0x82
# Eight samples, 1 ms.
PACKET = 16

DEVICE = struct.pack("<BBHBBBBHHHBBBB", 18, 1, 0x0110, 0, 0, 0, 64, 0x1209, 0x7A61, 0x0100, 1, 2, 3, 1)
STRINGS = [None, "Ghostplug", "Lab Headset", "HEADSET01"]


def terminal_in(identity, kind):
    return struct.pack("<BBBBHBBHBB", 12, 0x24, 0x02, identity, kind, 0, 1, 0, 0, 0)


def terminal_out(identity, kind, source):
    return struct.pack("<BBBBHBBB", 9, 0x24, 0x03, identity, kind, 0, source, 0)


def streaming(number, link, endpoint, attributes):
    return b"".join((
        struct.pack("<9B", 9, 4, number, 0, 0, 1, 2, 0, 0),
        struct.pack("<9B", 9, 4, number, 1, 1, 1, 2, 0, 0),
        struct.pack("<BBBBBH", 7, 0x24, 0x01, link, 1, 0x0001),
        struct.pack("<8B", 11, 0x24, 0x02, 1, 1, 2, 16, 1) + (8000).to_bytes(3, "little"),
        struct.pack("<BBBBHBBB", 9, 5, endpoint, attributes, PACKET, 1, 0, 0),
        struct.pack("<BBBBBH", 7, 0x25, 0x01, 0, 0, 0),
    ))


def configuration():
    units = terminal_in(1, 0x0101) + terminal_out(2, 0x0302, 1) + terminal_in(3, 0x0201) + terminal_out(4, 0x0101, 3)
    body = b"".join((
        struct.pack("<9B", 9, 4, 0, 0, 0, 1, 1, 0, 0),
        struct.pack("<BBBHHBBB", 10, 0x24, 0x01, 0x0100, 10 + len(units), 2, 1, 2),
        units,
        # Adaptive; asynchronous.
        streaming(1, 1, SPEAKER, 0x09),
        streaming(2, 4, MICROPHONE, 0x05),
    ))
    return struct.pack("<BBHBBBBB", 9, 2, 9 + len(body), 3, 1, 0, 0x80, 50) + body


def descriptor(kind, index):
    if kind == 1:
        return DEVICE
    if kind == 2 and index == 0:
        return configuration()
    if kind == 3 and index == 0:
        return struct.pack("<BBH", 4, 3, 0x0409)
    if kind == 3 and index < len(STRINGS):
        text = STRINGS[index].encode("utf-16-le")
        return bytes([len(text) + 2, 3]) + text
    return None


class Headset:
    def __init__(self, port, played):
        self.port = port
        self.played = played
        self.received = b""
        self.waiting = b""
        self.configured = 0
        self.alternates = {}
        self.sample = 0
        # When the microphone was switched on, and how many packets it has sent since.
        self.started = None
        self.sent = 0

    def send(self, kind, identity, body):
        self.waiting += struct.pack("<III", kind, len(body), identity) + body

    def greet(self):
        version = b"ghostplug lab headset".ljust(64, b"\0")
        # The first ones have short headers, too: no 64-bit ids are offered.
        self.send(HELLO, 0, version + struct.pack("<I", CAPABILITIES))

    def introduce(self):
        classes = bytes([1, 1, 1]).ljust(32, b"\0")
        subclasses = bytes([1, 2, 2]).ljust(32, b"\0")
        numbers = bytes([0, 1, 2]).ljust(32, b"\0")
        self.send(INTERFACES, 0, struct.pack("<I", 3) + numbers + classes + subclasses + bytes(32))
        self.tell_endpoints()
        self.send(CONNECT, 0, struct.pack("<BBBBHH", 1, 0, 0, 0, 0x1209, 0x7A61))

    def tell_endpoints(self):
        kinds, intervals, interfaces, lengths = [255] * 32, [0] * 32, [0] * 32, [0] * 32
        kinds[0] = kinds[16] = 0
        lengths[0] = lengths[16] = 64
        for endpoint, interface in ((SPEAKER, 1), (MICROPHONE, 2)):
            if self.configured and self.alternates.get(interface):
                index = (endpoint & 15) | (endpoint & 0x80) >> 3
                kinds[index], intervals[index], interfaces[index], lengths[index] = 1, 1, interface, PACKET
        self.send(ENDPOINTS, 0, bytes(kinds) + bytes(intervals) + bytes(interfaces) + struct.pack("<32H", *lengths))

    def control(self, identity, body):
        endpoint, request, kind, _, value, index, length = struct.unpack_from("<BBBBHHH", body)
        answer = None
        if (kind, request) == (0x80, 6):
            answer = descriptor(value >> 8, value & 255)
        elif kind & 0xE0 == 0x80 and request == 0:
            answer = bytes(2)
        status, answer = (STALL, b"") if answer is None else (0, answer[:length])
        header = struct.pack("<BBBBHHH", endpoint, request, kind, status, value, index, len(answer))
        self.send(CONTROL, identity, header + answer)

    def handle(self, kind, identity, body):
        if kind == HELLO:
            self.introduce()
        elif kind == RESET:
            self.alternates, self.started = {}, None
        elif kind in (SET_CONFIGURATION, GET_CONFIGURATION):
            if kind == SET_CONFIGURATION:
                self.configured, self.alternates, self.started = body[0], {}, None
                self.tell_endpoints()
            self.send(CONFIGURATION_STATUS, identity, bytes([0, self.configured]))
        elif kind in (SET_ALTERNATE, GET_ALTERNATE):
            if kind == SET_ALTERNATE:
                self.alternates[body[0]] = body[1]
                self.tell_endpoints()
            self.send(ALTERNATE_STATUS, identity, bytes([0, body[0], self.alternates.get(body[0], 0)]))
        elif kind in (START_ISO, STOP_ISO):
            if body[0] == MICROPHONE:
                self.started, self.sent = (time.monotonic() if kind == START_ISO else None), 0
            self.send(ISO_STATUS, identity, bytes([0, body[0]]))
        elif kind == CONTROL:
            self.control(identity, body)
        elif kind == ISO:
            self.played.write(body[4:])
            self.played.flush()
        elif kind != CANCEL:
            print(f"headset: a packet of type {kind} is not answered", file=sys.stderr)

    def listen(self):
        """What the microphone has heard by now."""
        if self.started is None:
            return
        due = int((time.monotonic() - self.started) * 1000)
        # What a machine that stood still has missed is not made up for.
        self.sent = max(self.sent, due - 40)
        while self.sent < due:
            samples = range(self.sample + 1, self.sample + 1 + PACKET // 2)
            data = struct.pack("<8h", *(1 + (number - 1) % 32767 for number in samples))
            self.send(ISO, 0, struct.pack("<BBH", MICROPHONE, 0, len(data)) + data)
            self.sample += PACKET // 2
            self.sent += 1

    def run(self):
        self.greet()
        print("ready", flush=True)
        while True:
            self.listen()
            timeout = 0.002 if self.started is not None else 1
            readable, writable, _ = select.select([self.port], [self.port] if self.waiting else [], [], timeout)
            if writable:
                self.waiting = self.waiting[os.write(self.port, self.waiting[:4096]) :]
            if not readable:
                continue
            data = os.read(self.port, 65536)
            if not data:
                # Nobody is at the other end yet.
                time.sleep(0.05)
                continue
            self.received += data
            while len(self.received) >= 12:
                kind, length, identity = struct.unpack_from("<III", self.received)
                if len(self.received) < 12 + length:
                    break
                body, self.received = self.received[12 : 12 + length], self.received[12 + length :]
                self.handle(kind, identity, body)


def main():
    port = os.open(sys.argv[1], os.O_RDWR | os.O_NONBLOCK)
    with open(sys.argv[2], "wb") as played:
        Headset(port, played).run()


if __name__ == "__main__":
    main()
