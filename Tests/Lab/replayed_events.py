"""What evdev shows of a device that is going to be attached, from its first event on, in the words of evdev_events.py.

    replayed_events.py [--ignore NAME,...] COUNT

A replayed keyboard types from the moment that the kernel's console has opened it, which is before anybody hears of it.
So this is started first, and opens the device as soon as it is there. Ends once nothing has come for a while after
COUNT frames, or after a minute and a half without any.
"""

import argparse
import glob
import os
import select
import sys
import time

from evdev_events import EVENT, frames, nodes

# Seconds: for the device to come, between two events, and for what may still come after the last.
LIMIT, PATIENCE, QUIET = 180, 90, 3


def wait_for_device():
    end = time.monotonic() + LIMIT
    while time.monotonic() < end:
        for device in glob.glob("/sys/devices/platform/vhci_hcd.*/usb*/*-*"):
            if glob.glob(f"{device}/*/*/input/input*/event*"):
                # Its other interfaces follow.
                time.sleep(0.3)
                return device
        time.sleep(0.005)
    sys.exit(f"no input device was attached within {LIMIT} s")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ignore", default="MSC_SCAN,MSC_TIMESTAMP", help="events to leave out")
    parser.add_argument("count", type=int)
    arguments = parser.parse_args()
    print("ready", file=sys.stderr, flush=True)
    poll, begun, left = select.poll(), {}, arguments.count
    for path in nodes(wait_for_device()):
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        begun[descriptor] = []
        poll.register(descriptor, select.POLLIN)
    last = time.monotonic()
    while time.monotonic() - last < (PATIENCE if left > 0 else QUIET):
        for descriptor, happened in poll.poll(100):
            if happened & (select.POLLERR | select.POLLHUP):
                sys.exit("the device went away while its events were read")
            data = os.read(descriptor, EVENT.size * 256)
            for frame in frames(data, begun[descriptor], set(arguments.ignore.split(","))):
                last = time.monotonic()
                left -= 1
                print(frame, flush=True)


main()
