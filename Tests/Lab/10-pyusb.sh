# A libusb program, as its author would write it with pyusb, against the vendor echo and the numbered source.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# The kernel's own test driver, which another test may have loaded, would claim the source.
modprobe -r usbtest 2>/dev/null || true
for speed in full high super; do
    serve "zero:function=echo,speed=$speed,url=https://example.com/ghost,serial=ECHO" \
        "zero:pattern=counter,speed=$speed,pid=a4a9,serial=COUNTER"
    usb_attach 1-1
    # The usbip tool cannot attach while another device is being enumerated.
    wait_for 30 'the echo on the bus' lsusb -d 1209:7a65
    usb_attach 1-2
    wait_for 30 'the source on the bus' lsusb -d 0525:a4a9
    # The distribution's, which has the distribution's pyusb.
    /usr/bin/python3 pyusb_client.py "$speed" || fail "pyusb at $speed speed"
    detach_all
    stop_server
    note "$speed speed: bulk, interrupt, control, Microsoft OS 2.0, WebUSB, halt, timeout, loopback"
done
