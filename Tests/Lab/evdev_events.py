"""What an input device says while a command runs: evdev events by name, a line for each frame.

    evdev_events.py [--ignore NAME,...] [--quiet SECONDS] DEVICE -- COMMAND [ARG]...
    evdev_events.py --describe DEVICE

DEVICE is the sysfs folder of a USB device or of one of its interfaces; the event nodes below it are read together. The
command's exit status is passed on; its stdout goes to stderr, so that stdout has the events alone. They are read until
the command has ended and nothing has come for a while. With --describe: what the device says it can do.

Repeats of a held key are left out: the kernel makes them by its own clock, and on a slow machine a key is held for long.
"""

import argparse
import fcntl
import os
import select
import struct
import subprocess
import sys
import time

EVENT = struct.Struct("@llHHi")
REPEAT = (1, 2)
TYPES = {0: "SYN", 1: "KEY", 2: "REL", 3: "ABS", 4: "MSC", 17: "LED", 20: "REP", 21: "FF"}
PROPERTIES = {0: "POINTER", 1: "DIRECT", 2: "BUTTONPAD", 3: "SEMI_MT", 4: "TOPBUTTONPAD", 5: "POINTING_STICK"}
# Names of <linux/input-event-codes.h>, as far as the devices tested have them.
CODES = {
    0: {0: "SYN_REPORT", 2: "SYN_MT_REPORT", 3: "SYN_DROPPED"},
    1: {
        **{0x100 + n: f"BTN_{n}" for n in range(10)},
        0x110: "BTN_LEFT", 0x111: "BTN_RIGHT", 0x112: "BTN_MIDDLE", 0x113: "BTN_SIDE", 0x114: "BTN_EXTRA",
        0x115: "BTN_FORWARD", 0x116: "BTN_BACK", 0x117: "BTN_TASK",
        0x130: "BTN_SOUTH", 0x131: "BTN_EAST", 0x132: "BTN_C", 0x133: "BTN_NORTH", 0x134: "BTN_WEST", 0x135: "BTN_Z",
        0x136: "BTN_TL", 0x137: "BTN_TR", 0x138: "BTN_TL2", 0x139: "BTN_TR2", 0x13A: "BTN_SELECT",
        0x13B: "BTN_START", 0x13C: "BTN_MODE", 0x13D: "BTN_THUMBL", 0x13E: "BTN_THUMBR", 0x13F: "BTN_0x13f",
        0x14A: "BTN_TOUCH", 0xA7: "KEY_RECORD",
    },
    2: {
        0: "REL_X", 1: "REL_Y", 6: "REL_HWHEEL", 8: "REL_WHEEL", 11: "REL_WHEEL_HI_RES", 12: "REL_HWHEEL_HI_RES",
    },
    3: {
        0: "ABS_X", 1: "ABS_Y", 2: "ABS_Z", 3: "ABS_RX", 4: "ABS_RY", 5: "ABS_RZ", 9: "ABS_GAS", 10: "ABS_BRAKE",
        16: "ABS_HAT0X", 17: "ABS_HAT0Y", 24: "ABS_PRESSURE", 40: "ABS_MISC", 47: "ABS_MT_SLOT", 48: "ABS_MT_TOUCH_MAJOR",
        49: "ABS_MT_TOUCH_MINOR", 52: "ABS_MT_ORIENTATION", 53: "ABS_MT_POSITION_X", 54: "ABS_MT_POSITION_Y",
        55: "ABS_MT_TOOL_TYPE", 57: "ABS_MT_TRACKING_ID", 58: "ABS_MT_PRESSURE",
    },
    4: {4: "MSC_SCAN", 5: "MSC_TIMESTAMP"},
}


def name(kind, code):
    return CODES.get(kind, {}).get(code) or f"{TYPES.get(kind, kind)}_{code:#x}"


def nodes(device):
    """The event nodes below a sysfs folder, in order of their numbers."""
    found = set()
    for folder, folders, _ in os.walk(device):
        for entry in list(folders):
            if os.path.islink(os.path.join(folder, entry)):
                folders.remove(entry)
            elif entry.startswith("event") and entry[5:].isdigit() and os.path.basename(folder).startswith("input"):
                found.add(int(entry[5:]))
    if not found:
        sys.exit(f"{device} has no event nodes")
    return [f"/dev/input/event{number}" for number in sorted(found)]


def read_request(number, size):
    """EVIOC... of <linux/input.h>: _IOC(_IOC_READ, 'E', number, size)."""
    return 2 << 30 | size << 16 | ord("E") << 8 | number


def bits(descriptor, number):
    data = fcntl.ioctl(descriptor, read_request(number, 96), bytes(96))
    return [n for n in range(len(data) * 8) if data[n // 8] >> n % 8 & 1]


def describe(path):
    """Each line one fact that a test can look for."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    raw = fcntl.ioctl(descriptor, read_request(0x06, 256), bytes(256))
    print("name", raw.split(b"\0")[0].decode())
    for number in bits(descriptor, 0x09):
        print("property", PROPERTIES.get(number, number))
    for kind in bits(descriptor, 0x20):
        if kind == 0:
            continue
        for code in bits(descriptor, 0x20 + kind):
            if kind != 3:
                print(name(kind, code))
                continue
            data = fcntl.ioctl(descriptor, read_request(0x40 + code, 24), bytes(24))
            _, least, most, _, _, resolution = struct.unpack("@6i", data)
            print(name(kind, code), least, most, resolution)
    os.close(descriptor)


def frames(data, frame, ignored):
    """Adds events to the frame begun; yields each frame that ends.

    A report of many changes can be several frames: the kernel has room for a few events in each.
    """
    for offset in range(0, len(data), EVENT.size):
        _, _, kind, code, value = EVENT.unpack_from(data, offset)
        if (kind, code) == (0, 0):
            if frame:
                yield " ".join(frame)
            frame.clear()
        elif (kind, value) != REPEAT and name(kind, code) not in ignored:
            frame.append(f"{name(kind, code)}={value}")


def record(paths, command, ignored, quiet):
    descriptors = [os.open(path, os.O_RDONLY | os.O_NONBLOCK) for path in paths]
    begun = {descriptor: [] for descriptor in descriptors}
    poll = select.poll()
    for descriptor in descriptors:
        poll.register(descriptor, select.POLLIN)
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sys.stderr)
    last = time.monotonic()
    while True:
        running = child.poll() is None
        if running:
            last = time.monotonic()
        elif time.monotonic() - last > quiet:
            break
        for descriptor, happened in poll.poll(50):
            if happened & (select.POLLERR | select.POLLHUP):
                sys.exit(f"the device went away while its events were read; the command: {command}")
            data = os.read(descriptor, EVENT.size * 256)
            for frame in frames(data, begun[descriptor], ignored):
                last = time.monotonic()
                print(frame, flush=True)
    for frame in begun.values():
        if frame:
            print("unfinished", " ".join(frame))
    return child.returncode


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ignore", default="MSC_SCAN,MSC_TIMESTAMP", help="events to leave out")
    parser.add_argument("--quiet", type=float, default=0.7, help="seconds without an event that end the recording")
    parser.add_argument("--describe", action="store_true", help="say what the device can do")
    parser.add_argument("device")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    arguments = parser.parse_args()
    paths = nodes(arguments.device)
    if arguments.describe:
        for path in paths:
            describe(path)
        return
    command = arguments.command[1:] if arguments.command[:1] == ["--"] else arguments.command
    if not command:
        parser.error("a command is needed")
    sys.exit(record(paths, command, set(arguments.ignore.split(",")), arguments.quiet))


if __name__ == "__main__":
    main()
