# FAT from a folder, read and written and copied back; FAT and ext4 in image files that are clean afterwards.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# --- a folder, mounted; what the client writes comes back
mkdir -p "$WORK/in/notes/deep"
printf 'hello from a folder\n' >"$WORK/in/README.TXT"
printf 'long name\n' >"$WORK/in/notes/A rather long file name, with Ünïcödé.txt"
head -c 3000000 /dev/urandom >"$WORK/in/notes/deep/random.bin"
: >"$WORK/in/empty"
serve "drive:dir=$WORK/in,sync-back=$WORK/out,label=PAYLOAD"
disk=$(attach 1-1)
expect 'label' PAYLOAD "$(blkid -o value -s LABEL "$disk")"
mount -t vfat -o iocharset=utf8 "$disk" "$WORK/mnt"
diff -r "$WORK/in" "$WORK/mnt" || fail 'the mounted files differ from the folder'
head -c $((20 << 20)) /dev/urandom >"$WORK/mnt/new.bin"
rm "$WORK/mnt/empty"
written=$(sha256sum <"$WORK/mnt/new.bin")
sync
umount "$WORK/mnt"
detach_all
wait_for 60 'sync-back' grep -q 'sync-back.*files written' "$WORK/serve.log"
expect 'checksum of what came back' "$written" "$(sha256sum <"$WORK/out/new.bin")"
cmp "$WORK/in/notes/deep/random.bin" "$WORK/out/notes/deep/random.bin" || fail 'a file came back changed'
[ ! -e "$WORK/out/empty" ] || fail 'a deleted file came back'
stop_server
note 'a folder: read, written, copied back'

# --- FAT in an image: 20 MB with a checksum; checked outside the guest too
serve "drive:image=$WORK/fat.img,size=64M,label=STICK"
disk=$(attach 1-1)
mount -t vfat "$disk" "$WORK/mnt"
head -c $((20 << 20)) /dev/urandom >"$WORK/mnt/data.bin"
sync
umount "$WORK/mnt"
mount -t vfat -o ro "$disk" "$WORK/mnt"
sha256sum <"$WORK/mnt/data.bin" >"$LAB_OUT/fat.sha256"
umount "$WORK/mnt"
detach_all
stop_server
fsck.vfat -n "$WORK/fat.img" >"$WORK/fsck" || fail "fsck.vfat: $(cat "$WORK/fsck")"
cp --sparse=always "$WORK/fat.img" "$LAB_OUT/fat.img"
note 'FAT in an image: written, clean'

# --- ext4 with random writes, verified
serve "drive:image=$WORK/ext4.img,size=256M,format=none"
disk=$(attach 1-1)
mkfs.ext4 -q -F "$disk"
mount -t ext4 "$disk" "$WORK/mnt"
fio --name=verify --directory="$WORK/mnt" --rw=randwrite --bs=4k-128k --size=64M --ioengine=libaio --iodepth=8 \
    --direct=1 --verify=crc32c --verify_fatal=1 --end_fsync=1 --randseed=42 --output="$WORK/fio.txt" ||
    fail "fio: $(tail -n 20 "$WORK/fio.txt")"
umount "$WORK/mnt"
fsck.ext4 -f -n "$disk" >"$WORK/fsck" 2>&1 || fail "fsck.ext4: $(cat "$WORK/fsck")"
detach_all
stop_server
fsck.ext4 -f -n "$WORK/ext4.img" >"$WORK/fsck" 2>&1 || fail "fsck.ext4 of the image: $(cat "$WORK/fsck")"
note 'ext4: random writes verified, clean'

# --- a snapshot leaves its image alone
before=$(sha256sum <"$WORK/fat.img")
serve "drive:image=$WORK/fat.img,snapshot"
disk=$(attach 1-1)
mount -t vfat "$disk" "$WORK/mnt"
printf 'gone tomorrow\n' >"$WORK/mnt/temporary"
umount "$WORK/mnt"
detach_all
stop_server
expect 'checksum of the image under a snapshot' "$before" "$(sha256sum <"$WORK/fat.img")"
note 'a snapshot: the image is as it was'

# --- a kept snapshot has its changes again the next time
for round in 1 2; do
    serve "drive:image=$WORK/fat.img,snapshot=$WORK/delta"
    disk=$(attach 1-1)
    mount -t vfat "$disk" "$WORK/mnt"
    [ "$round" -eq 1 ] && printf 'kept\n' >"$WORK/mnt/kept.txt"
    expect "round $round: a file in a kept snapshot" kept "$(cat "$WORK/mnt/kept.txt")"
    umount "$WORK/mnt"
    detach_all
    stop_server
done
expect 'checksum of the image under a kept snapshot' "$before" "$(sha256sum <"$WORK/fat.img")"
note 'a kept snapshot: reopened'

# --- back into the folder that it came from, spelt another way: what its owner changed meanwhile stays
mkdir "$WORK/both"
printf 'old\n' >"$WORK/both/mine.txt"
printf 'old\n' >"$WORK/both/gone.txt"
serve "drive:dir=$WORK/both,sync-back=$WORK/./both/"
disk=$(attach 1-1)
mount -t vfat "$disk" "$WORK/mnt"
printf 'changed by the owner\n' >"$WORK/both/mine.txt"
rm "$WORK/mnt/gone.txt"
umount "$WORK/mnt"
detach_all
# The server ends at once; the copying must still be whole.
stop_server
expect 'a file that its owner changed' 'changed by the owner' "$(cat "$WORK/both/mine.txt")"
[ ! -e "$WORK/both/gone.txt" ] || fail 'a file that the client deleted came back'
note 'sync-back into the same folder'
