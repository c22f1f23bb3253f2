# Recording: what the server writes is what the kernel's own usbmon has seen at the other end, Wireshark reads it
# without a complaint, and a disk that is full stops the recording and nothing else. And the proxy, between the kernel's
# client and two servers.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=Tests/Lab/replay.sh
source "$(dirname "${BASH_SOURCE[0]}")/replay.sh"
# shellcheck source=Tests/Lab/hardware.sh
source "$(dirname "${BASH_SOURCE[0]}")/hardware.sh"
# shellcheck source=Tests/Lab/drive.sh
source "$(dirname "${BASH_SOURCE[0]}")/drive.sh"

modprobe -a usbmon sd_mod sg usb_storage evdev hid_generic usbhid
proxy=''
watcher=''

# readable FILE: whether Wireshark has nothing to say against it. A SCSI command that fails is no fault of the file.
readable() {
    local complaints
    tshark -n -r "$1" -T fields -e frame.number -Y '_ws.malformed || _ws.expert.severity >= 0x800000' \
        >"$WORK/complaints" 2>"$WORK/tshark.err" || fail "tshark cannot read $1: $(cat "$WORK/tshark.err")"
    ! grep -qiE 'damaged|cut short|malformed|corrupt' "$WORK/tshark.err" || fail "tshark: $(cat "$WORK/tshark.err")"
    complaints=$(paste -sd ' ' "$WORK/complaints")
    expect "packets of $1 that Wireshark complains of" '' "$complaints"
}

# shows FILE WORD...: whether show names them.
shows() {
    local word
    "$GHOSTPLUG" show "$1" >"$WORK/shown" 2>"$WORK/show.err" || fail "show $1: $(cat "$WORK/show.err")"
    for word in "${@:2}"; do grep -qF -- "$word" "$WORK/shown" || fail "show $1 does not name $word"; done
}

# devices_in FILE: the ids of its devices.
devices_in() {
    "$GHOSTPLUG" show "$1" --summary --json | jq -r '.devices[] | "\(.idVendor):\(.idProduct)"' | sort -u |
        paste -sd ' '
}

# watch BUS...: the kernel's own recording of these buses, in $WORK/usbmon.pcapng; watched: ends it.
watch() {
    local bus interfaces=()
    for bus in "$@"; do interfaces+=(-i "usbmon$bus"); done
    dumpcap -q "${interfaces[@]}" -w "$WORK/usbmon.pcapng" >"$WORK/dumpcap.log" 2>&1 &
    watcher=$!
    wait_for 60 'usbmon' grep -q 'Capturing on' "$WORK/dumpcap.log"
}
watched() {
    local size=-1
    until [ "$size" = "$(stat -c %s "$WORK/usbmon.pcapng")" ]; do
        size=$(stat -c %s "$WORK/usbmon.pcapng")
        sleep 1.5
    done
    kill -TERM "$watcher"
    wait "$watcher" || true
}

# vhci_buses: the first controller's two.
vhci_buses() { cat /sys/devices/platform/vhci_hcd.0/usb[0-9]*/busnum; }

# use DISK: writes and reads, in pieces that usbmon keeps whole.
use() {
    echo 64 >"/sys/block/${1#/dev/}/device/max_sectors"
    bytes "$WORK/payload" 400000
    dd if="$WORK/payload" of="$1" bs=400000 oflag=direct conv=notrunc,fsync status=none 2>/dev/null ||
        dd if="$WORK/payload" of="$1" bs=4k conv=notrunc,fsync status=none || fail "writing to $1"
    echo 3 >/proc/sys/vm/drop_caches
    head -c 400000 "$1" | cmp - "$WORK/payload" || fail "$1 reads differently"
}

# --- serve --capture
# shellcheck disable=SC2046  # One word for each.
watch $(vhci_buses)
serve drive:size=16M,format=none,serial=RECORDED0001 keyboard:nkro=no,media=no zero --capture "$WORK/served.pcapng"
places() { find /sys/devices/platform/vhci_hcd.*/usb*/*-*/ -maxdepth 1 -name idProduct -printf '%h\n' 2>/dev/null; }
# are_in COUNT: whether so many devices are attached and configured. usbip fails while one is on its way.
are_in() {
    local place count=0
    for place in $(places); do ! is_configured "$place" || count=$((count + 1)); done
    [ "$count" = "$1" ]
}
disk=$(attach 1-1)
for number in 2 3; do
    usb_attach "1-$number"
    wait_for 90 'its configuration' are_in "$number"
done
use "$disk"
has_keyboard() {
    for keyboard in $(places); do ! has_below "$keyboard" 'event[0-9]*' || return 0; done
    return 1
}
wait_for 60 'a keyboard' has_keyboard
found=$(python evdev_events --ignore MSC_SCAN,LED_0x0,LED_0x1 "$keyboard" -- "$GHOSTPLUG" ctl type 1-2 'Hello' \
    2>"$WORK/err" | paste -sd ';') || fail "keys: $(cat "$WORK/err")"
detach_all
stop_server
watched
readable "$WORK/served.pcapng"
ids=$(devices_in "$WORK/served.pcapng")
note "recorded: $(stat -c %s "$WORK/served.pcapng") bytes, devices $ids"
expect 'devices recorded' 3 "$(wc -w <<<"$ids")"
shows "$WORK/served.pcapng" READ WRITE INQUIRY SET_CONFIGURATION
for identity in $ids; do
    same=$(python recorded_same "$WORK/served.pcapng" "$WORK/usbmon.pcapng" "$identity") ||
        fail "$identity in the recording and in usbmon: $same"
    note "$identity: the same $same as usbmon has seen"
done
# Each submission has an end.
open=$(tshark -n -r "$WORK/served.pcapng" -T fields -e usb.urb_id -e usb.urb_type 2>/dev/null |
    awk '/S/ {open[$1]++} /C|E/ {open[$1]--} END {for (id in open) if (open[id] != 0) print id, open[id]}')
expect 'submissions without an end' '' "$open"
# What was typed is in it, and what evdev showed is that.
for identity in $ids; do
    if python recorded_keys keyboard "$WORK/served.pcapng" "$identity" >"$WORK/wanted" 2>/dev/null; then
        expect 'keys in the recording' "$found" "$(paste -sd ';' "$WORK/wanted")"
        keys=1
    fi
done
[ -n "${keys:-}" ] || fail 'the recording has no keys'
note 'the keys that evdev showed are in it'

# --- a disk that cannot follow
mkdir "$WORK/full"
mount -t tmpfs -o size=256k full "$WORK/full"
serve drive:size=16M,format=none --capture "$WORK/full/full.pcapng"
disk=$(attach 1-1)
use "$disk"
use "$disk"
detach_all
# The devices have gone on; that the file is not whole is what the status says.
kill -TERM "$server"
status=0
wait "$server" || status=$?
server=''
expect 'exit status of the server whose recording could not be written' 74 "$status"
loss=$(grep -iE 'no space|dropped|lost|not recorded' "$WORK/serve.log" | tail -n 1) ||
    fail "nothing is said of what was lost: $(cat "$WORK/serve.log")"
note "a full disk: $loss"
"$GHOSTPLUG" show "$WORK/full/full.pcapng" --summary >"$WORK/shown" 2>&1 || true
grep -qE '[0-9a-f]{4}:[0-9a-f]{4}' "$WORK/shown" || fail "the beginning is not there: $(cat "$WORK/shown")"
umount "$WORK/full"

# --- the proxy
# between UPSTREAM PORT FILE: a proxy, recording.
between() {
    "$GHOSTPLUG" proxy --upstream "$1" --listen "127.0.0.1:$2" --capture "$3" >"$WORK/proxy.out" 2>>"$WORK/serve.log" &
    proxy=$!
    wait_for 60 'the proxy' grep -q '^listening on' "$WORK/proxy.out"
}
end_proxy() {
    local status=0
    kill -TERM "$proxy"
    wait "$proxy" || status=$?
    proxy=''
    expect 'exit status of the proxy after SIGTERM' 0 "$status"
}

serve drive:size=16M,format=none,serial=PROXIED0001
between 127.0.0.1:3240 3250 "$WORK/ours.pcapng"
expect 'the list through the proxy' "$(usbip --tcp-port 3240 list -r 127.0.0.1 2>/dev/null)" \
    "$(usbip --tcp-port 3250 list -r 127.0.0.1 2>/dev/null)"
usbip --tcp-port 3250 attach -r 127.0.0.1 -b 1-1 2>"$WORK/err" || fail "attaching through the proxy: $(cat "$WORK/err")"
wait_for 90 'a disk through the proxy' has_disks 1
disk=/dev/$(disks)
wait_for 60 'its medium' ready "${disk#/dev/}"
use "$disk"
detach_all
end_proxy
stop_server
readable "$WORK/ours.pcapng"
shows "$WORK/ours.pcapng" READ WRITE
note "through the proxy to our server: $(stat -c %s "$WORK/ours.pcapng") bytes recorded"

hardware_up
plug_in keyboard
kernel_export keyboard
between "127.0.0.1:$KERNEL_PORT" 3251 "$WORK/kernel.pcapng"
place=$(attach_device 3251 "$(busid_of keyboard)" keyboard)
wait_for 60 'its driver' is_driven_at keyboard "$place"
result=$(drive_keyboard "$place")
detach_device "$place"
end_proxy
kernel_release keyboard
readable "$WORK/kernel.pcapng"
python recorded_keys keyboard "$WORK/kernel.pcapng" 0627:0001 >"$WORK/wanted" || fail 'the keys in the recording'
expect 'keys in the recording of the proxy' "$result" "$(paste -sd ';' "$WORK/wanted")"
shows "$WORK/kernel.pcapng" SET_CONFIGURATION
pull_out keyboard
note 'through the proxy to usbipd: the keys arrive, and are in the recording'
