"""What evdev should show of a capture: the reports in it, decoded here, in the words of evdev_events.py.

    recorded_keys.py keyboard|mouse|tablet FILE VENDOR:PRODUCT [ENDPOINT [SKIP]]

The reports come from Wireshark's reader (recorded.py), and what they mean from the HID specification: of a keyboard
the boot report (HID 1.11, B.1) with the kernel's key numbers, of a mouse buttons and relative movement, of a tablet as
QEMU makes them buttons and a place. A line for each report that changes anything; the first SKIP reports are left out.
"""

import struct
import sys

import recorded

# The kernel's key for each usage of the keyboard page, from 0x04 on: HID Usage Tables §10,
# <linux/input-event-codes.h>.
KEYS = [
    30, 48, 46, 32, 18, 33, 34, 35, 23, 36, 37, 38, 50, 49, 24, 25, 16, 19, 31, 20, 22, 47, 17, 45, 21, 44,
    2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 28, 1, 14, 15, 57, 12, 13, 26, 27, 43, 43, 39, 40, 41, 51, 52, 53, 58,
    59, 60, 61, 62, 63, 64, 65, 66, 67, 68, 87, 88, 99, 70, 119, 110, 102, 104, 111, 107, 109, 106, 105, 108, 103,
    69, 98, 55, 74, 78, 96, 79, 80, 81, 75, 76, 77, 71, 72, 73, 82, 83, 86, 127,
]
MODIFIERS = [29, 42, 56, 125, 97, 54, 100, 126]
BUTTONS = ["BTN_LEFT", "BTN_RIGHT", "BTN_MIDDLE", "BTN_SIDE", "BTN_EXTRA"]


def key(code, value):
    return f"KEY_{code:#x}={value}"


def keyboard(before, report):
    """Modifiers first, then the keys of the array, as the fields stand in the report."""
    frame = []
    for bit, code in enumerate(MODIFIERS):
        if (before[0] ^ report[0]) >> bit & 1:
            frame.append(key(code, report[0] >> bit & 1))
    old, new = before[2:8], report[2:8]
    # Phantom state: too many keys are down to say which.
    if 1 in new:
        return frame, False
    for left, right in zip(old, new):
        if 4 <= left < 4 + len(KEYS) and left not in new:
            frame.append(key(KEYS[left - 4], 0))
        if 4 <= right < 4 + len(KEYS) and right not in old:
            frame.append(key(KEYS[right - 4], 1))
    return frame, True


def buttons(before, report):
    return [
        f"{name}={report[0] >> bit & 1}"
        for bit, name in enumerate(BUTTONS)
        if (before[0] ^ report[0]) >> bit & 1
    ]


def wheel(count):
    return [f"REL_WHEEL={count}", f"REL_WHEEL_HI_RES={count * 120}"] if count else []


def mouse(before, report):
    # From -127 on, as the boot descriptor says (HID 1.11, E.10); the kernel takes what is less for that.
    x, y, turn = (max(value, -127) for value in struct.unpack_from("<3b", report, 1))
    frame = buttons(before, report)
    frame += [f"{name}={value}" for name, value in (("REL_X", x), ("REL_Y", y)) if value]
    return frame + wheel(turn), True


def tablet(before, report):
    frame = buttons(before, report)
    for name, place in (("ABS_X", 1), ("ABS_Y", 3)):
        old, new = (struct.unpack_from("<H", data, place)[0] for data in (before, report))
        if old != new:
            frame.append(f"{name}={new}")
    return frame + wheel(struct.unpack_from("<b", report, 5)[0]), True


def main():
    kind, path, identity = sys.argv[1:4]
    endpoint = int(sys.argv[4], 0) if len(sys.argv) > 4 else 0x81
    decode = {"keyboard": keyboard, "mouse": mouse, "tablet": tablet}[kind]
    reports = [
        transfer.answer
        for transfer in sorted(recorded.of_device(path, identity), key=lambda transfer: transfer.completed)
        if transfer.kind == recorded.INTERRUPT and transfer.endpoint == endpoint and transfer.answer
    ]
    if not reports:
        sys.exit(f"{path} has no reports of {identity} from endpoint {endpoint:#x}")
    before = bytes(8)
    for report in reports[int(sys.argv[5]) if len(sys.argv) > 5 else 0 :]:
        frame, counts = decode(before, report.ljust(8, b"\0"))
        if frame:
            print(" ".join(frame))
        if counts:
            before = report.ljust(8, b"\0")


main()
