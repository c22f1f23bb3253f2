# ghostplug inspect, of our own devices and of QEMU's that the kernel's usbipd exports: as lsusb -v, and no false alarm.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# inspect STATUS ARG...: its words are in $WORK/out and $WORK/err.
inspect() {
    local expected=$1 status=0
    shift
    timeout 120 "$GHOSTPLUG" inspect "$@" >"$WORK/out" 2>"$WORK/err" || status=$?
    [ "$status" -eq "$expected" ] ||
        fail "inspect $*: status $status, not $expected: $(cat "$WORK/err"; sed -n '/^Issues/,$p' "$WORK/out")"
}

# fields FILE: what there is of fields, name and value, in lsusb's output and ours.
#
# lsusb spells some fields in its own way, and takes the sound card, whose interface has a wrong protocol, for another
# version of its class.
fields() {
    sed -E -e '/^Issues/,$d' -e 's/([[(]) /\1/' -e 's/bU2DevExitLat/wU2DevExitLat/' "$1" |
        awk '$1 ~ /^(b|w|i|id|bcd|bm|ba|bma|t|n|dw|Max)[A-Z]/ && NF > 1 {print $1, $2}' |
        grep -vE '^(bMasterInterface|bSlaveInterface|iMacAddress|dwMaxiumumClock|bNumDataRatesSupp\.|dwSyncProtocols) ' |
        grep -vE '^(nMaxSlotIndex|dwFeatures|dwMechanical|dwMaxCCIDMsgLen|bClassGetResponse|bClassEnvelope) ' |
        grep -vE '^(bNrInPins|baSourceID\(0\)|iSelector|wLockDelay) '
}

# has_fields_of LSUSB OURS: whether all that lsusb shows is there, in the same order.
has_fields_of() {
    fields "$1" >"$WORK/wanted"
    fields "$2" >"$WORK/found"
    [ "$(wc -l <"$WORK/wanted")" -gt 20 ] || fail "lsusb has shown too little: $(cat "$1")"
    awk 'NR == FNR {wanted[count++] = $0; next}
        $0 == wanted[met + 0] {met++}
        END {if (met + 0 < count) {print wanted[met + 0]; exit 1}}' "$WORK/wanted" "$WORK/found"
}

# issues: of the last run with --json, each as "severity path: message".
issues() { jq -r '.issues[] | "\(.severity) \(.path): \(.message)"' "$WORK/out"; }

# --- our own
printf '05 01 09 05 a1 01 05 09 19 01 29 08 15 00 25 01 75 01 95 08 81 02 c0\n' >"$WORK/pad.hex"
# shellcheck disable=SC2054
drives=(drive:speed=full drive:speed=high drive:speed=super zero:speed=high zero:speed=super
    zero:function=echo,speed=high zero:function=echo,speed=super)
# shellcheck disable=SC2054
inputs=(keyboard keyboard:speed=low,nkro=no,media=no,out-endpoint mouse mouse:high-resolution=no
    tablet:buttons=5,speed=high touchscreen touchscreen:contacts=5 gamepad gamepad:kind=xbox
    "hid:report-descriptor=$WORK/pad.hex" composite:functions=keyboard+mouse+tablet+touchscreen+gamepad)
serve "${drives[@]}" "${inputs[@]}"
for index in $(seq $((${#drives[@]} + ${#inputs[@]}))); do
    inspect 0 127.0.0.1 "1-$index"
    grep -qx 'Issues: none' "$WORK/out" || fail "1-$index has issues"
    [ "$index" -le ${#drives[@]} ] || grep -q '05 01 *Usage Page (Generic Desktop)' "$WORK/out" ||
        fail "1-$index: its report descriptor is not listed"
done
# Five of the interfaces of the last, and the keyboard's media keys.
inspect 0 --json 127.0.0.1 "1-$index"
expect 'applications of the composite' \
    'Keyboard Consumer Control System Control Mouse Mouse Touch Screen Gamepad' \
    "$(jq -r '.configurations[0].classDescriptors[].applications[]' "$WORK/out" | sed 's,.* / ,,' | paste -sd ' ')"
inspect 69 127.0.0.1 9-9
grep -q '1-1, 1-2, 1-3' "$WORK/err" || fail "no word of the devices there are: $(cat "$WORK/err")"
attach 1-1 >"$WORK/disk"
inspect 69 127.0.0.1 1-1
detach_all
stop_server
inspect 69 127.0.0.1 1-1
note "$index devices of our own break no law"

# --- QEMU's
on_hardware() {
    local device
    for device in /sys/bus/usb/devices/*-*/idVendor; do
        device=${device%/idVendor}
        [ -e "$device/idVendor" ] || continue
        case $(readlink -f "$device") in *vhci_hcd*) ;; *) basename "$device" ;; esac
    done
}
has_hardware() { [ "$(on_hardware | wc -l)" -ge 7 ]; }
configured() {
    local busid
    for busid in $(on_hardware); do [ -n "$(cat "/sys/bus/usb/devices/$busid/bConfigurationValue")" ] || return 1; done
}

modprobe xhci-pci
wait_for 90 "seven USB devices (boot the lab with --usb)" has_hardware
wait_for 60 'their configuration' configured
modprobe usbhid
modprobe hid-generic
has_reports() { [ "$(find /sys/bus/hid/devices/ -name '*:*' | wc -l)" -ge 2 ]; }
wait_for 60 'the keyboard and the tablet' has_reports
modprobe usbip-host
usbipd -D
wait_for 30 'usbipd' usbip list -r 127.0.0.1

for busid in $(on_hardware); do
    device=/sys/bus/usb/devices/$busid
    product=$(cat "$device/product")
    lsusb -v -s "$(cat "$device/busnum"):$(cat "$device/devnum")" >"$WORK/lsusb" 2>/dev/null
    report=$(find "$device/" -name report_descriptor | head -n 1)
    [ -z "$report" ] || cp "$report" "$WORK/report"
    usbip bind -b "$busid" >/dev/null 2>&1 || fail "usbip bind -b $busid"

    status=0
    "$GHOSTPLUG" inspect --json 127.0.0.1 "$busid" >"$WORK/out" || status=$?
    cp "$WORK/out" "$LAB_OUT/inspect-$busid.json"
    # What QEMU's devices really do wrong, seen by hand in their bytes; each makes the status 1.
    issues | sed -E -e '/^error other speed, device qualifier: bcdUSB is 0x0100; a device with a qualifier/d' \
        -e '/^error configuration 1, interface 0 alternate 0: bInterfaceProtocol is 4; of Audio 1.0 it is 0/d' \
        -e '/^warning .*: bcdHID is 0001;/d' \
        -e '/^warning .*: report descriptor, byte 52: the maximum is 255 to some hosts and -1 to others;/d' \
        >"$WORK/issues"
    [ ! -s "$WORK/issues" ] || fail "$product: $(cat "$WORK/issues")"
    expect "status for $product" "$(issues | grep -c '^error' | sed 's/^[1-9].*/1/')" "$status"
    case $product in
        *Keyboard)
            issues | grep -q 'bcdUSB is 0x0100' || fail "the keyboard's qualifier is not flagged"
            issues | grep -q 'byte 52: the maximum is 255' || fail "the keyboard's maximum is not flagged"
            ;;
        *Tablet) issues | grep -q 'bcdHID is 0001' || fail "the tablet's HID release is not flagged" ;;
        *Audio) issues | grep -q 'bInterfaceProtocol is 4' || fail "the sound card's protocol is not flagged" ;;
        *) expect "issues of $product" '' "$(issues)" ;;
    esac
    if [ -n "$report" ]; then
        expect "report descriptor of $product" "$(od -An -v -tx1 "$WORK/report" | xargs)" \
            "$(jq -r '.configurations[0].classDescriptors[0].bytes' "$WORK/out")"
    fi
    expect "name of $product" "$product" "$(jq -r .device.iProductText "$WORK/out")"

    inspect "$status" 127.0.0.1 "$busid"
    cp "$WORK/out" "$LAB_OUT/inspect-$busid.txt"
    cp "$WORK/lsusb" "$LAB_OUT/lsusb-$busid.txt"
    missing=$(has_fields_of "$WORK/lsusb" "$WORK/out") || fail "$product: lsusb shows, where inspect does not: $missing"
    usbip unbind -b "$busid" >/dev/null 2>&1 || fail "usbip unbind -b $busid"
    note "$product: as lsusb -v, $(jq '.issues | length' "$LAB_OUT/inspect-$busid.json") issues"
done
kill "$(pidof usbipd)"
