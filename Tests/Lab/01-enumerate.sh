# Listed, attached, described as meant, detached: at each speed, and twenty times over.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# nameless: without the names that lsusb knows for numbers, where the machine has udev's database or another.
nameless() {
    sed -E -e 's/^(Bus Device ID [0-9a-f]{4}:[0-9a-f]{4}).*/\1/' \
        -e 's/^( *(idVendor|idProduct|b(Device|Interface)(Class|SubClass|Protocol)) +(0x)?[0-9a-f]+).*/\1/'
}

fixtures=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../Fixtures/lab" && pwd)

serve drive:speed=full,serial=A00000000001 drive:speed=high,serial=A00000000002 drive:speed=super,serial=A00000000003

usbip list -r 127.0.0.1 >"$WORK/list"
for busid in 1-1 1-2 1-3; do grep -q "^ *$busid: " "$WORK/list" || fail "usbip list -r does not show $busid"; done
"$GHOSTPLUG" list --json 127.0.0.1 >"$WORK/list.json"
expect 'devices in ghostplug list' '1-1 1-2 1-3' "$(jq -r '[.[].busid] | join(" ")' "$WORK/list.json")"
expect 'class in ghostplug list' 8 "$(jq -r '.[0].interfaces[0].bInterfaceClass' "$WORK/list.json")"

busid=1
for speed in full high super; do
    disk=$(attach 1-$busid)
    device=$(usb_device)
    expect "$speed speed: size of $disk" $((64 << 20)) "$(blockdev --getsize64 "$disk")"
    expect "$speed speed: Mb/s" "$(case $speed in full) echo 12 ;; high) echo 480 ;; super) echo 5000 ;; esac)" \
        "$(cat "$device/speed")"
    # An attached device is not offered to others.
    if usbip list -r 127.0.0.1 2>/dev/null | grep -q "^ *1-$busid: "; then fail "1-$busid is listed while attached"; fi
    # What lsusb reads is what was meant; bus and device numbers are the guest's.
    lsusb -v -s "$(cat "$device/busnum"):$(cat "$device/devnum")" 2>/dev/null |
        sed -e 's/^Bus .* Device .*: ID/Bus Device ID/' -e 's/[[:space:]]*$//' >"$WORK/lsusb-$speed.txt"
    cp "$WORK/lsusb-$speed.txt" "$LAB_OUT/"
    diff -u <(nameless <"$fixtures/lsusb-drive-$speed.txt") <(nameless <"$WORK/lsusb-$speed.txt") ||
        fail "$speed speed: lsusb -v differs"
    detach_all
    busid=$((busid + 1))
done

for round in $(seq 20); do
    disk=$(attach 1-2)
    dd if="$disk" of=/dev/null bs=64k count=4 iflag=direct status=none || fail "round $round: reading $disk"
    detach_all
done
note 'attached and detached 20 times'

# A second client gets an answer, not a hang, while the first has the device.
disk=$(attach 1-2)
if usbip attach -r 127.0.0.1 -b 1-2 2>"$WORK/busy"; then fail 'a device was attached twice'; fi
grep -qi 'busy' "$WORK/busy" || fail "no word of 'busy' in: $(cat "$WORK/busy")"
detach_all
stop_server
