"""How long a device takes to answer, in microseconds, one number a line.

    round_trips.py control FOLDER COUNT    GET_DESCRIPTOR (device) through usbfs, from before the ioctl until after it
    round_trips.py events FOLDER COUNT     from QEMU's monitor being told of a mouse's movement until evdev has it

FOLDER is the device's in sysfs. The movements come at random moments between two polls of the mouse. What one round
takes has the monitor's part in it, too, which is the same wherever the mouse is attached.
"""

import array
import fcntl
import os
import random
import select
import struct
import sys
import time

import evdev_events
import qmp

# USBDEVFS_CONTROL of <linux/usbdevice_fs.h>: _IOWR('U', 0, struct usbdevfs_ctrltransfer).
CONTROL = 3 << 30 | 24 << 16 | ord("U") << 8


def controls(folder, count):
    numbers = []
    for name in ("busnum", "devnum"):
        with open(os.path.join(folder, name), encoding="ascii") as file:
            numbers.append(int(file.read()))
    node = os.open("/dev/bus/usb/%03d/%03d" % tuple(numbers), os.O_RDWR)
    buffer = array.array("B", bytes(18))
    request = bytearray(struct.pack("@BBHHHIP", 0x80, 6, 0x0100, 0, 18, 5000, buffer.buffer_info()[0]))
    for number in range(count + 20):
        started = time.monotonic_ns()
        got = fcntl.ioctl(node, CONTROL, request)
        elapsed = time.monotonic_ns() - started
        if got != 18 or buffer[1] != 1:
            sys.exit(f"the device answered with {got} bytes: {buffer.tobytes().hex()}")
        # The first ones fill caches.
        if number >= 20:
            print(elapsed // 1000)


def events(folder, count):
    monitor = qmp.Monitor()
    node = os.open(evdev_events.nodes(folder)[0], os.O_RDONLY | os.O_NONBLOCK)
    moments = random.Random(1)
    movement = {"events": qmp.axes("rel", 1, 0)}
    for number in range(count + 5):
        time.sleep(0.02 + moments.random() * 0.016)
        started = time.monotonic_ns()
        monitor.call("input-send-event", movement)
        if not select.select([node], [], [], 20)[0]:
            sys.exit("a movement did not arrive within 20 s")
        # Until its end, which is when programs look at it.
        data = b""
        while data[-evdev_events.EVENT.size :][16:20] != bytes(4):
            try:
                data += os.read(node, 4096)
            except BlockingIOError:
                select.select([node], [], [], 20)
        if number >= 5:
            print((time.monotonic_ns() - started) // 1000)


def main():
    {"control": controls, "events": events}[sys.argv[1]](sys.argv[2], int(sys.argv[3]))


main()
