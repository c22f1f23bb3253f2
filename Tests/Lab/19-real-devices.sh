# Real devices, exported by us and attached here: each is driven through its class driver, and its own driver is back
# afterwards. QEMU's devices are hardware to this machine.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=Tests/Lab/hardware.sh
source "$(dirname "${BASH_SOURCE[0]}")/hardware.sh"
# shellcheck source=Tests/Lab/drive.sh
source "$(dirname "${BASH_SOURCE[0]}")/drive.sh"

hardware_up
drive_files
put_all_in
note "${#kinds[@]} devices are plugged in after $SECONDS s"

# --- what there is
"$GHOSTPLUG" devices --json >"$WORK/devices" || fail 'ghostplug devices --json'
shown() { jq -r --arg path "$1" ".[] | select(.path == \$path) | $2" "$WORK/devices"; }
for kind in "${kinds[@]}"; do
    path=$(busid_of "$kind")
    expect "drivers that devices shows for $kind" "$(wanted_drivers "$kind")" \
        "$(shown "$path" '.interfaces[] | "1.\(.number)=\(.driver // "none")"' | tr '\n' ' ')"
    expect "whether $kind can be exported" true "$(shown "$path" .exportable)"
    expect "ids of $kind" "$(cat "$(folder_of "$kind")/idVendor" "$(folder_of "$kind")/idProduct" | xargs)" \
        "$(shown "$path" '"\(.idVendor) \(.idProduct)"')"
done
expect 'the hub' 'true false' "$(shown "$(busid_of hub)" '"\(.hub) \(.exportable)"')"
expect 'hubs that can be exported' 0 "$(jq '[.[] | select(.hub and .exportable)] | length' "$WORK/devices")"
"$GHOSTPLUG" devices >"$WORK/devices.txt" || fail 'ghostplug devices'
for kind in "${kinds[@]}"; do
    grep -qF "$(busid_of "$kind")" "$WORK/devices.txt" || fail "devices does not show $kind: $(cat "$WORK/devices.txt")"
done

# --- named in every way
serve 'real:*' --match class=mass-storage --match class=hid,speed=full real:0403:6001 real:46f4:0001:DISK0001 ||
    fail 'naming devices in every way'
offered() { sed -n 's/.*(real device \([^)]*\)).*/\1/p' "$WORK/serve.out" | sort | paste -sd ' '; }
expect 'what the names stand for' \
    "$(for kind in fast-disk disk uas hub-keyboard serial; do busid_of $kind; done | sort | paste -sd ' ')" "$(offered)"
stop_server

# --- each, driven
our_export "${kinds[@]}"
left=()
for kind in "${kinds[@]}"; do
    started=$SECONDS
    speed=$(cat "$(folder_of "$kind")/speed")
    descriptors=$(od -An -v -tx1 "$(folder_of "$kind")/descriptors" | tr -d ' \n')
    place=$(our_attach "$kind")
    expect "speed of $kind" "$speed" "$(cat "$place/speed")"
    expect "descriptors of $kind" "$descriptors" "$(od -An -v -tx1 "$place/descriptors" | tr -d ' \n')"
    expect "drivers of $kind on vhci" "$(wanted_drivers "$kind")" "$(settled_drivers "$kind" "$place")"
    result=$("drive_$(class_of "$kind")" "$place")
    detach_device "$place"
    wait_for 60 "the drivers of $kind after the client" is_driven "$kind"
    note "$kind: ${result//$'\n'/; } ($((SECONDS - started)) s)"
    if is_in_the_way "$kind"; then pull_out "$kind"; else left+=("$kind"); fi
done

# --- what is on a disk is there, for us and for the hardware's own driver
place=$(our_attach fast-disk)
again=$(drive_disk_again "$place")
detach_device "$place"
our_release "${left[@]}"
expect 'the disk behind its own driver' "$again" "$(drive_disk_again "$(folder_of fast-disk)")"
note "after attaching again: $again"
pull_out "${left[@]}"
note "the sound: $(heard 1)"
