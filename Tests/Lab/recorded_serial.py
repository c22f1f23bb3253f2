"""Says to a serial terminal what a recorded host said, and compares what comes back to the recorded answers.

    recorded_serial.py FILE VENDOR:PRODUCT TERMINAL OUT IN [SKIP]

OUT and IN are the endpoints in the capture; SKIP is how many bytes of each answer are the adapter's own, such as the
two of an FTDI chip. Prints how many bytes went each way; exit status 1 when other ones came, or fewer, or more.
"""

import os
import select
import sys
import termios
import time
import tty

import recorded

LIMIT = 60


def main():
    path, identity, terminal = sys.argv[1:4]
    out, into = int(sys.argv[4], 0), int(sys.argv[5], 0)
    skip = int(sys.argv[6]) if len(sys.argv) > 6 else 0
    transfers = [transfer for transfer in recorded.of_device(path, identity) if transfer.kind == recorded.BULK]
    answers = sorted((t for t in transfers if t.endpoint == into and t.answer), key=lambda t: t.completed)
    wanted = b"".join(transfer.answer[skip:] for transfer in answers)
    said = [transfer.sent for transfer in transfers if transfer.endpoint == out and transfer.sent]
    if not said or not wanted:
        sys.exit(f"{path} has no dialog of {identity} on {out:#x} and {into:#x}")

    descriptor = os.open(terminal, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    tty.setraw(descriptor)
    found = b""

    def receive(seconds, count):
        data, end = b"", time.monotonic() + seconds
        while len(data) < count and select.select([descriptor], [], [], max(0, end - time.monotonic()))[0]:
            data += os.read(descriptor, 4096)
        return data

    for data in said:
        os.write(descriptor, data)
        # One transfer for each, as recorded.
        termios.tcdrain(descriptor)
        found += receive(0.05, 1 << 20)
    found += receive(LIMIT, len(wanted) - len(found))
    # And nothing more.
    found += receive(1, 1 << 20)
    if found != wanted:
        sys.exit(f"the terminal answered {found!r}, and the recording has {wanted!r}")
    print(f"{sum(map(len, said))} bytes said, {len(found)} bytes heard, as recorded")


main()
