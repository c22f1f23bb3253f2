"""The transfers of a capture, as Wireshark's dissectors see them: a reader that shares nothing with ours.

Everything comes from tshark: of each packet the fields of its USB header by name. Only its bytes are taken out of the
file here. Used by the other recorded_*.py.

    recorded.py --prepare FOLDER FILE...    asks tshark now, for those who name the folder in GHOSTPLUG_WIRESHARK
"""

import gzip
import hashlib
import os
import struct
import subprocess
import sys
import tempfile

CONTROL, ISOCHRONOUS, INTERRUPT, BULK = 2, 0, 1, 3

FIELDS = [
    "frame.number", "usb.urb_id", "usb.urb_type", "usb.irp_id", "usb.irp_info.direction", "usb.transfer_type",
    "usb.endpoint_address", "usb.bus_id", "usb.device_address", "usb.urb_status", "usb.urb_len", "usb.data_len",
    "usb.usbd_status", "usb.control_stage", "usb.iso.numdesc", "frame.time_epoch",
]


class Transfer:
    """One transfer: when it was asked for and when it ended, by packet numbers from 1 on; 0 for what is not there."""

    def __init__(self):
        self.kind = self.endpoint = 0
        self.device = None
        self.submitted = self.completed = 0
        self.setup = b""
        # Of the host; of the device.
        self.sent = self.answer = b""
        self.wanted = 0
        # How much was moved, of which the capture may have a part only.
        self.moved = None
        # Linux's number: 0, or negative; None when the capture does not have the end.
        self.status = None
        # Of an isochronous transfer, the pieces.
        self.pieces = []

    @property
    def is_in(self):
        return bool(self.endpoint & 0x80)

    @property
    def was_cancelled(self):
        return self.status in (None, -2, -104, -108)


def run(arguments):
    result = subprocess.run(arguments, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if result.returncode != 0:
        sys.exit(f"{' '.join(arguments)}: {result.stderr.decode(errors='replace')}")
    return result.stdout.decode()


def frames(path):
    """The bytes of each packet of a pcap or pcapng file, as captured."""
    with open(path, "rb") as file:
        data = file.read()
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    if data[:4] != b"\x0a\x0d\x0d\x0a":
        order = "<" if data[:1] in b"\xd4\x4d" else ">"
        place = 24
        while place + 16 <= len(data):
            count = struct.unpack_from(order + "I", data, place + 8)[0]
            yield data[place + 16 : place + 16 + count]
            place += 16 + count
        return
    order, place = "<", 0
    while place + 12 <= len(data):
        kind = struct.unpack_from(order + "I", data, place)[0]
        if kind == 0x0A0D0D0A:
            order = "<" if data[place + 8 : place + 12] == b"\x4d\x3c\x2b\x1a" else ">"
        length = struct.unpack_from(order + "I", data, place + 4)[0]
        if kind == 6:
            count = struct.unpack_from(order + "I", data, place + 20)[0]
            yield data[place + 28 : place + 28 + count]
        place += max(length, 12)


def ask(path, *arguments):
    """What tshark says of a file. Kept, since it takes long to start in an emulated machine.

    GHOSTPLUG_WIRESHARK may name a folder with what it has said before the boot.
    """
    with open(path, "rb") as file:
        name = hashlib.sha256(file.read() + repr(arguments).encode()).hexdigest()[:32]
    own = f"{os.environ.get('LAB_SCRATCH') or tempfile.gettempdir()}/wireshark-{os.getuid()}"
    for folder in (os.environ.get("GHOSTPLUG_WIRESHARK"), own):
        if folder and os.path.exists(f"{folder}/{name}"):
            with open(f"{folder}/{name}", encoding="utf-8") as file:
                return file.read()
    text = run(["tshark", "-n", "-r", path, *arguments])
    keep(os.environ.get("GHOSTPLUG_WIRESHARK") if sys.argv[1:2] == ["--prepare"] else own, name, text)
    return text


def keep(folder, name, text):
    os.makedirs(folder, mode=0o755, exist_ok=True)
    with open(f"{folder}/{name}.{os.getpid()}", "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(f"{folder}/{name}.{os.getpid()}", f"{folder}/{name}")


def table(path):
    """The fields of each packet, a line each."""
    return ask(path, "-T", "fields", "-E", "occurrence=f", *(option for field in FIELDS for option in ("-e", field)))


def packets(path):
    """Each packet's fields, as text, and its bytes."""
    rows = [dict(zip(FIELDS, line.split("\t"))) for line in table(path).splitlines()]
    data = list(frames(path))
    if len(data) != len(rows):
        sys.exit(f"{path}: {len(rows)} packets in Wireshark, and {len(data)} in the file")
    return list(zip(rows, data))


def number(text, default=0):
    return int(text, 0) if text else default


def payload(row, frame):
    """What the packet's record calls its data: the last bytes of it."""
    count = number(row["usb.data_len"])
    return frame[len(frame) - count :] if count else b""


def from_usbmon(found, row, frame, waiting):
    key = (row["usb.urb_id"], row["usb.endpoint_address"])
    packet = int(row["frame.number"])
    data = payload(row, frame)
    kind = number(row["usb.transfer_type"])
    pieces = []
    if kind == ISOCHRONOUS:
        # Descriptors of 16 bytes stand before the data, in the order of the capturing machine.
        count = struct.unpack_from("<I", frame, 60)[0]
        for place in range(count):
            status, offset, length = struct.unpack_from("<iII", frame, 64 + 16 * place)
            pieces.append((status, offset, length))
        # Some versions count the descriptors as data.
        data = frame[64 + 16 * count :]
    if row["usb.urb_type"].strip("'") == "S":
        transfer = Transfer()
        transfer.kind = kind
        transfer.endpoint = number(row["usb.endpoint_address"])
        transfer.device = (number(row["usb.bus_id"]), number(row["usb.device_address"]))
        transfer.submitted = packet
        transfer.wanted = number(row["usb.urb_len"])
        transfer.pieces = pieces
        if kind == CONTROL:
            transfer.setup = frame[40:48]
            transfer.endpoint = transfer.endpoint & 0x7F | transfer.setup[0] & 0x80
        if not transfer.is_in:
            transfer.sent = data
        waiting[key] = transfer
        found.append(transfer)
    else:
        transfer = waiting.pop(key, None)
        if transfer is None:
            # Asked for before the recording began.
            transfer = Transfer()
            transfer.kind = kind
            transfer.endpoint = number(row["usb.endpoint_address"])
            transfer.device = (number(row["usb.bus_id"]), number(row["usb.device_address"]))
            found.append(transfer)
        transfer.completed = packet
        transfer.status = number(row["usb.urb_status"])
        transfer.moved = number(row["usb.urb_len"])
        if pieces:
            transfer.pieces = pieces
        if transfer.is_in:
            transfer.answer = data


def from_usbpcap(found, row, frame, waiting):
    packet = int(row["frame.number"])
    data = payload(row, frame)
    kind = number(row["usb.transfer_type"], -1)
    key = (row["usb.irp_id"], row["usb.endpoint_address"] if kind != CONTROL else "")
    if kind not in (CONTROL, ISOCHRONOUS, INTERRUPT, BULK):
        return
    if number(row["usb.irp_info.direction"]) == 0:
        transfer = waiting.get(key)
        if transfer and kind == CONTROL:
            # A data stage of its own.
            transfer.sent += data
            return
        transfer = Transfer()
        transfer.kind = kind
        transfer.endpoint = number(row["usb.endpoint_address"])
        transfer.device = (number(row["usb.bus_id"]), number(row["usb.device_address"]))
        transfer.submitted = packet
        if kind == CONTROL:
            transfer.setup, data = data[:8], data[8:]
            transfer.endpoint = transfer.setup[0] & 0x80 if transfer.setup else 0
        if not transfer.is_in:
            transfer.sent = data
        waiting[key] = transfer
        found.append(transfer)
    else:
        transfer = waiting.get(key)
        if transfer is None:
            # What was asked for is often left out when a capture is filtered for data.
            transfer = waiting[key] = Transfer()
            transfer.kind = kind
            transfer.endpoint = number(row["usb.endpoint_address"])
            transfer.device = (number(row["usb.bus_id"]), number(row["usb.device_address"]))
            found.append(transfer)
        if transfer.kind != CONTROL or number(row["usb.control_stage"], 3) >= 2:
            del waiting[key]
        transfer.completed = packet
        transfer.status = -32 if number(row["usb.usbd_status"]) else 0
        if transfer.is_in:
            transfer.answer += data


def transfers(path, device=None):
    """All transfers in the order in which they were asked for; of one device, (bus, address), if one is given."""
    found, waiting = [], {}
    for row, frame in packets(path):
        if row["usb.urb_id"]:
            from_usbmon(found, row, frame, waiting)
        elif row["usb.irp_id"]:
            from_usbpcap(found, row, frame, waiting)
    return [transfer for transfer in found if device is None or transfer.device == device]


def usbip(path, identity):
    """The transfers of a device that was imported in a capture of TCP, without packet numbers; "-" is one whose import
    is not in the capture.

    Wireshark puts the segments together, and what they say is read here: its own dissector of USB/IP loses its place
    at what Linux sends for transfers that are not isochronous.
    """
    found = []
    streams = set(ask(path, "-Y", "tcp.port == 3240", "-T", "fields", "-e", "tcp.stream").split())
    for stream in sorted(streams, key=int):
        sides = [bytearray(), bytearray()]
        for line in ask(path, "-q", "-z", f"follow,tcp,raw,{stream}").splitlines():
            text = line.strip()
            if text and all(letter in "0123456789abcdef" for letter in text):
                sides[line.startswith("\t")] += bytes.fromhex(text)
        found += usbip_stream(bytes(sides[0]), bytes(sides[1]), identity)
    if not found and identity:
        sys.exit(f"{path} has no transfers of {identity}")
    return found


def usbip_stream(client, server, identity):
    if identity == "-":
        if client[:2] != b"\0\0":
            return []
        place, begin = 0, 0
    else:
        # OP_REQ_IMPORT, and a good OP_REP_IMPORT with the device's record.
        if client[:4] != b"\x01\x11\x80\x03" or server[:8] != b"\x01\x11\x00\x03\0\0\0\0":
            return []
        if "%04x:%04x" % struct.unpack_from(">HH", server, 8 + 300) != identity:
            return []
        place, begin = 40, 320
    found, by_number = [], {}
    while place + 48 <= len(client):
        command, sequence, _, direction, endpoint = struct.unpack_from(">5I", client, place)
        _, length, _, count = struct.unpack_from(">IiiI", client, place + 20)
        setup = client[place + 40 : place + 48]
        place += 48
        if command != 1:
            continue
        transfer = Transfer()
        transfer.kind = CONTROL if endpoint == 0 else BULK
        transfer.endpoint = endpoint | direction << 7
        transfer.wanted = length
        if endpoint == 0:
            transfer.setup = setup
        if not direction:
            transfer.sent = client[place : place + length]
            place += length
        if count != 0xFFFFFFFF:
            place += 16 * count
        by_number[sequence] = transfer
        found.append(transfer)
    place = begin
    while place + 48 <= len(server):
        command, sequence = struct.unpack_from(">2I", server, place)
        status, length, _, count = struct.unpack_from(">iiiI", server, place + 20)
        place += 48
        if command != 3 or sequence not in by_number:
            continue
        transfer = by_number[sequence]
        transfer.status = status
        if transfer.is_in:
            transfer.answer = server[place : place + length]
            place += length
        if count != 0xFFFFFFFF:
            place += 16 * count
    return found


def identities(found):
    """The vendor and product of each device that its device descriptor was asked for, as in lsusb."""
    devices = {}
    for transfer in found:
        if transfer.setup[:4] == b"\x80\x06\x00\x01" and len(transfer.answer) >= 18:
            devices[transfer.device] = "%04x:%04x" % struct.unpack_from("<HH", transfer.answer, 8)
    return devices


def of_device(path, identity):
    """The transfers of the device that has these ids, at the address where most of them are: it begins at 0."""
    found = transfers(path)
    if not found:
        return usbip(path, identity)
    places = [place for place, known in identities(found).items() if known == identity]
    if not places:
        sys.exit(f"{path} has no device {identity}: {identities(found)}")
    sizes = {place: sum(transfer.device == place for transfer in found) for place in places}
    return [transfer for transfer in found if transfer.device == max(sizes, key=sizes.get)]


def prepare(folder, paths):
    os.environ["GHOSTPLUG_WIRESHARK"] = folder
    for path in paths:
        if not transfers(path):
            usbip(path, "")


if __name__ == "__main__":
    if len(sys.argv) < 4 or sys.argv[1] != "--prepare":
        sys.exit(__doc__)
    prepare(sys.argv[2], sys.argv[3:])
