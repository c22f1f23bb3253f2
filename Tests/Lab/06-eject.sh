# The medium is ejected, exchanged for a larger one, and loaded: the guest sees the new capacity.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

truncate -s 32M "$WORK/card.img"
serve "drive:image=$WORK/card.img"
disk=$(attach 1-1)
expect 'capacity' $((32 << 20)) "$(blockdev --getsize64 "$disk")"

# The block device locks the medium in while it is open; the generic one does not.
modprobe sg
node=/dev/$(basename "$(echo "/sys/block/$(basename "$disk")/device/scsi_generic/"*)")
sg_prevent --prevent=1 "$node"
if sg_start --eject "$node" 2>/dev/null; then fail 'a locked medium was ejected'; fi
sg_prevent --allow "$node"
eject "$disk"
if dd if="$disk" of=/dev/null bs=4k count=1 status=none 2>/dev/null; then fail 'an ejected medium was read'; fi
if sg_turs "$node" >"$WORK/turs" 2>&1; then fail 'TEST UNIT READY passes without a medium'; fi
expect 'capacity without a medium' 0 "$(blockdev --getsize64 "$disk" 2>/dev/null || echo 0)"

# The server has let go of the file: another card goes in.
truncate -s 48M "$WORK/other.img"
mv "$WORK/other.img" "$WORK/card.img"
eject --trayclose "$disk" || sg_start --load "$node"
larger() { [ "$(blockdev --getsize64 "$disk")" -eq $((48 << 20)) ]; }
wait_for 30 'the new capacity' larger
dd if=/dev/urandom of="$disk" bs=1M seek=47 count=1 conv=fsync status=none || fail 'writing to the new medium'
note 'ejected, exchanged, loaded: 32 MiB became 48 MiB'
grep -q 'the host ejected the medium' "$WORK/serve.log" || fail 'the log has no word of the eject'
detach_all
stop_server
