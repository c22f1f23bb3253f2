# Real devices that are pulled out, clients that vanish, servers that are ended or killed, in the middle of transfers;
# and what may not be taken.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=Tests/Lab/hardware.sh
source "$(dirname "${BASH_SOURCE[0]}")/hardware.sh"
# shellcheck source=Tests/Lab/drive.sh
source "$(dirname "${BASH_SOURCE[0]}")/drive.sh"

# reading DISK: reads without end in the background; reader_ended: whether that is over, and how.
reading() {
    rm -f "$WORK/reader"
    (
        status=0
        while dd if="$1" of=/dev/null bs=64k iflag=direct status=none 2>"$WORK/reader.err"; do :; done
        echo failed >"$WORK/reader"
    ) &
    reader=$!
    # Until transfers are on their way.
    sleep 1
}
reader_ended() { [ -s "$WORK/reader" ]; }
# ends WHAT: the reader must meet an error soon, and not hang.
ends() {
    wait_for 60 "an error for who reads, after $1" reader_ended
    wait "$reader" || true
}

# checked DISK: one MiB, which the test has written.
checked() {
    expect "what is on $1" "$content" "$(dd if="$1" bs=1M count=1 skip=64 iflag=direct status=none | sha256sum)"
}

# throttle BYTES: how many the fast disk may read in a second; 0 for as many as it can.
throttle() {
    qmp block_set_io_throttle 'id=/machine/peripheral/fast-disk/fast-disk.0/legacy[0]' "bps:=$1" bps_rd:=0 bps_wr:=0 \
        iops:=0 iops_rd:=0 iops_wr:=0 >/dev/null || fail 'QEMU does not slow the disk down'
}

offered() { usbip list -r 127.0.0.1 2>/dev/null | grep -q "^ *$1:"; }
is_without_drivers() { [ "$(drivers_of "$(folder_of "$1")" | tr ' ' '\n' | grep -c =none)" -gt 0 ]; }

hardware_up
for kind in fast-disk disk keyboard; do put_in "$kind"; done
for kind in fast-disk disk keyboard; do wait_until_in "$kind"; done
bytes "$WORK/payload" $((1 << 20))
content=$(sha256sum <"$WORK/payload")
for kind in fast-disk disk; do
    disk=$(disk_of "$(folder_of "$kind")")
    dd if="$WORK/payload" of="$disk" bs=1M seek=64 oflag=direct status=none
done

# --- what may not be taken
disk=$(disk_of "$(folder_of disk)")
mkfs.ext4 -q -F -E nodiscard "$disk" 16384
mount "$disk" "$WORK/mnt"
refused() {
    local status=0
    "$@" >"$WORK/out" 2>"$WORK/err" || status=$?
    [ "$status" -ne 0 ] || fail "'$*' is not refused"
}
refused timeout 60 "$GHOSTPLUG" serve "real:$(busid_of disk)" --control none
grep -q 'mounted' "$WORK/err" || fail "no word of the mounted disk: $(cat "$WORK/err")"
refused timeout 60 setpriv --reuid=65534 --regid=65534 --clear-groups \
    "$GHOSTPLUG" serve "real:$(busid_of keyboard)" --control none
grep -q 'SUBSYSTEM=="usb", ATTR{idVendor}=="0627", ATTR{idProduct}=="0001"' "$WORK/err" ||
    fail "no udev rule for nobody: $(cat "$WORK/err")"
# What the rule would do, and no more, is enough.
node=$(printf '/dev/bus/usb/%03d/%03d' "$bay" "$(cat "$(folder_of keyboard)/devnum")")
chgrp 65534 "$node"
chmod 660 "$node"
setpriv --reuid=65534 --regid=65534 --clear-groups "$GHOSTPLUG" serve "real:$(busid_of keyboard)" --control none \
    >"$WORK/serve.out" 2>>"$WORK/serve.log" &
server=$!
wait_for 60 'the server of nobody' grep -q '^attach with' "$WORK/serve.out"
exported=(keyboard)
keys=$(our_attach keyboard)
drive_keyboard "$keys" >/dev/null
our_release keyboard
note 'without root: with the rights that the rule in the message gives'
refused timeout 60 "$GHOSTPLUG" serve "real:$bay-12" --control none
grep -q "$bay-12" "$WORK/err" || fail "no word of the device that is not there: $(cat "$WORK/err")"
note "refused: $(head -n 1 "$WORK/err")"
note 'refused: a mounted disk, a device that nobody may open, and one that is not there'
umount "$WORK/mnt"

our_export fast-disk disk keyboard
# Mounted after it was offered, it is refused when a client comes.
mount "$disk" "$WORK/mnt"
refused usbip attach -r 127.0.0.1 -b "$(our_busid disk)"
touch "$WORK/mnt/still-writable" || fail 'the mounted disk has been disturbed'
grep -q 'mounted' "$WORK/serve.log" || fail "the log has no word of the mounted disk: $(cat "$WORK/serve.log")"
umount "$WORK/mnt"
expect 'drivers of the disk that was refused' "$(wanted_drivers disk)" "$(drivers_of "$(folder_of disk)")"

# --- two at once
first=$(our_attach fast-disk)
second=$(our_attach disk)
keys=$(our_attach keyboard)
reading "$(disk_of "$first")"
checked "$(disk_of "$second")"
drive_keyboard "$keys" >/dev/null
reader_ended && fail 'a disk fails beside another one'
note 'two disks and a keyboard at once'
detach_device "$second"
detach_device "$keys"

# --- attached fifty times, while others fail
(
    trap - EXIT
    for _ in $(seq 50); do
        keys=$(our_attach keyboard)
        detach_device "$keys"
        wait_for 60 'the keyboard back at its driver' is_driven keyboard
    done
    drive_keyboard "$(folder_of keyboard)" >/dev/null
    echo fifty >"$WORK/fifty"
) >"$WORK/fifty.out" 2>&1 &
fifty=$!

# --- pulled out
busid=$(our_busid fast-disk)
qmp unplug fast-disk
started=$(date +%s%3N)
is_unplugged() { [ -z "$(port_of "$first")" ]; }
wait_for 10 'the unplugging at the client' is_unplugged
note "pulled out: the client's port is free after $(($(date +%s%3N) - started)) ms"
# Its driver may have asked the device something at that moment, and waits for the answer for 5 s.
wait_for 60 'the end of the device' is_gone "$first"
wait_for 60 'the end of the hardware' is_gone "$(folder_of fast-disk)"
ends 'the device was pulled out'
refused usbip attach -r 127.0.0.1 -b "$busid"
plug_in fast-disk
wait_for 30 "the device under $busid again" offered "$busid"
first=$(our_attach fast-disk)
checked "$(disk_of "$first")"
note 'plugged in again, it is there under the same bus id'

# --- the client goes, in the middle
reading "$(disk_of "$first")"
detach_device "$first"
ends 'usbip detach'
wait_for 60 'the driver after usbip detach' is_driven fast-disk
checked "$(disk_of "$(folder_of fast-disk)")"
first=$(our_attach fast-disk)
reading "$(disk_of "$first")"
# The log says which connection is this device's.
peer=$(sed -n "s/.*attached \[busid=$busid peer=127.0.0.1:\([0-9]*\)\].*/\1/p" "$WORK/serve.log" | tail -n 1)
[ -n "$(ss -HtnK "sport = :$peer")" ] || fail "there is no connection from port $peer to cut"
ends 'the connection was cut'
wait_for 60 'the end of the device' is_gone "$first"
wait_for 60 'the driver after the connection was cut' is_driven fast-disk
checked "$(disk_of "$(folder_of fast-disk)")"
note 'clients that vanish: by usbip detach, by a connection that is cut'

# --- a device that hangs: nobody else does. QEMU stands still itself where a disk's read is given up, until it is done:
# so this one takes seconds, not for ever.
first=$(our_attach fast-disk)
disk=$(disk_of "$first")
second=$(our_attach disk)
second_disk=$(disk_of "$second")
throttle 12000
(dd if="$disk" of=/dev/null bs=64k count=3 skip=64 iflag=direct status=none 2>/dev/null || true) &
hanging=$!
sleep 0.5
checked "$second_disk"
kill -0 "$hanging" 2>/dev/null || fail 'the disk does not hang, so this shows nothing'
detach_device "$first"
throttle 0
wait "$hanging" || true
checked "$second_disk"
detach_device "$second"
wait_for 60 'the driver of the disk that hung' is_driven fast-disk
checked "$(disk_of "$(folder_of fast-disk)")"
note 'a disk that hangs: others go on, and it can be detached'

wait "$fifty" || fail "attaching again and again: $(cat "$WORK/fifty.out")"
[ -s "$WORK/fifty" ] || fail "attaching again and again: $(cat "$WORK/fifty.out")"
note 'attached fifty times'

# --- the server is ended, in the middle
first=$(our_attach fast-disk)
reading "$(disk_of "$first")"
our_release fast-disk disk keyboard
ends SIGTERM
checked "$(disk_of "$(folder_of fast-disk)")"
note 'SIGTERM: the drivers are back'

# --- the server is killed, in the middle
our_export fast-disk keyboard
first=$(our_attach fast-disk)
our_attach keyboard >/dev/null
reading "$(disk_of "$first")"
kill -KILL "$server"
wait "$server" 2>/dev/null || true
server=''
ends 'kill -9'
wait_for 60 'the end of the device' is_gone "$first"
for kind in fast-disk keyboard; do
    path=$(busid_of "$kind")
    grep -q -- "ghostplug devices --give-back $path\b" "$WORK/serve.log" ||
        fail "the log does not say how to give $path back: $(cat "$WORK/serve.log")"
    is_without_drivers "$kind" || note "the kernel has given $kind back by itself"
    "$GHOSTPLUG" devices --give-back "$path" >"$WORK/out" 2>&1 || fail "giving $path back: $(cat "$WORK/out")"
    wait_for 60 "the driver of $kind after --give-back" is_driven "$kind"
done
checked "$(disk_of "$(folder_of fast-disk)")"
note "kill -9: $(head -n 1 "$WORK/out")"
pull_out fast-disk disk keyboard
