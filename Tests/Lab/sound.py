"""A sound of which each packet says where it is from; and how much of it there is in a recording.

    sound.py make FILE.wav TAG     1 s, 48 kHz, 16 bits, stereo; another one for each tag, 0 to 31
    sound.py find RECORDING TAG    prints what part of it is there; exit status 1 when it is not all in order

An isochronous stream has no second try: a packet that comes late is left out, and silence fills the gap. What counts is
that what is heard is bytes of the sound, in its order.
"""

import struct
import sys

# One packet of USB: 1 ms.
FRAMES = 48
PACKETS = 1000


def packet(tag, number):
    # Left: the packet's number. Right: the frame within it, never silence.
    return b"".join(struct.pack("<hh", tag * PACKETS + number + 1, 0x100 + frame) for frame in range(FRAMES))


def header(size):
    form = struct.pack("<HHIIHH", 1, 2, 48000, 192000, 4, 16)
    start = struct.pack("<4sI4s4sI", b"RIFF", size + 36, b"WAVE", b"fmt ", len(form))
    return start + form + struct.pack("<4sI", b"data", size)


def find(data, tag):
    """The numbers of the frames of the sound, in the order in which they are there."""
    numbers = []
    # Its header says 0 while QEMU has it open: the samples begin behind it all the same.
    for left, right in struct.iter_unpack("<hh", data[44 : 44 + (len(data) - 44) // 4 * 4]):
        if (left, right) == (0, 0):
            continue
        if left < 1 or not 0x100 <= right < 0x100 + FRAMES:
            sys.exit(f"the recording has a frame that is of no sound: {left}, {right}")
        if (left - 1) // PACKETS == tag:
            numbers.append((left - 1) % PACKETS * FRAMES + right - 0x100)
    return numbers


def main():
    tag = int(sys.argv[3])
    if sys.argv[1] == "make":
        data = b"".join(packet(tag, number) for number in range(PACKETS))
        with open(sys.argv[2], "wb") as file:
            file.write(header(len(data)) + data)
        return
    with open(sys.argv[2], "rb") as file:
        numbers = find(file.read(), tag)
    if not numbers:
        sys.exit("the recording has nothing of the sound")
    if any(later <= earlier for earlier, later in zip(numbers, numbers[1:])):
        sys.exit("the recording has the sound out of order")
    print(f"{100 * len(numbers) // (PACKETS * FRAMES)} % heard, in order")


main()
