"""What an evdev recording says of keys, one NAME:VALUE a line; or, with --led NODE NAME VALUE, sets an LED."""

import re
import struct
import sys

EVENT = struct.Struct("llHHi")
EV_KEY, EV_LED = 1, 17
LEDS = {"numlock": 0, "capslock": 1, "scrolllock": 2}
HEADER = "/usr/include/linux/input-event-codes.h"


def names():
    found = {}
    with open(HEADER, encoding="ascii") as header:
        for line in header:
            match = re.match(r"#define\s+((?:KEY|BTN)_\w+)\s+(0x[0-9a-f]+|\d+)\b", line)
            if match:
                found.setdefault(int(match.group(2), 0), match.group(1))
    return found


def main():
    if sys.argv[1] == "--led":
        with open(sys.argv[2], "wb", buffering=0) as node:
            node.write(EVENT.pack(0, 0, EV_LED, LEDS[sys.argv[3]], int(sys.argv[4])) + EVENT.pack(0, 0, 0, 0, 0))
        return
    with open(sys.argv[1], "rb") as recording:
        data = recording.read()
    if len(data) % EVENT.size:
        sys.exit(f"{len(data)} bytes are no whole events of {EVENT.size}")
    known = names()
    for _, _, kind, code, value in EVENT.iter_unpack(data):
        if kind == EV_KEY:
            print(f"{known.get(code, code)}:{value}")


main()
