"""The disk of a mass-storage capture, put together here from what Wireshark's reader sees (recorded.py).

    recorded_disk.py image FILE VENDOR:PRODUCT IMAGE      writes what the disk held at the end, as a sparse file
    recorded_disk.py compare FILE VENDOR:PRODUCT DEVICE   reads each block that was read before it was ever written

Commands are those of Bulk-Only Transport 1.0: a CBW, data, a CSW. Only READ(10) and WRITE(10) that passed count.
Prints how many blocks there are. Exit status 1 when a block differs.
"""

import hashlib
import mmap
import os
import struct
import sys

import recorded

SIZE = 512


class Command:
    def __init__(self, block):
        self.tag, self.expected = struct.unpack_from("<II", block, 4)
        self.is_in = bool(block[12] & 0x80)
        self.lun = block[13]
        self.descriptor = block[15:31]
        self.data = b""
        self.passed = False

    @property
    def first(self):
        return struct.unpack_from(">I", self.descriptor, 2)[0]


def commands(transfers):
    """The commands in their order; a transfer that failed moves nothing."""
    found, current = [], None
    # Of what the host sent the beginning counts, of an answer its end: that is the order on the bus.
    for transfer in transfers:
        if transfer.kind != recorded.BULK:
            continue
        if len(transfer.sent) == 31 and transfer.sent[:4] == b"USBC":
            current = Command(transfer.sent)
            found.append(current)
        elif current is None:
            continue
        elif len(transfer.answer) == 13 and transfer.answer[:4] == b"USBS":
            if struct.unpack_from("<I", transfer.answer, 4)[0] == current.tag:
                current.passed = transfer.answer[12] == 0
                current = None
        elif transfer.status in (0, None):
            current.data += transfer.answer if current.is_in else transfer.sent
    return found


def blocks(path, identity):
    """What each block held: at the end; and before it was written, where it was read by then."""
    last, before, written = {}, {}, set()
    for command in commands(recorded.of_device(path, identity)):
        code = command.descriptor[0]
        if code not in (0x28, 0x2A) or not command.passed:
            continue
        count = struct.unpack_from(">H", command.descriptor, 7)[0]
        # usbmon may have cut the data: whole blocks only.
        for index in range(min(count, len(command.data) // SIZE)):
            number = command.first + index
            data = command.data[index * SIZE : (index + 1) * SIZE]
            last[number] = data
            if code == 0x2A:
                written.add(number)
            elif number not in written:
                before.setdefault(number, data)
    if not last:
        sys.exit(f"{path} has no blocks")
    return last, before


def read(device, first, count):
    """Blocks from the device itself, not from what the kernel remembers of it."""
    descriptor = os.open(device, os.O_RDONLY | os.O_DIRECT)
    with mmap.mmap(-1, count * SIZE) as memory:
        got = os.preadv(descriptor, [memory], first * SIZE)
        os.close(descriptor)
        return memory[:got]


def runs(numbers, longest):
    """Ranges of consecutive numbers."""
    start = previous = None
    for number in sorted(numbers):
        if start is not None and number == previous + 1 and number - start < longest:
            previous = number
            continue
        if start is not None:
            yield start, previous + 1
        start = previous = number
    if start is not None:
        yield start, previous + 1


def main():
    action, path, identity, target = sys.argv[1:5]
    last, before = blocks(path, identity)
    if action == "image":
        with open(target, "wb") as file:
            for number, data in last.items():
                file.seek(number * SIZE)
                file.write(data)
        print(f"{len(last)} blocks")
        for start, end in runs(last, 1 << 40):
            print(start, end)
        return
    for start, end in runs(before, 16):
        wanted = b"".join(before[number] for number in range(start, end))
        found = read(target, start, end - start)
        if wanted != found:
            at = next((i for i, (a, b) in enumerate(zip(wanted, found)) if a != b), len(found))
            sys.exit(f"blocks {start} to {end - 1}: byte {at} differs, {len(found)} of {len(wanted)} bytes came")
    total = hashlib.sha256(b"".join(before[number] for number in sorted(before))).hexdigest()
    print(f"{len(before)} blocks {total[:16]}")


main()
