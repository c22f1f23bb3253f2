"""Changes one byte of a pcapng file: the last one of a packet, or the one with a number.

    alter_capture.py FROM TO PACKET [OFFSET]

Packets are counted as Wireshark does, from 1 on; OFFSET counts in the packet's captured bytes. Nothing else changes.
"""

import struct
import sys


def main():
    source, target, wanted = sys.argv[1], sys.argv[2], int(sys.argv[3])
    with open(source, "rb") as file:
        data = bytearray(file.read())
    order, place, packet = "<", 0, 0
    while place + 12 <= len(data):
        kind = struct.unpack_from(order + "I", data, place)[0]
        if kind == 0x0A0D0D0A:
            order = "<" if data[place + 8 : place + 12] == b"\x4d\x3c\x2b\x1a" else ">"
        length = struct.unpack_from(order + "I", data, place + 4)[0]
        # Enhanced, simple, and the old kind of packet.
        if kind in (2, 3, 6):
            packet += 1
            if packet == wanted:
                begin = place + (12 if kind == 3 else 28)
                count = struct.unpack_from(order + "I", data, place + (8 if kind == 3 else 20))[0]
                offset = int(sys.argv[4]) if len(sys.argv) > 4 else count - 1
                if not 0 <= offset < count:
                    sys.exit(f"packet {wanted} has {count} bytes")
                data[begin + offset] ^= 0x5A
                with open(target, "wb") as file:
                    file.write(data)
                return
        place += length
    sys.exit(f"{source} has {packet} packets, so none with the number {wanted}")


main()
