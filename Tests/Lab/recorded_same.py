"""Whether two captures have the same traffic of one device, as Wireshark's reader sees them (recorded.py).

    recorded_same.py FILE OTHER VENDOR:PRODUCT

OTHER may have less: data that were cut, and requests from before the device had its address. On each endpoint but 0
the transfers must be the same, one by one, with their data, lengths and statuses; what OTHER has on endpoint 0 must be
in FILE, in that order. Left out is what a host took back. Prints how much was the same; exit status 1 otherwise.
"""

import sys

import recorded


def by_endpoint(transfers):
    found = {}
    for transfer in transfers:
        if not transfer.was_cancelled and transfer.submitted:
            found.setdefault(transfer.endpoint if transfer.kind != recorded.CONTROL else 0, []).append(transfer)
    return found


def status(transfer):
    """EREMOTEIO is the host's own: of a short answer to a driver that wants none."""
    return 0 if transfer.status == -121 else transfer.status


def is_same(left, right):
    return (
        (left.setup, status(left), left.kind) == (right.setup, status(right), right.kind)
        and left.moved == right.moved
        and left.sent.startswith(right.sent)
        and left.answer.startswith(right.answer)
    )


def words(transfer):
    return (
        f"packets {transfer.submitted} and {transfer.completed}: {transfer.wanted} bytes asked for, {transfer.moved} "
        f"moved, status {transfer.status}; {transfer.sent[:32].hex()} {transfer.answer[:32].hex()}"
    )


def main():
    left, right = (by_endpoint(recorded.of_device(path, sys.argv[3])) for path in sys.argv[1:3])
    if set(left) != set(right):
        sys.exit(f"endpoints {sorted(map(hex, left))} and {sorted(map(hex, right))}")
    total = 0
    for endpoint in sorted(right):
        mine, theirs = left[endpoint], right[endpoint]
        if endpoint == 0:
            rest = iter(mine)
            for transfer in theirs:
                if not any(is_same(other, transfer) for other in rest):
                    lacking = f"{transfer.setup.hex()}, packet {transfer.submitted} of {sys.argv[2]}"
                    sys.exit(f"{sys.argv[1]} lacks {lacking}")
        else:
            if len(mine) != len(theirs):
                sys.exit(f"endpoint {endpoint:#x}: {len(mine)} and {len(theirs)} transfers")
            for one, other in zip(mine, theirs):
                if not is_same(one, other):
                    sys.exit(f"endpoint {endpoint:#x} differs:\n  {words(one)}\n  {words(other)}")
        total += len(theirs)
    print(f"{total} transfers")


main()
