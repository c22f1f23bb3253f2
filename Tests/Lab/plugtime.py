"""Measures how long a disk takes from being plugged in until it can be used: ours, and a gadget of the kernel's.

Usage: plugtime.py ROUNDS GADGET -- COMMAND [ARG]...

GADGET is a folder of configfs, to be bound to dummy_udc.0; COMMAND plugs in our disk, and says "plugged in". One of
each comes first and is not counted; then they take turns, so that both meet the same machine. Both disks have 64 MiB. A
disk can be used when it has its node, and a size.

Prints the medians in milliseconds, in one line: from the write that binds the gadget to its disk; from the opening of
the file that takes our device to its disk; from the start of COMMAND to its disk; from that start to "plugged in".
The rounds go to stderr.
"""

import ctypes
import os
import re
import select
import signal
import statistics
import struct
import subprocess
import sys
import time

UDC = "dummy_udc.0"
ATTACH = "/sys/devices/platform/vhci_hcd.0/attach"
TIMEOUT = 60
SECTORS = (64 << 20) // 512
DISK = re.compile("sd[a-z]+")
IN_MODIFY, IN_OPEN, IN_CREATE = 0x02, 0x20, 0x100


class Watch:
    """What happens to files: inotify tells of nodes that the kernel makes and of writes to sysfs, without being asked.

    Who looked again and again would take the time of an emulated machine from those it measures.
    """

    def __init__(self):
        libc = ctypes.CDLL(None, use_errno=True)
        self.descriptor = libc.inotify_init1(os.O_NONBLOCK)
        for path, mask in (("/dev", IN_CREATE), (ATTACH, IN_MODIFY | IN_OPEN)):
            if self.descriptor < 0 or libc.inotify_add_watch(self.descriptor, path.encode(), mask) < 0:
                raise OSError(ctypes.get_errno(), "cannot watch " + path)
        self.before = disks()
        # When our device's file was last opened before it was written to; when a disk could be used.
        self.opened = self.written = self.there = None

    def wait(self, *others):
        """Waits for something to happen, and returns which of the other descriptors can be read."""
        readable, _, _ = select.select([self.descriptor, *others], [], [], TIMEOUT)
        if not readable:
            sys.exit(f"nothing happened for {TIMEOUT} s")
        now = time.monotonic()
        events = os.read(self.descriptor, 65536) if self.descriptor in readable else b""
        while events:
            _, mask, _, length = struct.unpack_from("iIII", events)
            name = events[16 : 16 + length].rstrip(b"\0").decode()
            events = events[16 + length :]
            if mask & IN_CREATE and self.there is None and DISK.fullmatch(name) and name not in self.before:
                # The kernel knows the size by then, and shows it a moment later.
                while sectors(name) != SECTORS:
                    if time.monotonic() - now > TIMEOUT:
                        sys.exit(f"{name} has no size, or another")
                    time.sleep(0.0005)
                self.there = time.monotonic()
            elif mask & IN_OPEN and self.written is None:
                self.opened = now
            elif mask & IN_MODIFY and self.written is None:
                self.written = now
        return readable

    def close(self):
        os.close(self.descriptor)


def disks():
    return {name for name in os.listdir("/sys/block") if name.startswith("sd")}


def sectors(disk):
    try:
        with open(f"/sys/block/{disk}/size") as file:
            return int(file.read())
    except OSError:
        return 0


def wait(what, condition):
    end = time.monotonic() + TIMEOUT
    while not condition():
        if time.monotonic() > end:
            sys.exit(f"{what} did not happen within {TIMEOUT} s")
        time.sleep(0.05)


def settle():
    # The one before may still be going, and a hub that has just lost its device is awake.
    time.sleep(1)


def bind(gadget, name):
    with open(gadget + "/UDC", "w") as file:
        file.write(name + "\n")


def theirs(gadget):
    settle()
    watch = Watch()
    started = time.monotonic()
    bind(gadget, UDC)
    while watch.there is None:
        watch.wait()
    # Until it has been searched for partitions.
    settle()
    bind(gadget, "")
    wait("the gadget's disk going", lambda: disks() == watch.before)
    watch.close()
    return (watch.there - started) * 1000


def ours(command):
    settle()
    watch = Watch()
    started = time.monotonic()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    output, told = b"", None
    while watch.there is None or told is None:
        if process.stdout not in watch.wait(process.stdout):
            continue
        text = os.read(process.stdout.fileno(), 65536)
        output += text
        if not text:
            sys.exit(f"the command ended without having plugged in a disk: {output}")
        if told is None and b"plugged in" in output:
            told = time.monotonic()
    settle()
    process.send_signal(signal.SIGINT)
    if process.wait(timeout=TIMEOUT) != 0:
        sys.exit("the command failed after SIGINT")
    wait("our disk going", lambda: disks() == watch.before)
    watch.close()
    if watch.written is None or not started < watch.opened < watch.there:
        sys.exit("nothing was seen of " + ATTACH)
    return [(watch.there - watch.opened) * 1000, (watch.there - started) * 1000, (told - started) * 1000]


def main():
    rounds, gadget, command = int(sys.argv[1]), sys.argv[2], sys.argv[4:]
    found = []
    for number in range(rounds + 1):
        row = [theirs(gadget)] + ours(command)
        name = f"round {number}" if number else "not counted"
        print(f"  {name}: " + " ".join(f"{value:.0f}" for value in row), file=sys.stderr)
        if number:
            found.append(row)
    print(" ".join(f"{statistics.median(column):.0f}" for column in zip(*found)))


main()
