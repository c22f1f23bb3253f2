# The server is killed in the middle of writing: errors, no hang; what was synced is there afterwards.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

serve "drive:image=$WORK/disk.img,size=64M,format=none"
disk=$(attach 1-1)
head -c $((4 << 20)) /dev/urandom >"$WORK/safe"
dd if="$WORK/safe" of="$disk" bs=1M conv=fsync status=none

# Direct writes, so that each error reaches the writer.
(
    status=0
    dd if=/dev/zero of="$disk" bs=256k seek=32 count=100000 oflag=direct status=none 2>"$WORK/dd.err" || status=$?
    echo "$status" >"$WORK/dd.status"
) &
writer=$!
sleep 1
kill -KILL "$server"
wait "$server" 2>/dev/null || true
server=''

wait_for 60 'an I/O error for the writer' test -s "$WORK/dd.status"
wait "$writer"
[ "$(cat "$WORK/dd.status")" -ne 0 ] || fail 'the writer met no error'
note "the writer met: $(tail -n 1 "$WORK/dd.err")"
wait_for 60 'the disk going' has_disks 0
wait_for 60 'the port coming free' no_ports_in_use

serve "drive:image=$WORK/disk.img"
disk=$(attach 1-1)
cmp -n $((4 << 20)) "$WORK/safe" "$disk" || fail 'what was synced is not there'
note 'what was synced is there'
detach_all
stop_server
