"""The isochronous data of a capture, put together here from what Wireshark's reader sees (recorded.py).

    recorded_sound.py FILE VENDOR:PRODUCT ENDPOINT OUTPUT          writes them, packet by packet
    recorded_sound.py --within FOUND FILE VENDOR:PRODUCT ENDPOINT  whether the bytes of FOUND are there, in order

A stream has no second try: what was found may begin later, and have gaps of silence. With --within: how much of it is
there; exit status 1 when something in it is not from the recording, or out of order, or hardly anything is.
"""

import sys

import recorded

# Frames that are compared at once; one may be in the recording by chance.
STEP = 16


def stream(path, identity, endpoint):
    data = b""
    transfers = [
        transfer
        for transfer in recorded.of_device(path, identity)
        if transfer.kind == recorded.ISOCHRONOUS and transfer.endpoint == endpoint and not transfer.was_cancelled
    ]
    for transfer in sorted(transfers, key=lambda t: t.completed if t.is_in else t.submitted):
        content = transfer.answer if transfer.is_in else transfer.sent
        for _, offset, length in transfer.pieces:
            data += content[offset : offset + length]
    if not data:
        sys.exit(f"{path} has no isochronous data of {identity} on {endpoint:#x}")
    return data


def main():
    if sys.argv[1] != "--within":
        path, identity, endpoint, target = sys.argv[1:5]
        with open(target, "wb") as file:
            file.write(stream(path, identity, int(endpoint, 0)))
        return
    target, path, identity, endpoint = sys.argv[2:6]
    all_of_it = stream(path, identity, int(endpoint, 0))
    with open(target, "rb") as file:
        found = file.read()
    place, known, unknown = 0, 0, 0
    for start in range(0, len(found), STEP):
        part = found[start : start + STEP]
        if not any(part):
            continue
        at = all_of_it.find(part, place)
        if at < 0:
            unknown += len(part)
        else:
            known += len(part)
            place = at + len(part)
    if unknown:
        sys.exit(f"{unknown} of {len(found)} bytes are not in the recording, or out of its order")
    if known * 4 < min(len(found), len(all_of_it)):
        sys.exit(f"only {known} of {len(found)} bytes are of the recording, which has {len(all_of_it)}")
    print(f"{known} of {len(found)} bytes are of the recording, in order")


main()
