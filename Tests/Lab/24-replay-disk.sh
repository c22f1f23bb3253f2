# Disks replayed from captures: usb-storage binds, and each block that was read then is read back the same, judged by a
# reader of its own that shares nothing with ours; and a serial adapter, which answers as it did.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=Tests/Lab/replay.sh
source "$(dirname "${BASH_SOURCE[0]}")/replay.sh"
# shellcheck source=Tests/Lab/hardware.sh
source "$(dirname "${BASH_SOURCE[0]}")/hardware.sh"

modprobe -a sd_mod sg usb_storage cdc_acm ftdi_sio

# replayed_disk FILE DEVICE IDENTITY [OPTION]...: attaches it; DEVICE is what `device=` takes, empty where there is one
# only; IDENTITY what recorded.py takes. Sets `disk`.
replayed_disk() {
    local file=$1 identity=$3 compared option all='' more=()
    if [ -n "$2" ]; then all=,device=$2 more=(--device "$2"); fi
    for option in "${@:4}"; do
        all+=,$option
        [[ $option != descriptors=* ]] || more+=(--descriptors "${option#*=}")
    done
    replay "$file$all"
    is_there() { has_disks 1 && ready "$(disks)"; }
    wait_for 90 "the disk of ${file##*/}" is_there
    disk=/dev/$(disks)
    [ -n "$(find "$place/" -path '*:*/driver' -prune -lname '*usb-storage')" ] || fail "${file##*/}: not usb-storage"
    compared=$(python recorded_disk compare "$file" "$identity" "$disk") || fail "${file##*/}: the blocks: $compared"
    note "${file##*/}: $compared as recorded; $(cat "$place/speed") Mbit/s"

    # The image that show makes, against the one that is put together here.
    python recorded_disk image "$file" "$identity" "$WORK/wanted.img" >"$WORK/ranges"
    rm -f "$WORK/shown.img"
    "$GHOSTPLUG" show "$file" ${more[@]+"${more[@]}"} --image "$WORK/shown.img" >"$WORK/show.out" 2>&1 ||
        fail "show --image: $(cat "$WORK/show.out")"
    [ "$(stat -c %s "$WORK/shown.img")" -ge "$(stat -c %s "$WORK/wanted.img")" ] || fail 'show --image is too short'
    truncate -s "$(stat -c %s "$WORK/shown.img")" "$WORK/wanted.img"
    cmp "$WORK/wanted.img" "$WORK/shown.img" || fail "${file##*/}: show --image differs"
    note "${file##*/}: show --image has the same $(head -n 1 "$WORK/ranges")"
}

# overwritten: a block that is written keeps what was written, and the others what they had.
overwritten() {
    dd if=/dev/urandom of="$WORK/block" bs=512 count=1 status=none
    dd if="$disk" of="$WORK/next" bs=512 skip=1 count=1 iflag=direct status=none
    dd if="$WORK/block" of="$disk" bs=512 count=1 oflag=direct status=none || fail 'a write'
    dd if="$disk" of="$WORK/back" bs=512 count=2 iflag=direct status=none || fail 'reading what was written'
    cat "$WORK/block" "$WORK/next" | cmp - "$WORK/back" || fail 'a write is not kept, or changed what is beside it'
    note 'a write is kept over the recording'
}

# content NAME WHAT: the checksum that was noted when a capture was made.
content() {
    awk -F '\t' -v name="$1" -v what="$2" '$1 == name && $2 == what {print substr($3, 1, 64)}' "$fixtures/contents.txt"
}

# files NAME: the files that were read in our own captures.
files() {
    local file
    mount -t vfat -o ro,noatime "$disk" "$WORK/mnt" || fail "mount $1"
    for file in readme.txt read.bin; do
        expect "$file of $1" "$(content "$1" "$file, read")" "$(sha256sum <"$WORK/mnt/$file" | cut -d ' ' -f 1)"
    done
    umount "$WORK/mnt"
    # What was written then is in the image of the end.
    MTOOLS_SKIP_CHECK=1 mcopy -n -i "$WORK/shown.img" ::written.bin "$WORK/written.bin" || fail "written.bin of $1"
    expect "written.bin of $1" "$(content "$1" 'written.bin, written')" \
        "$(sha256sum <"$WORK/written.bin" | cut -d ' ' -f 1)"
    note "$1: its files are there, and what was written is in the image"
}

replayed_disk "$fixtures/disk.pcapng.gz" '' 46f4:0001
files disk
overwritten
end_replay any
replayed_disk "$fixtures/gadget-disk.pcapng.gz" '' 1209:7a64
files gadget-disk
end_replay any

# has_tty PATTERN
has_tty() {
    tty=$(find "$place/" -name "$1" -printf '%f\n' | grep -v '^tty$' | head -n 1)
    [ -n "$tty" ] && [ -c "/dev/$tty" ]
}
replay "$fixtures/serial.pcapng"
wait_for 90 'the serial adapter' has_tty 'ttyUSB*'
said=$(python recorded_serial "$fixtures/serial.pcapng" 0403:6001 "/dev/$tty" 0x02 0x81 2) ||
    fail "the serial adapter: $said"
note "serial.pcapng: $said"
end_replay any

if has_other bluepill-msc-linux.pcapng; then
    replayed_disk "$others/bluepill-msc-linux.pcapng" 1209:db42 1209:db42
    overwritten
    wait_for 90 'its serial half' has_tty 'ttyACM*'
    said=$(python recorded_serial "$others/bluepill-msc-linux.pcapng" 1209:db42 "/dev/$tty" 0x01 0x82) ||
        fail "the serial half: $said"
    note "its serial half: $said"
    end_replay any
fi
if has_other bluepill-msc-windows.pcapng; then
    # Linux looks for partitions in blocks that Windows did not read.
    replayed_disk "$others/bluepill-msc-windows.pcapng" 1209:db42 1209:db42 missing=zero
    end_replay any
fi
if has_other usbip-kernel-stub.pcapng; then
    # Its import and its enumeration are not in the capture, so it is the one without ids. What it was is known: another
    # of the sort has the descriptors.
    hardware_up
    plug_in fast-disk
    cat "$(folder_of fast-disk)/descriptors" >"$WORK/descriptors"
    pull_out fast-disk
    number=$("$GHOSTPLUG" show "$others/usbip-kernel-stub.pcapng" --summary --json |
        jq -r '[.devices[] | select(.idVendor == null) | .device][0]')
    replayed_disk "$others/usbip-kernel-stub.pcapng" "$number" - missing=zero "descriptors=$WORK/descriptors"
    expect 'speed of the SuperSpeed disk' 5000 "$(cat "$place/speed")"
    end_replay any
fi
