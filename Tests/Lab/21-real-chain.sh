# A simulated device, attached here, is a real one to whoever exports it: simulated -> vhci -> real: -> vhci again.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=Tests/Lab/hardware.sh
source "$(dirname "${BASH_SOURCE[0]}")/hardware.sh"
# shellcheck source=Tests/Lab/drive.sh
source "$(dirname "${BASH_SOURCE[0]}")/drive.sh"

# The second server beside the first. Its devices are attached at another controller: Linux holds a lock of the
# controller while a device gets its configuration, and would wait for itself.
CHAIN_PORT=3242
modprobe -a sd_mod sg usb_storage usbhid hid_generic evdev

has_links() { places_on_vhci "$1" && [ ${#places[@]} -eq "$2" ]; }

serve drive:size=64M,format=none,serial=CHAIN0000001,speed=super keyboard:serial=CHAINKEYS
declare -A first
for busid in 1-1 1-2; do
    if [ $busid = 1-1 ]; then serial=CHAIN0000001; else serial=CHAINKEYS; fi
    usb_attach $busid 2>/dev/null
    link_of() { first[$busid]=$(grep -lx "$serial" /sys/devices/platform/vhci_hcd.*/usb*/*-*/serial); }
    wait_for 90 "the first link of $busid" link_of
    first[$busid]=${first[$busid]%/serial}
    wait_for 90 'its configuration' is_configured "${first[$busid]}"
done
disk=$(disk_of "${first[1-1]}")
bytes "$WORK/payload" "$DISK_BYTES"
dd if="$WORK/payload" of="$disk" bs=1M conv=fsync status=none
node_of "${first[1-2]}" 'event[0-9]*' 'the keyboard' >/dev/null
note "the first links: ${first[1-1]##*/} and ${first[1-2]##*/}"

"$GHOSTPLUG" serve "real:${first[1-1]##*/}" "real:${first[1-2]##*/}" --listen "127.0.0.1:$CHAIN_PORT" --control none \
    >"$WORK/chain.out" 2>>"$WORK/serve.log" &
chain=$!
wait_for 60 'the second server' grep -q '^attach with' "$WORK/chain.out"
declare -A second
for busid in 1-1 1-2; do
    identity "${first[$busid]}"
    index=${busid#1-}
    /usr/bin/python3 attach_at.py "$CHAIN_PORT" "$(sed -n "${index}s/ .*//p" "$WORK/chain.out")" 1 >/dev/null ||
        fail "attaching the second link of $busid"
    wait_for 90 "the second link of $busid" has_links "$identity" 2
    second[$busid]=$(printf '%s\n' "${places[@]}" | grep -vx "${first[$busid]}")
    expect "speed of the second link" "$(cat "${first[$busid]}/speed")" "$(cat "${second[$busid]}/speed")"
done
note "the second links: ${second[1-1]##*/} and ${second[1-2]##*/}"

disk=$(disk_of "${second[1-1]}")
cmp -n "$DISK_BYTES" "$WORK/payload" "$disk" || fail 'the drive reads differently at the end of the chain'
drive_disk "${second[1-1]}" >/dev/null
again=$(drive_disk_again "${second[1-1]}")
found=$(/usr/bin/python3 evdev_events.py "${second[1-2]}" -- "$GHOSTPLUG" ctl key 1-2 a 2>"$WORK/err" |
    paste -sd ';') || fail "keys: $(cat "$WORK/err")"
expect 'a key at the end of the chain' 'KEY_0x1e=1;KEY_0x1e=0' "$found"
note "files and keys arrive: $again"

# --- back, link by link
for busid in 1-1 1-2; do detach_device "${second[$busid]}"; done
disk=$(disk_of "${first[1-1]}")
expect 'what was written through both' "$again" "$(drive_disk_again "${first[1-1]}")"
wait_for 60 'the keyboard back at the first link' has_below "${first[1-2]}" 'event[0-9]*'
kill -TERM "$chain"
status=0
wait "$chain" || status=$?
expect 'exit status of the second server' 0 "$status"
detach_all
stop_server
note 'and back at the first link'
