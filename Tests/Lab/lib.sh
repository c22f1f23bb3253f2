# What the lab's tests share. Sourced by each; see run.
# shellcheck shell=bash
set -euo pipefail

: "${GHOSTPLUG:?the ghostplug binary to test}" "${LAB_SCRATCH:?run this in the lab}" "${LAB_OUT:?run this in the lab}"
WORK=$(mktemp -d -p "$LAB_SCRATCH")
server=''
clock=''

# Ends the test with what was expected and what was found.
fail() {
    printf 'FAILED: %s\n' "$*" >&2
    exit 1
}

note() { printf '  %s\n' "$*"; }

# expect WHAT EXPECTED FOUND
expect() { [ "$2" = "$3" ] || fail "$1: expected '$2', found '$3'"; }

# wait_for SECONDS WHAT COMMAND...: until COMMAND succeeds.
wait_for() {
    local seconds=$1 what=$2 end
    shift 2
    end=$((SECONDS + seconds))
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$end" ] || fail "$what did not happen within $seconds s"
        sleep 0.1
    done
}

# serve ARG...: starts the server and waits until it is ready.
serve() {
    "$GHOSTPLUG" serve "$@" >"$WORK/serve.out" 2>>"$WORK/serve.log" &
    server=$!
    wait_for 60 "the server's readiness" grep -q '^attach with' "$WORK/serve.out"
}

# Ends the server as a user would; it must succeed.
stop_server() {
    kill -TERM "$server"
    local status=0
    wait "$server" || status=$?
    server=''
    expect 'exit status of the server after SIGTERM' 0 "$status"
}

cleanup() {
    local status=$?
    set +e
    detach_all 2>/dev/null
    [ -z "$server" ] || kill -KILL "$server" 2>/dev/null
    # Those that were left in the background.
    pkill -KILL -f 'ghostplug plug' 2>/dev/null
    [ -z "$clock" ] || kill "$clock" 2>/dev/null
    if [ "$status" -ne 0 ]; then
        sed 's/^/  server: /' "$WORK/serve.log" 2>/dev/null | tail -n 20
        dmesg | tail -n 25 | sed 's/^/  kernel: /'
    fi
    mountpoint -q "$WORK/mnt" && umount -l "$WORK/mnt"
    rm -rf "$WORK"
    exit "$status"
}
trap cleanup EXIT

# The disks that hang on vhci, without /dev/.
disks() {
    local disk
    for disk in /sys/block/sd*; do
        [ -e "$disk" ] || continue
        case $(readlink -f "$disk") in
            *vhci_hcd*) basename "$disk" ;;
        esac
    done
}

has_disks() { [ "$(disks | wc -l)" -eq "$1" ]; }

# ready DISK: whether its medium can be read.
ready() { [ "$(blockdev --getsz "/dev/$1")" -gt 0 ]; }

usb_attach() { usbip attach -r 127.0.0.1 -b "$1" || fail "usbip attach -b $1"; }

# attach BUSID: plugs the drive in, and says which disk it has become, such as /dev/sda.
attach() {
    local before after
    before=$(disks | sort)
    usb_attach "$1"
    wait_for 90 "a disk for $1" has_new_disk "$before"
    after=$(disks | sort | comm -13 <(printf '%s\n' "$before") - | head -n 1)
    wait_for 60 "a medium in $after" ready "$after"
    printf '/dev/%s\n' "$after"
}

has_new_disk() { [ -n "$(disks | sort | comm -13 <(printf '%s\n' "$1") -)" ]; }

ports_in_use() { awk '$3 == "006" || $3 == "005" {print $2 + 0}' /sys/devices/platform/vhci_hcd.*/status*; }

no_ports_in_use() { [ -z "$(ports_in_use)" ]; }

detach_all() {
    local port
    for port in $(ports_in_use); do usbip detach -p "$port" >/dev/null 2>&1 || true; done
    wait_for 60 'detaching' no_ports_in_use
    wait_for 60 'the disks going' has_disks 0
}

# usb_device: the sysfs folder of the attached device.
usb_device() {
    local device
    for device in /sys/devices/platform/vhci_hcd.*/usb*/*/idProduct; do
        case $device in */usb*/*-*) dirname "$device" ;; esac
    done | head -n 1
}

# watch_clock: measures from now on for how long this emulated machine stands still; stood_still: the worst, in ms.
#
# A busy host can stop it for longer than the kernel waits for a control transfer (3 s); the kernel then resets the
# device, which is nobody's fault here.
watch_clock() {
    [ -z "$clock" ] || kill "$clock" 2>/dev/null || true
    echo 0 >"$WORK/still"
    (
        worst=0
        last=$(date +%s%3N)
        while sleep 0.1; do
            now=$(date +%s%3N)
            if [ $((now - last - 100)) -gt "$worst" ]; then
                worst=$((now - last - 100))
                echo "$worst" >"$WORK/still"
            fi
            last=$now
        done
    ) &
    clock=$!
}
stood_still() { cat "$WORK/still"; }

mkdir -p "$WORK/mnt"
modprobe vhci-hcd
# Storage waits a second before it looks at a new disk; nothing here needs that.
modprobe usb-storage delay_use=0
