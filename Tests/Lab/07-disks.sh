# Large, 4K-native, several units, write protected: as the guest sees them.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# --- more than 2 TiB, 4096-byte blocks, in a sparse file
serve "drive:image=$WORK/large.img,size=5T,blocksize=4096,format=none,removable=no"
disk=$(attach 1-1)
expect 'bytes of a large disk' $((5 << 40)) "$(blockdev --getsize64 "$disk")"
expect 'block size' 4096 "$(blockdev --getss "$disk")"
head -c 65536 /dev/urandom >"$WORK/tail"
dd if="$WORK/tail" of="$disk" bs=64k seek=$(((5 << 40) / 65536 - 1)) oflag=direct status=none
dd if="$disk" bs=64k skip=$(((5 << 40) / 65536 - 1)) count=1 iflag=direct status=none | cmp - "$WORK/tail" ||
    fail 'the last 64 KiB of 5 TiB read back differently'
[ "$(du -k "$WORK/large.img" | cut -f1)" -lt 4096 ] || fail 'the image is not sparse'
detach_all
stop_server
note '5 TiB with 4096-byte blocks: last blocks written and read'

# --- several units
printf 'unit zero' >"$WORK/a.img"
truncate -s 8M "$WORK/a.img"
serve "drive:image=$WORK/a.img,luns=3"
usb_attach 1-1
wait_for 90 'three disks' has_disks 3
for disk in $(disks); do
    size=$(blockdev --getsize64 "/dev/$disk" 2>/dev/null || echo 0)
    case $(readlink -f "/sys/block/$disk/device") in
        *:0) expect 'size of unit 0' $((8 << 20)) "$size" ;;
        *) expect 'size of an empty slot' 0 "$size" ;;
    esac
done
detach_all
stop_server
note 'a card reader with one card in three slots'

# --- write protected
serve drive:readonly
disk=$(attach 1-1)
expect 'read-only flag' 1 "$(blockdev --getro "$disk")"
if dd if=/dev/zero of="$disk" bs=4k count=1 oflag=direct status=none 2>/dev/null; then fail 'a write got through'; fi
detach_all
stop_server

# --- a store that fails: the guest is told
if [ -d /dev/shm ]; then
    mkdir "$WORK/full"
    mount -t tmpfs -o size=8M tmpfs "$WORK/full"
    serve "drive:image=$WORK/full/disk.img,size=64M,format=none"
    disk=$(attach 1-1)
    if dd if=/dev/urandom of="$disk" bs=1M count=32 conv=fsync status=none 2>"$WORK/dd.err"; then
        fail 'a full store took 32 MiB into 8'
    fi
    note "a full store: $(grep -o 'dd: .*' "$WORK/dd.err" | head -n 1)"
    dd if="$disk" of=/dev/null bs=1M count=4 iflag=direct status=none || fail 'a full store cannot be read'
    detach_all
    stop_server
    umount "$WORK/full"
fi
