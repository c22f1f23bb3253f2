"""A dialog over a serial line: the terminal asks, the other end answers, in turns.

    serial_dialog.py TERMINAL PORT

Prints each line as it came, with who has sent it: "out" from the terminal, "in" to it.
"""

import os
import select
import sys
import termios
import time
import tty

LIMIT = 60
LINES = [("AT", "OK"), ("AT+GMM", "Ghostplug lab modem"), ("ATD 112233", "CONNECT 115200"), ("hello", "HELLO, TOO")]


def receive(descriptor, count):
    data, end = b"", time.monotonic() + LIMIT
    while len(data) < count:
        if not select.select([descriptor], [], [], max(0, end - time.monotonic()))[0]:
            sys.exit(f"{len(data)} of {count} bytes came in {LIMIT} s")
        part = os.read(descriptor, count - len(data))
        if not part:
            # The other end of a port is not open yet.
            time.sleep(0.05)
        data += part
    return data


def main():
    terminal = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY)
    port = os.open(sys.argv[2], os.O_RDWR)
    tty.setraw(terminal)
    settings = termios.tcgetattr(terminal)
    settings[4] = settings[5] = termios.B115200
    termios.tcsetattr(terminal, termios.TCSANOW, settings)
    while select.select([port], [], [], 0.3)[0] and os.read(port, 65536):
        pass
    for question, answer in LINES:
        for name, source, target, text in (("out", terminal, port, question), ("in", port, terminal, answer)):
            data = text.encode() + b"\r\n"
            os.write(source, data)
            if receive(target, len(data)) != data:
                sys.exit(f"'{text}' came differently")
            print(f"{name}\t{text}")
            time.sleep(0.05)


main()
