"""Sends bytes both ways at once between a serial terminal and the other end of its line, and compares them.

    serial_bytes.py TERMINAL PORT COUNT

Prints the checksums of what arrived. Every byte value occurs, so that nothing on the way may take one for a command.
"""

import hashlib
import os
import select
import sys
import termios
import time
import tty

# The line is slow where both its ends are emulated.
LIMIT = 120


def pattern(seed, count):
    data = bytearray(range(256))
    block = hashlib.sha256(seed).digest()
    while len(data) < count:
        data += block
        block = hashlib.sha256(block).digest()
    return bytes(data[:count])


def drain(descriptor):
    """What somebody left there; a port without its other end is always readable, and at its end."""
    while select.select([descriptor], [], [], 0.3)[0] and os.read(descriptor, 65536):
        pass


def main():
    count = int(sys.argv[3])
    terminal = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    port = os.open(sys.argv[2], os.O_RDWR | os.O_NONBLOCK)
    tty.setraw(terminal)
    settings = termios.tcgetattr(terminal)
    settings[4] = settings[5] = termios.B115200
    termios.tcsetattr(terminal, termios.TCSANOW, settings)
    drain(port)
    drain(terminal)
    termios.tcflush(terminal, termios.TCIOFLUSH)

    names = {terminal: "towards the terminal", port: "from the terminal"}
    wanted = {terminal: pattern(b"in", count), port: pattern(b"out", count)}
    left = {terminal: wanted[port], port: wanted[terminal]}
    found = {terminal: b"", port: b""}
    end = time.monotonic() + LIMIT
    while any(len(found[d]) < count for d in found):
        if time.monotonic() > end:
            sys.exit("; ".join(f"{names[d]}: {len(found[d])} of {count} bytes in {LIMIT} s" for d in found))
        readable, writable, _ = select.select(list(found), [d for d in left if left[d]], [], 1)
        for descriptor in writable:
            try:
                left[descriptor] = left[descriptor][os.write(descriptor, left[descriptor][:1024]) :]
            except BlockingIOError:
                pass
        for descriptor in readable:
            found[descriptor] += os.read(descriptor, 65536)
    for descriptor in found:
        if found[descriptor] != wanted[descriptor]:
            at = next((i for i, (a, b) in enumerate(zip(found[descriptor], wanted[descriptor])) if a != b), count)
            sys.exit(f"{names[descriptor]}: {len(found[descriptor])} bytes, which differ from byte {at} on")
    sums = {descriptor: hashlib.sha256(data).hexdigest()[:16] for descriptor, data in found.items()}
    print("; ".join(f"{names[d]} {len(found[d])} bytes {sums[d]}" for d in found))


main()
