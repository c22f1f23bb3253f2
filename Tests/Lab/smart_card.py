"""A smart card for QEMU's ccid-card-passthru, which talks to it over a port as libcacard's vscclient does.

    smart_card.py PORT

It has an ATR of its own, and answers GET DATA (ISO 7816-4 §11.4.3) with as many bytes as are asked for, counting from
the tag on; anything else with 6D00. Runs until it is ended.
"""

import os
import select
import struct
import sys
import time

INIT, ERROR, READER_ADD, READER_REMOVE, ATR, REMOVE, COMMAND = 1, 2, 3, 4, 5, 6, 7
# T=0, 9600 baud, five historical bytes (ISO 7816-3 §8.2).
OWN_ATR = b"\x3b\x65\x00\x00GHOST"


def answer(command):
    if len(command) >= 5 and command[1] == 0xCA:
        return bytes((command[2] + command[3] + n) & 0xFF for n in range(command[4] or 256)) + b"\x90\x00"
    return b"\x6d\x00"


def main():
    port = os.open(sys.argv[1], os.O_RDWR | os.O_NONBLOCK)

    def send(kind, data):
        message = struct.pack(">III", kind, 0, len(data)) + data
        while message:
            select.select([], [port], [])
            message = message[os.write(port, message) :]

    # What was said to a card before.
    while select.select([port], [], [], 0.2)[0] and os.read(port, 65536):
        pass
    send(ATR, OWN_ATR)
    received = b""
    while True:
        select.select([port], [], [])
        data = os.read(port, 65536)
        if not data:
            time.sleep(0.05)
        received += data
        while len(received) >= 12:
            kind, _, length = struct.unpack_from(">III", received)
            if len(received) < 12 + length:
                break
            if kind == COMMAND:
                send(COMMAND, answer(received[12 : 12 + length]))
            received = received[12 + length :]


main()
