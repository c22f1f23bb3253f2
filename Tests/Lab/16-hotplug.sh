# Devices come and go at random while others work: nothing in the kernel's log, nothing left in ours.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

modprobe -a sd_mod sg usb_storage evdev hid_generic usbhid
WORKERS=4
CYCLES=100
export GHOSTPLUG_CONTROL="$WORK/control"
ctl() { "$GHOSTPLUG" ctl "$@"; }
# resources: threads, descriptors, KiB of memory of the process.
resources() {
    printf '%s %s %s\n' "$(find "/proc/$server/task" -mindepth 1 -maxdepth 1 | wc -l)" \
        "$(find "/proc/$server/fd" -mindepth 1 | wc -l)" "$(awk '/^VmRSS/ {print $2}' "/proc/$server/status")"
}
port_count() { "$GHOSTPLUG" ports --json | jq length; }
has_ports() { [ "$(port_count)" -eq "$1" ]; }

"$GHOSTPLUG" plug drive:size=32M,serial=WORKING keyboard --control "$WORK/control" --no-wait \
    >"$WORK/plug.out" 2>>"$WORK/serve.log" &
server=$!
wait_for 60 'plugging in' grep -q '^plugged in' "$WORK/plug.out"
wait_for 60 'the working drive' has_disks 1
disk=/dev/$(disks)
wait_for 60 'its medium' ready "$(basename "$disk")"

# Two that work meanwhile: files on a drive, and a keyboard that types.
(while dd if=/dev/urandom of="$disk" bs=64k count=64 conv=fsync status=none && sleep 0.2; do :; done) &
writer=$!
(while ctl type 1-2 'still here ' >/dev/null 2>&1; do :; done) &
typist=$!

specifications=(drive:size=8M 'drive:size=8M,speed=super' keyboard mouse tablet touchscreen gamepad zero
    'zero:speed=super' 'zero:function=echo,speed=full' 'drive:size=8M,luns=3' 'composite:functions=keyboard+mouse')
cycle() {
    local busid specification=${specifications[RANDOM % ${#specifications[@]}]}
    busid=$(ctl add "$specification" --json | jq -r .busid) || fail "adding $specification"
    # From within the enumeration to well after it.
    sleep "0.$((RANDOM % 10))"
    ctl remove "$busid" >/dev/null || fail "removing $specification"
}
# cycles COUNT: so many of them, by several workers at once.
cycles() {
    local worker workers=()
    for worker in $(seq $WORKERS); do
        (
            RANDOM=$((4711 + worker))
            for _ in $(seq $(($1 / WORKERS))); do cycle; done
        ) &
        workers+=($!)
    done
    for worker in "${workers[@]}"; do wait "$worker" || fail 'a worker'; done
    wait_for 60 'the ports coming free' has_ports 2
}
# The first ones load modules and fill caches.
cycles 12
before=$(resources)
cycles $CYCLES
sleep 1
after=$(resources)
read -r threads_before descriptors_before memory_before <<<"$before"
read -r threads_after descriptors_after memory_after <<<"$after"
kill -0 "$writer" 2>/dev/null || fail 'the drive that worked meanwhile did not survive it'
kill -0 "$typist" 2>/dev/null || fail 'the keyboard that worked meanwhile did not survive it'
# What works at the moment has a thread or two, and a connection, more or less.
[ "$threads_after" -le $((threads_before + 3)) ] || fail "threads: $threads_before before, $threads_after after"
[ "$descriptors_after" -le $((descriptors_before + 3)) ] ||
    fail "descriptors: $descriptors_before before, $descriptors_after after"
[ "$memory_after" -le $((memory_before + 8192)) ] || fail "memory: $memory_before KiB before, $memory_after after"
note "$CYCLES cycles: threads $threads_before/$threads_after, descriptors $descriptors_before/$descriptors_after," \
    "memory $memory_before/$memory_after KiB"

# Removed while it is held open.
kill "$writer" "$typist" 2>/dev/null || true
wait "$writer" "$typist" 2>/dev/null || true
before=$(disks)
busid=$(ctl add drive:size=8M --json | jq -r .busid)
wait_for 60 'another disk' has_new_disk "$before"
open=/dev/$(disks | sort | comm -13 <(sort <<<"$before") - | head -n 1)
wait_for 60 'its medium' ready "$(basename "$open")"
exec {held}<"$open"
ctl remove "$busid" >/dev/null || fail 'removing a disk that is open'
# An error or, since the kernel sets the capacity to nothing, the end.
unreadable() { [ "$(dd bs=4k count=1 iflag=direct status=none <&"$held" 2>/dev/null | wc -c)" -eq 0 ]; }
wait_for 30 'the end of reads from a disk that was pulled out' unreadable
exec {held}<&-
wait_for 30 'the ports coming free' has_ports 2
note 'a disk that was held open when it was pulled out'
kill -TERM "$server"
status=0
wait "$server" || status=$?
server=''
expect 'exit status of plug' 0 "$status"

# Thirty at once.
many=()
for index in $(seq 10); do many+=("drive:size=1M,serial=D$index" "keyboard:serial=K$index" "mouse:serial=M$index"); done
started=$SECONDS
"$GHOSTPLUG" plug "${many[@]}" --control "$WORK/control" --timeout 240 >"$WORK/plug.out" 2>>"$WORK/serve.log" &
server=$!
wait_for 300 'thirty devices' grep -q '^plugged in' "$WORK/plug.out"
expect 'ports in use' 30 "$(port_count)"
expect 'disks' 10 "$(disks | wc -l)"
note "thirty devices ready after $((SECONDS - started)) s"
kill -TERM "$server"
status=0
wait "$server" || status=$?
server=''
expect 'exit status of plug' 0 "$status"
expect 'ports in use' 0 "$(port_count)"
