"""Idle rates and protocols of a keyboard (HID 1.11 §7.2), with the kernel's driver out of the way."""

import subprocess
import sys
import time

import usb.core
import usb.util

GHOSTPLUG = sys.argv[1]
SET_IDLE, SET_PROTOCOL, GET_IDLE, GET_PROTOCOL = 0x0A, 0x0B, 0x02, 0x03


def expect(what, expected, found):
    if expected != found:
        sys.exit(f"FAILED: {what}: expected {expected}, found {found}")


def key(device, endpoint, *arguments):
    """Has a key pressed, and returns what the keyboard said of it: it waits until somebody has asked."""
    command = [GHOSTPLUG, "ctl", "do", "1-1", "key", *arguments]
    found = []
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            found += reports(device, endpoint, 0.2)
    expect(f"exit status of {command[1:]}", 0, process.returncode)
    return found + reports(device, endpoint, 0.3)


def out(device, request, value):
    device.ctrl_transfer(0x21, request, value, 0)


def get(device, request):
    return list(device.ctrl_transfer(0xA1, request, 0, 0, 1))


def reports(device, endpoint, seconds):
    found = []
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        try:
            found.append(bytes(device.read(endpoint, 64, max(1, int(left * 1000)))))
        except usb.core.USBTimeoutError:
            pass
    return found


device = usb.core.find(idVendor=0x1209, custom_match=lambda d: d[(0)][(0, 0)].bInterfaceClass == 3)
if device is None:
    sys.exit("FAILED: there is no keyboard")
for interface in (0, 1):
    if device.is_kernel_driver_active(interface):
        device.detach_kernel_driver(interface)
usb.util.claim_interface(device, 0)
endpoint = device[(0)][(0, 0)][0].bEndpointAddress

out(device, SET_IDLE, 0)
expect("GET_IDLE after SET_IDLE 0", [0], get(device, GET_IDLE))
reports(device, endpoint, 0.3)
expect("reports of a keyboard at rest, idle 0", [], reports(device, endpoint, 1.5))
out(device, SET_IDLE, 50 << 8)
expect("GET_IDLE after 200 ms", [50], get(device, GET_IDLE))
count = len(reports(device, endpoint, 4))
if not 15 <= count <= 22:
    sys.exit(f"FAILED: idle rate 200 ms: expected about 20 reports in 4 s, found {count}")
out(device, SET_IDLE, 0)
reports(device, endpoint, 0.3)

expect("the protocol to begin with", [1], get(device, GET_PROTOCOL))
out(device, SET_PROTOCOL, 0)
expect("GET_PROTOCOL after SET_PROTOCOL boot", [0], get(device, GET_PROTOCOL))
reports(device, endpoint, 0.3)
found = key(device, endpoint, "keys=shift+a")
expect("boot reports of shift+a", bytes.fromhex("0200040000000000"), next((r for r in found if r[2:3] == b"\x04"), None))
expect("the last boot report", bytes(8), found[-1] if found else None)
for letter in "abcdefg":
    found = key(device, endpoint, f"keys={letter}", "action=press")
expect("roll-over of the seventh key", bytes.fromhex("0000010101010101"), found[-1] if found else None)
for letter in "abcdefg":
    key(device, endpoint, f"keys={letter}", "action=release")
out(device, SET_PROTOCOL, 1)
reports(device, endpoint, 0.3)
found = key(device, endpoint, "keys=z")
if not found or len(found[0]) == 8:
    sys.exit(f"FAILED: report protocol again: expected longer reports than boot ones, found {found}")
