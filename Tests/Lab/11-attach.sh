# ghostplug's own attach, ports and detach: right halves, nodes, many at once, and hand in hand with the usbip tool.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# What a disk needs, before the many messages of hubs that come and go: the lab's stand-in for udev takes one at a time.
modprobe -a sd_mod sg
controller=/sys/devices/platform/vhci_hcd.0

# run STATUS ARG...: runs ghostplug, which must end with STATUS; its words are in $WORK/out and $WORK/err.
run() {
    local expected=$1 status=0
    shift
    timeout 120 "$GHOSTPLUG" "$@" >"$WORK/out" 2>"$WORK/err" || status=$?
    [ "$status" -eq "$expected" ] || fail "ghostplug $*: status $status, not $expected: $(cat "$WORK/err")"
}

# run_as_nobody STATUS ARG...
run_as_nobody() {
    local expected=$1 status=0
    shift
    timeout 120 setpriv --reuid=65534 --regid=65534 --clear-groups "$GHOSTPLUG" "$@" \
        >"$WORK/out" 2>"$WORK/err" || status=$?
    [ "$status" -eq "$expected" ] || fail "as nobody, ghostplug $*: status $status: $(cat "$WORK/out" "$WORK/err")"
}

# says WORD...: the last run's message is one line with all the words.
says() {
    local word
    expect 'lines of the message' 1 "$(wc -l <"$WORK/err")"
    for word in "$@"; do grep -qF -- "$word" "$WORK/err" || fail "no word of '$word' in: $(cat "$WORK/err")"; done
}

# attached FILTER: of the object that the last attach printed; ports FILTER: of the array of ports.
attached() { jq -r "$1" "$WORK/out"; }
ports() { run 0 ports --json && jq -r "$1" "$WORK/out"; }

# status_half PORT: the half that the kernel shows the port in.
status_half() { awk -v port="$1" 'FNR > 1 && $2 + 0 == port {print $1}' $controller/status*; }

# --- the module is loaded when it is needed, and only then
modprobe -r vhci-hcd
run_as_nobody 0 ports
grep -q 'vhci-hcd is not loaded' "$WORK/out" || fail "ports without the module: $(cat "$WORK/out")"
run_as_nobody 1 attach 127.0.0.1 1-1
says 'sudo modprobe vhci-hcd'
run 1 detach 0
says 'modprobe vhci-hcd'
[ ! -e $controller ] || fail 'something loaded the module'

# --- each speed on its half, with its nodes, ready to be used
# One partition, of type 83, over all but the first MiB.
truncate -s 32M "$WORK/parts.img"
printf '\x00\x00\x02\x00\x83\x00\x00\x00\x00\x08\x00\x00\x00\xf8\x00\x00' |
    dd of="$WORK/parts.img" bs=1 seek=446 conv=notrunc status=none
printf '\x55\xaa' | dd of="$WORK/parts.img" bs=1 seek=510 conv=notrunc status=none
serve "drive:image=$WORK/parts.img,format=none,serial=A00000000001" drive:speed=super,serial=A00000000002 \
    zero:speed=full,serial=ZERO drive:luns=3,serial=A00000000004
run 0 attach 127.0.0.1 1-1 --json --timeout 90
# Not a moment later.
disk=$(attached '.nodes[] | select(.kind == "disk").path')
dd if="$disk" of=/dev/null bs=64k count=4 iflag=direct status=none || fail "$disk is not ready"
expect 'capacity' $((32 << 20)) "$(blockdev --getsize64 "$disk")"
expect 'partition' "${disk}1" "$(attached '.nodes[] | select(.kind == "partition").path')"
[ -b "${disk}1" ] || fail "there is no ${disk}1"
expect 'speed of 1-1' 'hs high-speed' "$(attached '"\(.half) \(.speed)"')"
expect 'driver of 1-1' usb-storage "$(attached '.interfaces[0].driver')"
node=$(attached '.nodes[] | select(.kind == "usb").path')
[ -c "$node" ] || fail "$node is no device node"
expect 'half of the status file' hs "$(status_half "$(attached .port)")"

run 0 attach 127.0.0.1:3240 1-2 --json --timeout 90
expect 'speed of 1-2' 'ss super-speed' "$(attached '"\(.half) \(.speed)"')"
expect 'half of the status file' ss "$(status_half "$(attached .port)")"
super_port=$(attached .port)
[ "$(blockdev --getsz "$(attached '.nodes[] | select(.kind == "disk").path')")" -gt 0 ] || fail 'no medium in 1-2'

run 0 attach 127.0.0.1 1-3 --json --timeout 90
expect 'speed of 1-3' 'hs full-speed' "$(attached '"\(.half) \(.speed)"')"
expect 'serial of 1-3' ZERO "$(attached .serial)"

run 0 attach 127.0.0.1 1-4 --json --timeout 90
expect 'disks of a card reader' 3 "$(attached '[.nodes[] | select(.kind == "disk")] | length')"
note 'a disk with a partition, a SuperSpeed disk, a test device, a card reader with empty slots'

# --- ports shows them, to anybody; where from, only to root
expect 'ports in use' 4 "$(ports length)"
expect 'remote' '127.0.0.1 3240 1-2' \
    "$(ports ".[] | select(.port == $super_port).remote | \"\\(.host) \\(.port) \\(.busid)\"")"
run 0 ports
expect 'lines of ports with a port' 4 "$(grep -c '^port ' "$WORK/out")"
grep -q "^port $super_port  ss  .*super-speed.*from 127.0.0.1:3240/1-2$" "$WORK/out" || fail "ports: $(cat "$WORK/out")"
run_as_nobody 0 ports --json
expect 'ports for nobody' '4 0' "$(jq -r '"\(length) \([.[] | select(.remote)] | length)"' "$WORK/out")"

# --- the usbip tool knows them, and detaches them
usbip port >"$WORK/usbip-port" 2>&1
for busid in 1-1 1-2 1-3 1-4; do
    grep -q -- "-> usbip://127.0.0.1:3240/$busid$" "$WORK/usbip-port" || fail "usbip port: $(cat "$WORK/usbip-port")"
done
usbip detach -p "$super_port" 2>/dev/null
gone() { [ "$(ports "[.[] | select(.port == $1)] | length")" -eq 0 ]; }
wait_for 60 'usbip detaching' gone "$super_port"
# And the other way round.
usbip attach -r 127.0.0.1 -b 1-2
usbip_attached() { [ "$(ports '[.[] | select(.remote.busid == "1-2" and .state == "used")] | length')" -eq 1 ]; }
wait_for 60 'a device that usbip attached' usbip_attached
run 0 detach "$(ports '.[] | select(.remote.busid == "1-2").busid')"
expect 'ports in use after a detach by name' 3 "$(ports length)"
run 0 attach 127.0.0.1 1-2 --timeout 90
grep -q "^port $super_port  ss .*super-speed" "$WORK/out" || fail "attach: $(cat "$WORK/out")"
grep -q '^     /dev/sd[a-z]*  disk$' "$WORK/out" || fail "no disk in: $(cat "$WORK/out")"

# --- mistakes
run 69 attach 127.0.0.1 1-99
says 1-99 'does not export'
run 69 attach 127.0.0.1 1-1
says 'another client has it'
run 69 attach 127.0.0.1:9 1-1
says 127.0.0.1:9 refused 'ghostplug serve'
run 64 attach 127.0.0.1:0 1-1
run 64 attach 127.0.0.1 1-1 --timeout 0
run 64 attach 127.0.0.1 "$(printf '%040d' 1)"
run 1 detach 9999
says 'no port 9999'
run 1 detach 9-9
says 9-9 'ghostplug ports'

run 0 detach all
expect 'ports in use after detach all' 0 "$(ports length)"
has_disks 0 || fail "detach returned before the disks went: $(disks)"
[ ! -e /var/run/vhci_hcd ] || fail "notes are left: $(ls /var/run/vhci_hcd)"
run 1 detach "$super_port"
says 'has no device'

# --- not ready in time: an error that says what was missing, and the device stays
echo 20 >/sys/module/usb_storage/parameters/delay_use
run 1 attach 127.0.0.1 1-1 --timeout 5
says 'attached, but not ready' 'after 5 s'
expect 'ports in use after a timeout' 1 "$(ports length)"
echo 0 >/sys/module/usb_storage/parameters/delay_use
run 0 detach all
note 'errors: unknown, busy, no server, not ready'

# --- without root: the error says how; what it says is enough
run_as_nobody 1 attach 127.0.0.1 1-1
says "$controller/attach" sudo 'SUBSYSTEM=="platform"' /etc/udev/rules.d/ /etc/modules-load.d/
run_as_nobody 1 detach all
says sudo 'SUBSYSTEM=="platform"'
rule=$(sed 's/^.*RUN+="\(.*\)" into .*rules.d.*$/\1/; s/%p/\/devices\/platform\/vhci_hcd.0/; s/plugdev/65534/' "$WORK/err")
bash -c "$rule" || fail "the rule does not run: $rule"
expect 'mode after the rule' '220 65534' "$(stat -c '%a %g' $controller/attach)"
run_as_nobody 0 attach 127.0.0.1 1-3 --timeout 90
says note 'usbip port'
run_as_nobody 0 detach all
chgrp 0 $controller/attach $controller/detach
chmod 0200 $controller/attach $controller/detach
stop_server
note 'without root: the rule in the error lets a group attach'

# --- more than one controller has room for, all at the same time: they race for ports
room=$(awk 'FNR > 1 && $1 == "hs"' $controller/status | wc -l)
total=$((room + 2))
devices=()
for ((i = 1; i <= total; i++)); do devices+=("zero:serial=Z$i"); done
serve "${devices[@]}"
pids=()
for ((i = 1; i <= total; i++)); do
    "$GHOSTPLUG" attach 127.0.0.1 "1-$i" --json --timeout 200 >"$WORK/many-$i" 2>"$WORK/many-$i.err" &
    pids+=($!)
done
for ((i = 1; i <= total; i++)); do wait "${pids[i - 1]}" || fail "1-$i: $(cat "$WORK/many-$i.err")"; done
expect 'serials, each at its device' "$(seq -f Z%.0f $total | paste -sd' ')" \
    "$(for ((i = 1; i <= total; i++)); do jq -r .serial "$WORK/many-$i"; done | paste -sd' ')"
expect 'devices of each controller' "0:$room 1:2" \
    "$(ports '[group_by(.controller)[] | "\(.[0].controller):\(length)"] | join(" ")')"
run 0 detach all
expect 'ports in use at the end' 0 "$(ports length)"
stop_server
note "$total devices at once: $room on the first controller, 2 on the second"
