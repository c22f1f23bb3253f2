# Devices plugged into this machine without a network: nodes, no listening socket, and every way out.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

sockets() { ss -Hltun; }
plugged() { "$GHOSTPLUG" ports --json | jq -r 'length'; }
nothing_plugged() { [ "$(plugged)" = 0 ]; }
# plug ARG...: starts `ghostplug plug` and waits until its devices are ready.
plug() {
    "$GHOSTPLUG" plug "$@" >"$WORK/plug.out" 2>>"$WORK/serve.log" &
    server=$!
    wait_for 90 'plugging in' grep -q '^plugged in' "$WORK/plug.out"
}

modprobe -r vhci_hcd 2>/dev/null || true
# What disks need, before the many messages of hubs: the lab's stand-in for udev takes one at a time.
modprobe -a sd_mod sg usb_storage
before=$(sockets)
plug drive:size=16M,label=ONE drive:size=16M,speed=super zero:speed=full
expect 'sockets that listen' "$before" "$(sockets)"
expect 'ports in use' 3 "$(plugged)"
halves=$("$GHOSTPLUG" ports --json | jq -r '[.[].half] | sort | join(" ")')
expect 'halves of the controller' 'hs hs ss' "$halves"
disk=$(grep -o '/dev/sd[a-z]*  disk' "$WORK/plug.out" | head -n 1 | cut -d ' ' -f 1)
[ -b "$disk" ] || fail "plug named '$disk', which is no block device"
mkdir -p "$WORK/mnt"
mount "$disk" "$WORK/mnt"
echo 'over a pair of sockets' >"$WORK/mnt/file"
umount "$WORK/mnt"
mount "$disk" "$WORK/mnt"
expect 'what was written' 'over a pair of sockets' "$(cat "$WORK/mnt/file")"
umount "$WORK/mnt"
note 'three devices, no socket that listens, files on the drive'

# Ctrl-C.
kill -INT "$server"
status=0
wait "$server" || status=$?
server=''
expect 'exit status after Ctrl-C' 0 "$status"
expect 'ports in use after Ctrl-C' 0 "$(plugged)"
wait_for 10 'the disks going' has_disks 0

# Left behind, controlled, and told to end.
json=$("$GHOSTPLUG" plug drive:size=16M --json --background)
disk=$(jq -r '.[0].nodes[] | select(startswith("/dev/sd"))' <<<"$json" | head -n 1)
[ -b "$disk" ] || fail "plug --json --background named '$disk', which is no block device: $json"
expect 'devices by control' 1-1 "$("$GHOSTPLUG" ctl devices --json | jq -r '.devices[0].busid // .[0].busid')"
"$GHOSTPLUG" ctl add zero:busid=later >"$WORK/add.out"
expect 'ports in use after ctl add' 2 "$(plugged)"
"$GHOSTPLUG" ctl remove later
expect 'ports in use after ctl remove' 1 "$(plugged)"
"$GHOSTPLUG" unplug
expect 'ports in use after unplug' 0 "$(plugged)"
no_process() { ! pgrep -f 'ghostplug plug|gp plug'; }
wait_for 10 'the end of the process' no_process
if "$GHOSTPLUG" unplug 2>"$WORK/err"; then fail 'unplugging nothing succeeded'; fi
grep -q 'nothing is plugged in' "$WORK/err" || fail "unplugging nothing says: $(cat "$WORK/err")"
note 'in the background, devices added and removed by control, unplugged by command'

# Both at once: what it waits for never comes, and Ctrl-C at who waits unplugs all the same.
"$GHOSTPLUG" plug zero:speed=full --background --timeout 60 >"$WORK/plug.out" 2>>"$WORK/serve.log" &
waiting=$!
wait_for 30 'the device on its port' sh -c "[ \"\$('$GHOSTPLUG' ports --json | jq length)\" = 1 ]"
kill -INT "$waiting" 2>/dev/null || true
wait "$waiting" 2>/dev/null || true
"$GHOSTPLUG" unplug 2>/dev/null || true
wait_for 30 'the port coming free after Ctrl-C' nothing_plugged

# Pulled out by others: the process ends by itself.
plug drive:size=16M
port=$("$GHOSTPLUG" ports --json | jq -r '.[0].port')
usbip detach -p "$port" >/dev/null 2>&1
ended() { ! kill -0 "$server" 2>/dev/null; }
wait_for 30 'the end of plug after usbip detach' ended
server=''
expect 'ports in use after usbip detach' 0 "$(plugged)"

# Killed: the kernel pulls the device out, and the port can be used again.
plug drive:size=16M
port=$("$GHOSTPLUG" ports --json | jq -r '.[0].port')
kill -KILL "$server"
server=''
wait_for 30 'the port coming free after kill -9' nothing_plugged
wait_for 30 'the disk going after kill -9' has_disks 0
plug drive:size=16M
expect 'the port that is used again' "$port" "$("$GHOSTPLUG" ports --json | jq -r '.[0].port')"
stop_server
note 'unplugged by usbip detach and by kill -9; the port is used again'

# Without the right to: what to do.
if setpriv --reuid=65534 --clear-groups "$GHOSTPLUG" plug drive --control none 2>"$WORK/err"; then
    fail 'plugging in as nobody succeeded'
fi
grep -q 'sudo' "$WORK/err" || fail "as nobody, plug says: $(cat "$WORK/err")"
grep -q 'SUBSYSTEM' "$WORK/err" || fail "as nobody, plug shows no udev rule: $(cat "$WORK/err")"
note 'without the right to: sudo, or a udev rule to paste'
