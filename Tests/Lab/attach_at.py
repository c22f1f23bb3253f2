"""Attaches a device at a controller of vhci_hcd's that is chosen: usbip and ghostplug take the first with a free port.

    attach_at.py PORT BUSID CONTROLLER    the server is on this machine

Prints the number of the port.
"""

import glob
import socket
import struct
import sys

FOLDER = "/sys/devices/platform/vhci_hcd.0"
SUPER = 5


def receive(connection, count):
    data = b""
    while len(data) < count:
        part = connection.recv(count - len(data))
        if not part:
            sys.exit(f"the server has closed the connection after {len(data)} of {count} bytes")
        data += part
    return data


def free_port(controller, half):
    name = f"{FOLDER}/status" + (f".{controller}" if controller else "")
    with open(name, encoding="ascii") as file:
        for line in file.read().splitlines()[1:]:
            fields = line.split()
            # 4: free.
            if fields[0] == half and int(fields[2]) == 4:
                return int(fields[1])
    sys.exit(f"controller {controller} has no free {half} port; there are {glob.glob(FOLDER + '/status*')}")


def main():
    server, busid, controller = int(sys.argv[1]), sys.argv[2].encode(), int(sys.argv[3])
    connection = socket.create_connection(("127.0.0.1", server))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.sendall(struct.pack(">HHI32s", 0x0111, 0x8003, 0, busid))
    _, _, status = struct.unpack(">HHI", receive(connection, 8))
    if status:
        sys.exit(f"the server refuses {sys.argv[2]} with status {status}")
    number, address, speed = struct.unpack_from(">III", receive(connection, 312), 288)
    port = free_port(controller, "ss" if speed >= SUPER else "hs")
    with open(f"{FOLDER}/attach", "w", encoding="ascii") as file:
        file.write(f"{port} {connection.fileno()} {number << 16 | address} {speed}")
    print(port)


main()
