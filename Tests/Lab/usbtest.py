#!/usr/bin/env python3
"""Runs the cases of the kernel's usbtest driver against one attached device: what tools/usb/testusb.c does, and more.

usbtest.py DEVICE [--pattern zeros|mod63] [--cases 0,1,2] [--limit SECONDS] [--out FILE --columns TEXT]

DEVICE is the device's folder in sysfs. One line a case: its number, the result, the seconds that it took, its
parameters. The results:

  ok           the driver found nothing wrong
  lost packets the driver found nothing wrong because isochronous packets may fail, but some did
  kernel bug   the kernel's log has an oops or a warning
  unsupported  the device lacks what the case needs: EOPNOTSUPP, or no such alternate setting
  EPIPE ...    the error that the driver returned
  timeout      the case did not end within the limit; what follows is "not run", because the driver has the device

The exit status is 0 when every case was run, whatever its result, and 1 when one was not.
"""

import argparse
import ctypes
import errno
import fcntl
import os
import select
import signal
import struct
import sys
import time

MODULE = "/sys/module/usbtest/parameters"
DRIVER = "/sys/bus/usb/drivers/usbtest"
PATTERNS = ("zeros", "mod63")


class Parameters(ctypes.Structure):
    """struct usbtest_param_32 of drivers/usb/misc/usbtest.c: the same in 32 and 64 bits, and taken in both."""

    _fields_ = [(name, ctypes.c_uint32) for name in ("case", "iterations", "length", "vary", "sglen")] + [
        ("seconds", ctypes.c_int32),
        ("microseconds", ctypes.c_int32),
    ]


class InterfaceRequest(ctypes.Structure):
    """struct usbdevfs_ioctl of <linux/usbdevice_fs.h>."""

    _fields_ = [("interface", ctypes.c_int), ("code", ctypes.c_int), ("data", ctypes.c_void_p)]


def read_write_request(number, layout):
    """_IOWR('U', number, layout) of <asm-generic/ioctl.h>."""
    return 3 << 30 | ctypes.sizeof(layout) << 16 | ord("U") << 8 | number


USBDEVFS_IOCTL = read_write_request(18, InterfaceRequest)
USBTEST_REQUEST = read_write_request(100, Parameters)

# Which alternate setting of the device has what a case needs; the others need only bulk, or control.
ISOCHRONOUS = (15, 16, 22, 23)
INTERRUPT = (25, 26)
# Those in which the bytes matter. The driver sends zeros in the others whatever the pattern, or looks at none.
DATA = (1, 2, 3, 4, 5, 6, 7, 8, 13, 17, 18, 19, 20, 24, 25, 26, 29)
# What the driver logs where isochronous packets failed; up to a tenth of them is no error to it.
LOST_PACKETS = "during the test,"
COMPLAINTS = ("BUG:", "Oops", "WARNING: CPU", "general protection")


def alternate(case):
    return 1 if case in ISOCHRONOUS else 2 if case in INTERRUPT else 0


def parameters(case, packets):
    """Iterations, length, vary and sglen of a case, for endpoints with those packet sizes.

    Reads are whole packets: a source fills each packet, whatever is asked. Writes are also of odd lengths, but not in a
    scatter list, in which a host may demand that every part is. Control writes stay within the 4096 bytes that the
    kernel's gadget takes.
    """
    bulk, iso, interrupt = packets["Bulk"], packets["Isoc"], packets["Interrupt"]
    return {
        0: (1, 0, 0, 0),
        1: (100, 8 * bulk, 0, 0),
        2: (100, 8 * bulk, 0, 0),
        3: (100, 4096, 421, 0),
        4: (100, 8 * bulk, bulk, 0),
        5: (20, 2 * bulk, 0, 32),
        6: (20, 2 * bulk, 0, 32),
        7: (20, 4 * bulk, bulk, 32),
        8: (20, 4 * bulk, bulk, 32),
        9: (20, 0, 0, 0),
        10: (20, 0, 0, 32),
        11: (250, 4 * bulk, 0, 0),
        12: (250, 4 * bulk, 0, 0),
        13: (10, 0, 0, 0),
        14: (60, 4093, 331, 0),
        15: (20, 7 * iso + 421, 0, 8),
        16: (20, 8 * iso, 0, 8),
        17: (50, 4 * bulk + 3, 0, 0),
        18: (50, 4 * bulk, 0, 0),
        19: (50, 4 * bulk + 3, 0, 0),
        20: (50, 4 * bulk, 0, 0),
        21: (60, 4093, 331, 0),
        22: (20, 7 * iso + 421, 0, 8),
        23: (20, 8 * iso, 0, 8),
        24: (150, bulk, 0, 16),
        25: (100, 2 * interrupt, 0, 0),
        26: (100, 2 * interrupt, 0, 0),
        27: (20, 16 * bulk, 0, 32),
        28: (20, 16 * bulk, 0, 32),
        29: (50, 0, 0, 0),
    }[case]


CASES = range(30)


def text(*path):
    with open(os.path.join(*path), encoding="ascii") as file:
        return file.read().strip()


def put(value, *path):
    """Writes to a file of sysfs; one write(2), whose error is the kernel's answer."""
    file = os.open(os.path.join(*path), os.O_WRONLY)
    try:
        os.write(file, value.encode("ascii"))
    finally:
        os.close(file)


class Device:
    """The attached device, whose interface 0 is the driver's."""

    def __init__(self, folder):
        self.folder = folder
        name = os.path.basename(os.path.realpath(folder))
        self.interface = f"{name}:{text(folder, 'bConfigurationValue')}.0"
        self.node = f"/dev/bus/usb/{int(text(folder, 'busnum')):03}/{int(text(folder, 'devnum')):03}"
        self.bound = None

    def bind(self, setting):
        """Gives the interface to the driver with that alternate setting, which the driver reads only then."""
        if self.bound == setting:
            return
        self.bound = None
        if os.path.exists(os.path.join(DRIVER, self.interface)):
            put(self.interface, DRIVER, "unbind")
        put(str(setting), MODULE, "alt")
        put(self.interface, DRIVER, "bind")
        self.bound = setting

    def packets(self):
        """The packet size by transfer type, for the alternate setting that is set; 0 where there is no endpoint."""
        sizes = {"Bulk": 0, "Isoc": 0, "Interrupt": 0}
        folder = os.path.join(self.folder, self.interface)
        for entry in sorted(os.listdir(folder)):
            if entry.startswith("ep_"):
                # Bits 12:11 are the additional transactions of high speed.
                sizes[text(folder, entry, "type")] = int(text(folder, entry, "wMaxPacketSize"), 16) & 0x7FF
        return sizes

    def run(self, case, values, limit):
        """The result of one case and the seconds that it took; whether the device is free for another one.

        In a child: an ioctl that waits for a URB in the kernel cannot be interrupted, and must not hold up the rest.
        """
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            status = 70
            try:
                # Whoever reads this program's output must not wait for a child that never ends.
                null = os.open(os.devnull, os.O_RDWR)
                for descriptor in (0, 1, 2):
                    os.dup2(null, descriptor)
                os.close(reader)
                os.write(writer, struct.pack("<i", self.request(case, values)))
                status = 0
            finally:
                os._exit(status)
        os.close(writer)
        started = time.monotonic()
        try:
            answered = bool(select.select([reader], [], [], limit)[0])
            answer = os.read(reader, 4) if answered else b""
        finally:
            os.close(reader)
        seconds = time.monotonic() - started
        if not answered:
            os.kill(child, signal.SIGKILL)
            return "timeout", seconds, False
        os.waitpid(child, 0)
        if len(answer) != 4:
            return "no answer", seconds, False
        (error,) = struct.unpack("<i", answer)
        if error == 0:
            return "ok", seconds, True
        if error == errno.EOPNOTSUPP:
            return "unsupported", seconds, True
        # Cases 11 and 12 subtract 1000 or 2000 from the status of a URB.
        return errno.errorcode.get(error, f"error {error}"), seconds, os.path.exists(self.folder)

    def request(self, case, values):
        """The ioctl: 0, or the error number."""
        data = Parameters(case, *values, 0, 0)
        request = InterfaceRequest(0, ctypes.c_int32(USBTEST_REQUEST).value, ctypes.addressof(data))
        try:
            node = os.open(self.node, os.O_RDWR)
            fcntl.ioctl(node, USBDEVFS_IOCTL, request)
        except OSError as error:
            return error.errno or errno.EIO
        return 0


class KernelLog:
    """What the kernel has said since the last look."""

    def __init__(self):
        self.file = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
        os.lseek(self.file, 0, os.SEEK_END)

    def lines(self):
        lines = []
        while True:
            try:
                record = os.read(self.file, 8192)
            except BlockingIOError:
                return lines
            except BrokenPipeError:
                continue  # Records were overwritten before they were read; the next read goes on behind them.
            lines.append(record.decode("utf-8", "replace").partition(";")[2].partition("\n")[0])


def main():
    parser = argparse.ArgumentParser(description="Runs the cases of the kernel's usbtest driver.")
    parser.add_argument("device", help="the device's folder in sysfs")
    parser.add_argument("--pattern", choices=PATTERNS, default="zeros", help="what the device sends and expects")
    parser.add_argument("--cases", help="numbers with commas between them (default: all that apply to the pattern)")
    parser.add_argument("--limit", type=float, default=30, help="seconds that a case may take")
    parser.add_argument("--out", help="file to which the results are added, with tabs between the columns")
    parser.add_argument("--columns", default="", help="what comes before each line there, with spaces between")
    arguments = parser.parse_args()
    cases = [int(case) for case in arguments.cases.split(",")] if arguments.cases else list(CASES)
    unknown = [case for case in cases if case not in CASES]
    if unknown:
        parser.error(f"there is no case {unknown[0]}")
    if arguments.pattern != "zeros":
        cases = [case for case in cases if case in DATA]
    # Stable: within an alternate setting the cases keep their order.
    cases.sort(key=alternate)

    device = Device(arguments.device)
    put(str(PATTERNS.index(arguments.pattern)), MODULE, "pattern")
    log = KernelLog()
    free = True
    for case in cases:
        values, result, seconds = (0, 0, 0, 0), "not run", 0.0
        if free:
            try:
                device.bind(alternate(case))
                values = parameters(case, device.packets())
                result, seconds, free = device.run(case, values, arguments.limit)
            except OSError as error:
                # The driver refuses an alternate setting that the device does not have.
                refused = error.errno in (errno.ENODEV, errno.EINVAL) and os.path.exists(device.folder)
                result = "unsupported" if refused else errno.errorcode.get(error.errno, "error")
                free = refused
        said = log.lines()
        settings = "{} times, length {}, vary {}, sglen {}".format(*values)
        if result == "ok" and any(LOST_PACKETS in line for line in said):
            result = "lost packets"
        if any(complaint in line for complaint in COMPLAINTS for line in said):
            result = "kernel bug"
        print(f"  case {case:2}: {result:11} {seconds:6.2f} s  ({settings})", flush=True)
        if result not in ("ok", "unsupported", "not run"):
            for line in said[-8:]:
                print(f"    kernel: {line}", flush=True)
        if arguments.out:
            columns = arguments.columns.split() + [arguments.pattern, case, result, f"{seconds:.2f}", *values]
            with open(arguments.out, "a", encoding="ascii") as file:
                print(*columns, sep="\t", file=file)
    return 0 if free else 1


if __name__ == "__main__":
    sys.exit(main())
