"""Talks to the monitor of the QEMU that this machine runs in, through a virtio port (boot the lab with --usb).

    qmp.py COMMAND [NAME=TEXT | NAME:=JSON]...      one command; prints what it returns, as JSON
    qmp.py unplug ID...                             device_del, and waits until the device is gone; one after the other
    qmp.py key KEY[+KEY]...  [KEY...]               presses and releases, one after the other; QEMU's names, such as a
    qmp.py hold KEY... | release KEY...             presses, or releases, all of them
    qmp.py move DX DY | place X Y                   a relative movement; a place, 0 to 32767
    qmp.py button down|up NAME                      left, right, middle, wheel-up, ...

The words for keys and pointers can be repeated, with a comma between them: move 5 -3 , button down left
Exit status 1 with QEMU's message when it refuses.
"""

import fcntl
import glob
import json
import os
import select
import sys
import time

LIMIT = 60


class Monitor:
    """One at a time has the port; the session on it outlives those who use it."""

    def __init__(self):
        self.descriptor = self.open_port()
        self.received = b""
        self.count = 0
        # Only the first who opens the port finds the greeting there, and has to answer it.
        self.call("qmp_capabilities", {}, again=True)

    @staticmethod
    def open_port():
        for path in glob.glob("/sys/class/virtio-ports/*/name"):
            with open(path, encoding="ascii") as file:
                if file.read().strip() == "ghostplug.monitor":
                    node = "/dev/" + path.split("/")[-2]
                    break
        else:
            sys.exit("this machine has no monitor: boot the lab with --usb")
        with open("/run/lab/monitor.lock", "w", encoding="ascii") as lock:
            # Held until this process ends.
            fcntl.flock(os.dup(lock.fileno()), fcntl.LOCK_EX)
        return os.open(node, os.O_RDWR | os.O_NONBLOCK)

    def messages(self, deadline):
        while (left := deadline - time.monotonic()) > 0:
            readable, _, _ = select.select([self.descriptor], [], [], left)
            if not readable:
                continue
            data = os.read(self.descriptor, 65536)
            if not data:
                # The other end is not open yet.
                time.sleep(0.05)
                continue
            self.received += data
            *lines, self.received = self.received.split(b"\n")
            for line in lines:
                try:
                    yield json.loads(line)
                except ValueError:
                    # The rest of an answer that somebody before did not wait for.
                    continue

    def call(self, command, arguments, event=None, again=False):
        """What the command returns; with `event`, after an event for which that is true, too."""
        self.count += 1
        identity = f"{os.getpid()}-{self.count}"
        line = json.dumps({"execute": command, "arguments": arguments, "id": identity}) + "\n"
        written = 0
        while written < len(line):
            select.select([], [self.descriptor], [], LIMIT)
            written += os.write(self.descriptor, line.encode()[written:])
        result, happened = None, event is None
        for message in self.messages(time.monotonic() + LIMIT):
            if message.get("id") == identity:
                error = message.get("error")
                if error and not (again and error["class"] == "CommandNotFound"):
                    sys.exit(f"{command}: {error['desc']}")
                result = message
            elif event and event(message):
                happened = True
            if result and happened:
                return result.get("return")
        sys.exit(f"{command}: no answer, or not the event waited for, within {LIMIT} s")


def parse(words):
    arguments = {}
    for word in words:
        name, separator, value = word.partition("=")
        if not separator:
            sys.exit(f"'{word}' is neither NAME=TEXT nor NAME:=JSON")
        if name.endswith(":"):
            arguments[name[:-1]] = json.loads(value)
        else:
            arguments[name] = value
    return arguments


def keys(down, names):
    return [{"type": "key", "data": {"down": down, "key": {"type": "qcode", "data": name}}} for name in names]


def axes(kind, x, y):
    return [{"type": kind, "data": {"axis": axis, "value": int(value)}} for axis, value in (("x", x), ("y", y))]


def actions(words):
    """Splits at the words that are commas."""
    part = []
    for word in [*words, ","]:
        if word != ",":
            part.append(word)
        elif part:
            yield part
            part = []


def inputs(command, *words):
    """The lists of events, each of them at one moment; none when the command is another one."""
    if command == "key":
        for word in words:
            chord = word.split("+")
            yield keys(True, chord)
            yield keys(False, chord[::-1])
    elif command in ("hold", "release"):
        yield keys(command == "hold", words)
    elif command in ("move", "place"):
        yield axes("rel" if command == "move" else "abs", *words)
    elif command == "button":
        yield [{"type": "btn", "data": {"down": words[0] == "down", "button": words[1]}}]


def main():
    if len(sys.argv) < 2 or sys.argv[1] in ("-h", "--help"):
        sys.exit(__doc__)
    command, words = sys.argv[1], sys.argv[2:]
    monitor = Monitor()
    if command == "unplug":
        for word in words:

            def is_gone(message, device=word):
                return message.get("event") == "DEVICE_DELETED" and message["data"].get("device") == device

            monitor.call("device_del", {"id": word}, event=is_gone)
        return
    sent = False
    for action in actions([command, *words]):
        for events in inputs(*action):
            # QEMU's queue of a device is short, and a device is asked every few milliseconds.
            if sent:
                time.sleep(0.05)
            monitor.call("input-send-event", {"events": events})
            sent = True
    if not sent:
        print(json.dumps(monitor.call(command, parse(words))))


if __name__ == "__main__":
    main()
