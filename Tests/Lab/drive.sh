# Devices driven end to end through their class drivers, wherever they are attached. Sourced after hardware.sh.
# shellcheck shell=bash
# shellcheck disable=SC2154  # From hardware.sh.
#
# Each drive_KIND takes the device's sysfs folder and prints what came of it, in words that are the same wherever that
# is; what does not work ends the test.

# How much is written to a disk, twice.
DISK_BYTES=$((4 << 20))
helpers=$(dirname "${BASH_SOURCE[0]}")

# below FOLDER NAME: the name of the first thing of that pattern below a device, such as sda or ttyUSB0.
below() { find "$1/" -name "$2" -printf '%f\n' 2>/dev/null | sort | head -n 1; }
has_below() { [ -n "$(below "$1" "$2")" ]; }
# node_of FOLDER PATTERN WHAT
node_of() {
    wait_for 60 "$3 of ${1##*/}" has_below "$1" "$2"
    below "$1" "$2"
}

sum() { sha256sum "$1" | cut -c 1-16; }

# bytes FILE SIZE: the same bytes each time, that look like none in particular.
bytes() {
    [ -e "$1" ] || /usr/bin/python3 -c 'import random, sys
sys.stdout.buffer.write(random.Random(1).randbytes(int(sys.argv[1])))' "$2" >"$1"
    expect "size of $1" "$2" "$(stat -c %s "$1")"
}

# drive_files: what devices are to be asked for.
drive_files() {
    bytes "$hardware/media/song.bin" 100000
    bytes "$hardware/tftp/file.bin" 60000
}

# class_of KIND: which drive_... is for it.
class_of() {
    case $1 in
        fast-disk | uas) echo disk ;;
        hub-keyboard) echo keyboard ;;
        *) echo "$1" ;;
    esac
}

# disk_of FOLDER: its disk, when that can be read, such as /dev/sda.
disk_of() {
    local disk
    disk=$(node_of "$1" 'sd[a-z]*' 'the disk')
    wait_for 60 "a medium in $disk" ready "$disk"
    echo "/dev/$disk"
}

# drive_disk FOLDER: a file system with files, and data that fio writes and verifies.
drive_disk() {
    local disk index
    disk=$(disk_of "$1") || exit 1
    bytes "$WORK/payload" "$DISK_BYTES"
    mkfs.ext4 -q -F -E nodiscard "$disk" 65536 || fail "mkfs.ext4 $disk"
    mount "$disk" "$WORK/mnt" || fail "mount $disk"
    cp "$WORK/payload" "$WORK/mnt/large" || fail 'writing a large file'
    mkdir "$WORK/mnt/small"
    for index in $(seq 50); do
        dd if="$WORK/payload" of="$WORK/mnt/small/$index" bs=1000 skip="$index" count="$index" status=none ||
            fail 'writing small files'
    done
    fio --name=verify --filename="$WORK/mnt/fio" --size="$DISK_BYTES" --bsrange=4k-128k --rw=randwrite \
        --verify=crc32c --verify_fatal=1 --direct=1 --ioengine=psync >"$WORK/fio.out" 2>&1 ||
        fail "fio: $(tail -n 20 "$WORK/fio.out")"
    # What it writes is different each time.
    (cd "$WORK/mnt" && sha256sum fio >fio.sum) || fail 'reading what fio has written'
    umount "$WORK/mnt" || fail "umount $disk"
    echo "$(blockdev --getsz "$disk") sectors, fio verified"
}

# drive_disk_again FOLDER: what drive_disk has left on it, wherever that was.
drive_disk_again() {
    local disk
    disk=$(disk_of "$1") || exit 1
    fsck.ext4 -f -n "$disk" >"$WORK/fsck.out" 2>&1 || fail "fsck finds fault: $(cat "$WORK/fsck.out")"
    mount -o ro "$disk" "$WORK/mnt" || fail "mount $disk again"
    printf 'large %s, ' "$(sum "$WORK/mnt/large")"
    printf 'small %s, ' "$(cd "$WORK/mnt/small" && sha256sum -- * | sort -k 2 -n | sha256sum | cut -c 1-16)"
    (cd "$WORK/mnt" && sha256sum --quiet -c fio.sum >&2) || fail 'what fio has written is not there'
    echo 'fio as written'
    umount "$WORK/mnt" || fail "umount $disk"
}

# inputs FOLDER ARG...: the frames that evdev shows of what QEMU's monitor is told to do.
inputs() {
    node_of "$1" 'event[0-9]*' 'events' >/dev/null || exit 1
    /usr/bin/python3 "$helpers/evdev_events.py" "$1" -- /usr/bin/python3 "$helpers/qmp.py" "${@:2}" |
        paste -sd ';' || fail "events of ${1##*/}"
}

# drive_keyboard FOLDER: keys one by one, and a chord.
drive_keyboard() {
    local found
    found=$(inputs "$1" key g h shift+o s t f12) || exit 1
    expect 'keys' "$(printf 'KEY_%s;' 0x22=1 0x22=0 0x23=1 0x23=0 \
        0x2a=1 0x18=1 0x18=0 0x2a=0 0x1f=1 0x1f=0 0x14=1 0x14=0 0x58=1 0x58=0)" "$found;"
    echo "$found"
}

# drive_mouse FOLDER: movement, a button, the wheel.
drive_mouse() {
    local found
    found=$(inputs "$1" move 5 -3 , button down left , move -1 0 , button up left , button down wheel-up) || exit 1
    expect 'a mouse' \
        'REL_X=5 REL_Y=-3;BTN_LEFT=1;REL_X=-1;BTN_LEFT=0;REL_WHEEL=1 REL_WHEEL_HI_RES=120' "$found"
    echo "$found"
}

# drive_tablet FOLDER: places, and a click.
drive_tablet() {
    local found
    found=$(inputs "$1" place 16384 8192 , place 100 32767 , button down right , button up right) || exit 1
    expect 'a tablet' 'ABS_X=16384 ABS_Y=8192;ABS_X=100 ABS_Y=32767;BTN_RIGHT=1;BTN_RIGHT=0' "$found"
    echo "$found"
}

# port_named NAME: the virtio port where QEMU has the other end of a device.
port_named() {
    local name
    name=$(grep -lx "ghostplug.$1" /sys/class/virtio-ports/*/name) || fail "this machine has no port for $1"
    echo "/dev/$(basename "$(dirname "$name")")"
}

# drive_serial FOLDER: bytes both ways at once, between ttyUSB and the other end of the line.
drive_serial() {
    local tty
    tty=$(node_of "$1" 'ttyUSB*' 'a terminal') || exit 1
    /usr/bin/python3 "$helpers/serial_bytes.py" "/dev/$tty" "$(port_named line)" 20000 || fail "bytes of $tty"
}

# drive_audio FOLDER: a sound, in isochronous packets; QEMU writes down what it has heard.
drive_audio() {
    local card
    card=$(node_of "$1" 'card[0-9]*' 'a sound card') || exit 1
    echo x >>"$WORK/played"
    /usr/bin/python3 "$helpers/sound.py" make "$WORK/sound.wav" "$(wc -l <"$WORK/played")" || fail 'making a sound'
    timeout 60 aplay -q -D "hw:${card#card},0" "$WORK/sound.wav" || fail "aplay on $card"
    echo played
}

# heard NUMBER: how much has been heard of the sound that was played as that one, from 1 on. After the card is
# unplugged, which makes QEMU write the rest to its file.
heard() { /usr/bin/python3 "$helpers/sound.py" find "$hardware/sound.wav" "$1" || fail 'the sound was not heard'; }

# only_usb FOLDER COMMAND...: runs it where that is the only USB device there is a node for, so that libusb programs
# that look for a device of their kind do not find the hardware behind it.
only_usb() {
    local bus device
    mkdir -p /run/lab/usb
    bus=$(printf '%03d' "$(cat "$1/busnum")")
    device=$(printf '%03d' "$(cat "$1/devnum")")
    # shellcheck disable=SC2016  # For the shell inside.
    unshare --mount bash -c 'mount -t tmpfs usb /run/lab/usb && mkdir /run/lab/usb/"$1" &&
        touch /run/lab/usb/"$1/$2" && mount --bind "/dev/bus/usb/$1/$2" "/run/lab/usb/$1/$2" &&
        mount --rbind /run/lab/usb /dev/bus/usb && exec "${@:3}"' only_usb "$bus" "$device" "${@:2}"
}

# drive_mtp FOLDER: a program that finds the player, lists what it has, and copies a file from it.
drive_mtp() {
    local identity
    only_usb "$1" timeout 120 mtp-files >"$WORK/mtp" 2>&1 || fail "mtp-files: $(tail -n 5 "$WORK/mtp")"
    identity=$(awk '/^File ID:/ {id = $3} /Filename: song.bin/ {print id}' "$WORK/mtp")
    [ -n "$identity" ] || fail "mtp-files does not list the file: $(cat "$WORK/mtp")"
    rm -f "$WORK/song"
    only_usb "$1" timeout 120 mtp-getfile "$identity" "$WORK/song" >"$WORK/mtp.get" 2>&1 ||
        fail "mtp-getfile: $(tail -n 5 "$WORK/mtp.get")"
    cmp "$WORK/song" "$hardware/media/song.bin" || fail 'the file from the player differs'
    echo "$(stat -c %s "$WORK/song") bytes $(sum "$WORK/song")"
}

# fetch FOLDER DRIVER: a file from the only machine there is in that network.
fetch() {
    local link
    link=$(node_of "$1" 'usb[0-9]' 'a network interface') || exit 1
    expect "the driver of $link" "$2" "$(basename "$(readlink -f "/sys/class/net/$link/device/driver")")"
    ip addr add 10.0.2.15/24 dev "$link" || fail "an address for $link"
    ip link set "$link" up || fail "$link does not come up"
    rm -f "$WORK/fetched"
    timeout 90 busybox tftp -g -b 1024 -l "$WORK/fetched" -r file.bin 10.0.2.2 || fail "no answer over $link"
    cmp "$WORK/fetched" "$hardware/tftp/file.bin" || fail 'the file from the network differs'
    printf '%s: %s bytes %s\n' "$2" "$(stat -c %s "$WORK/fetched")" "$(sum "$WORK/fetched")"
}

# drive_net FOLDER: a file over each of the two configurations.
drive_net() {
    local configuration
    configuration=$(cat "$1/bConfigurationValue")
    fetch "$1" cdc_ether || exit 1
    # The other of the two.
    echo $((3 - configuration)) >"$1/bConfigurationValue" || fail 'the other configuration'
    fetch "$1" rndis_host || exit 1
    echo "$configuration" >"$1/bConfigurationValue" || fail 'the first configuration again'
    fetch "$1" cdc_ether || exit 1
}

has_card() { timeout 20 opensc-tool --list-readers | grep -q ' Yes '; }

# drive_ccid FOLDER: a reader for pcscd, the card's ATR, and commands to it. The card is a program at QEMU's other end.
drive_ccid() {
    local daemon card status=0
    rm -rf /run/pcscd
    mkdir /run/pcscd
    /usr/bin/python3 "$helpers/smart_card.py" "$(port_named card)" 2>"$WORK/card.err" &
    card=$!
    only_usb "$1" pcscd --foreground >"$WORK/pcscd" 2>&1 &
    daemon=$!
    read_card() {
        wait_for 30 'pcscd' test -S /run/pcscd/pcscd.comm
        wait_for 60 'a reader with a card' has_card
        timeout 20 opensc-tool --list-readers | awk '/ Yes / {sub(/^.* Yes +/, ""); print "reader " $0}' | xargs
        timeout 20 opensc-tool --atr 2>/dev/null | sed 's/^/ATR /'
        timeout 20 opensc-tool --card-driver default --send-apdu 00:CA:01:02:08 2>&1 |
            tail -n +2 | xargs
    }
    (read_card) >"$WORK/ccid" 2>&1 || status=$?
    # shellcheck disable=SC2046  # One word for each.
    kill "$card" $(pidof pcscd) 2>/dev/null || true
    wait "$daemon" "$card" 2>/dev/null || true
    [ "$status" -eq 0 ] || fail "the card: $(cat "$WORK/ccid" "$WORK/card.err"; tail -n 20 "$WORK/pcscd")"
    paste -sd ';' "$WORK/ccid"
}
