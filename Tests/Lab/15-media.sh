# Media change while the drive is plugged in, by `ghostplug ctl`: taken out, exchanged, grown, write protected.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

ctl() { "$GHOSTPLUG" ctl "$@" >"$WORK/answer" 2>"$WORK/refusal" || fail "ctl $*: $(cat "$WORK/refusal")"; }

act() { ctl 'do' "$@"; }

# refused WORD ARG...: ctl must fail, with WORD in what it says.
refused() {
    local word=$1
    shift
    if "$GHOSTPLUG" ctl "$@" >"$WORK/answer" 2>"$WORK/refusal"; then fail "ctl $* should have been refused"; fi
    grep -q -- "$word" "$WORK/refusal" || fail "ctl $* does not say '$word': $(cat "$WORK/refusal")"
}

size() { blockdev --getsize64 "$1" 2>/dev/null || echo none; }
md5() { md5sum <"$1" 2>/dev/null | cut -d' ' -f1; }
# has_size DISK MIB; the medium is looked at whenever the disk is opened.
has_size() { [ "$(size "$1")" = $(($2 << 20)) ]; }
is_empty() { ! dd if="$1" of=/dev/null bs=4k count=1 status=none 2>/dev/null; }
is_protected() { [ "$(blockdev --getro "$1" 2>/dev/null)" = "$2" ]; }
writes() { dd if=/dev/urandom of="$1" bs=4k count=1 conv=fsync status=none 2>/dev/null; }
# happened WORD...: whether one event has all the words.
happened() {
    local word
    "$GHOSTPLUG" ctl events >"$WORK/found" || return 1
    for word in "$@"; do
        grep -F -- "$word" "$WORK/found" >"$WORK/left" || return 1
        mv "$WORK/left" "$WORK/found"
    done
}
followed() { grep -q "$1" "$WORK/followed"; }

head -c 4M /dev/urandom >"$WORK/a.img"
head -c 6M /dev/urandom >"$WORK/b.img"
head -c 2M /dev/urandom >"$WORK/c.img"
a=$(md5 "$WORK/a.img")
b=$(md5 "$WORK/b.img")
serve "drive:image=$WORK/a.img" drive:size=16M,removable=no "drive:image=$WORK/c.img,luns=4"
disk=$(attach 1-1)
expect 'content at first' "$a" "$(md5 "$disk")"

ctl eject 1-1
wait_for 60 'the medium going' is_empty "$disk"
happened '"ejected"' '"by":"control"' '"busid":"1-1"' || fail 'no event tells of the eject'
refused insert eject 1-1
ctl insert 1-1 "image=$WORK/b.img"
wait_for 60 'the other medium' has_size "$disk" 6
expect 'content of the other medium' "$b" "$(md5 "$disk")"
happened '"inserted"' '"by":"control"' "$WORK/b.img" || fail 'no event tells of the insert'
note 'taken out, and another put in: 4 MiB became 6 MiB'

ctl insert 1-1 "image=$WORK/a.img"
wait_for 60 'the first medium' has_size "$disk" 4
expect 'content after an exchange without an eject' "$a" "$(md5 "$disk")"

# An open disk is locked; a hand can be stronger.
exec 9<"$disk"
refused force=yes eject 1-1
refused force=yes insert 1-1 "image=$WORK/b.img"
expect 'content while locked' "$a" "$(md5 "$disk")"
ctl eject 1-1 --force
blockdev --flushbufs "$disk" 2>/dev/null || true
if dd bs=4k count=1 skip=100 iflag=direct status=none of=/dev/null <&9 2>/dev/null; then fail 'a medium that is gone was read'; fi
exec 9<&-
ctl insert 1-1
wait_for 60 'the same medium again' has_size "$disk" 4
expect 'content after it came back' "$a" "$(md5 "$disk")"
note 'locked while open; taken out by force, and back'

eject "$disk"
happened '"ejected"' '"by":"host"' || fail 'no event tells that the host ejected the medium'
act 1-1 media
grep -q 'a\.img' "$WORK/answer" || fail "media does not say what is in the tray: $(cat "$WORK/answer")"
ctl insert 1-1
wait_for 60 'the medium from the tray' has_size "$disk" 4

act 1-1 resize size=5M
wait_for 60 'the new capacity' has_size "$disk" 5
expect 'size of the image file' $((5 << 20)) "$(stat -c %s "$WORK/a.img")"
expect 'content before the new end' "$a" "$(head -c 4M "$disk" | md5sum | cut -d' ' -f1)"
head -c 1M /dev/urandom >"$WORK/tail"
dd if="$WORK/tail" of="$disk" bs=1M seek=4 conv=fsync status=none || fail 'writing at the new end'
refused 'only grows' 'do' 1-1 resize size=4M
note 'grown: 4 MiB became 5 MiB'

act 1-1 write-protect on=yes
wait_for 60 'write protection' is_protected "$disk" 1
if writes "$disk"; then fail 'a write-protected medium was written'; fi
act 1-1 write-protect on=no
wait_for 60 'no write protection' is_protected "$disk" 0
writes "$disk" || fail 'the medium cannot be written after write protection'
note 'write protected, and not'

# Nobody opens the disk, and the kernel still learns of it, when it polls.
dmesg --clear
echo 1000 >/sys/module/block/parameters/events_dfl_poll_msecs
"$GHOSTPLUG" ctl events --follow --busid 1-1 >"$WORK/followed" &
follower=$!
wait_for 60 'polling' followed '"TEST UNIT READY"'
ctl insert 1-1 "image=$WORK/b.img" readonly=yes
wait_for 60 'the poll that finds a change' followed 'medium may have changed'
echo 0 >/sys/module/block/parameters/events_dfl_poll_msecs
expect 'capacity after the poll' $((6 << 20)) "$(size "$disk")"
expect 'write protection of the new medium' 1 "$(blockdev --getro "$disk")"
wait_for 60 'commands in words' followed '"READ CAPACITY(10)"'
kill "$follower"
wait "$follower" || true
cmp -s "$WORK/tail" <(tail -c 1M "$WORK/a.img") || fail 'what was written to the first medium is not in its file'

# A fixed disk grows under a mounted file system; Linux looks when it is told to.
fixed=$(attach 1-2)
rescan() { echo 1 >"/sys/block/$(basename "$fixed")/device/rescan"; }
mkdir -p "$WORK/mnt"
modprobe vfat
mount -t vfat "$fixed" "$WORK/mnt"
cp "$WORK/tail" "$WORK/mnt/before"
refused removable=yes eject 1-2
act 1-2 resize size=24M
rescan
wait_for 60 'the new capacity of the fixed disk' has_size "$fixed" 24
cp "$WORK/tail" "$WORK/mnt/after"
umount "$WORK/mnt"
mount -t vfat "$fixed" "$WORK/mnt"
for name in before after; do cmp "$WORK/tail" "$WORK/mnt/$name" || fail "file $name on the disk that grew"; done
umount "$WORK/mnt"
act 1-2 write-protect
rescan
wait_for 60 'write protection of the fixed disk' is_protected "$fixed" 1
act 1-2 write-protect on=no
rescan
wait_for 60 'no write protection of the fixed disk' is_protected "$fixed" 0
note 'a fixed disk grew while it was mounted'

# A card reader: each slot is its own.
before=$(disks | wc -l)
usb_attach 1-3
wait_for 90 'four slots' has_disks $((before + 4))
# slot NUMBER: the disk with that number; beyond 0, only the reader has any.
slot() {
    local disk
    for disk in /sys/block/sd*; do
        case $(readlink -f "$disk/device") in *:0:0:"$1") echo "/dev/$(basename "$disk")" ;; esac
    done
}
second=$(slot 1)
third=$(slot 2)
expect 'disks with the numbers 1 and 2' 2 "$(echo "$second" "$third" | wc -w)"
wait_for 60 'an empty slot' is_empty "$third"
ctl insert 1-3 lun=2 size=8M label=SLOT2
wait_for 60 'a medium in the third slot' has_size "$third" 8
expect 'label in the third slot' SLOT2 "$(blkid -p -s LABEL -o value "$third")"
is_empty "$second" || fail 'the second slot has a medium, too'
ctl eject 1-3 --lun 2
wait_for 60 'the third slot being empty' is_empty "$third"
refused '0 to 3' eject 1-3 --lun 4
act 1-3 media
note 'a card reader with four slots'

detach_all
stop_server
