# What the tests of real devices share: QEMU's devices, plugged in and exported. Sourced after lib.sh.
# shellcheck shell=bash
# shellcheck disable=SC2034  # Read by those who source this.
#
# A device is called by its kind (disk, fast-disk, uas, keyboard, mouse, tablet, serial, audio, mtp, net, ccid,
# hub-keyboard), and is always at the same place of the two empty controllers that `Scripts/lab --usb` has.

: "${LAB_HARDWARE:?boot the lab with --usb}"
hardware=$LAB_OUT/hardware
# usbipd beside our own server.
KERNEL_PORT=3241

qmp() { /usr/bin/python3 "$(dirname "${BASH_SOURCE[0]}")/qmp.py" "$@"; }

# add DRIVER NAME=VALUE...: a device of QEMU's.
add() { qmp device_add "driver=$1" "${@:2}" >/dev/null || fail "QEMU does not plug in: $*"; }

# controller ADDRESS SPEED: the number of the bus that the controller has for devices of that speed.
controller() {
    local speed
    for speed in /sys/bus/pci/devices/"$1"/usb*/speed; do
        [ "$(cat "$speed")" != "$2" ] || { cat "${speed%/speed}/busnum"; return; }
    done
    fail "the controller at $1 has no bus with $2 Mbit/s"
}

# hardware_up: the controllers, and what their devices need, since the lab's stand-in for udev is slow.
hardware_up() {
    modprobe -a xhci-pci ehci-pci sd_mod sg usb_storage uas usbhid hid_generic evdev ftdi_sio snd_usb_audio cdc_ether \
        rndis_host usbip-host ||
        fail 'the modules for QEMU'"'"'s devices do not load'
    # The devices that are always there are for others.
    if [ -e /sys/bus/pci/drivers/xhci_hcd/0000:00:10.0 ]; then
        echo 0000:00:10.0 >/sys/bus/pci/drivers/xhci_hcd/unbind
    fi
    bay=$(controller 0000:00:11.0 480)
    fast_bay=$(controller 0000:00:11.0 5000)
    ehci=$(controller 0000:00:12.0 480)
}

# busid_of KIND: where the hardware is, such as 3-1.2.
busid_of() {
    case $1 in
        fast-disk) echo "$fast_bay-1" ;;
        disk) echo "$ehci-1" ;;
        uas) echo "$ehci-2" ;;
        # Each beside one of its sort, to compare them.
        fast-twin) echo "$fast_bay-2" ;;
        twin) echo "$ehci-3" ;;
        keyboard) echo "$bay-11" ;;
        mouse) echo "$bay-3" ;;
        tablet) echo "$bay-4" ;;
        serial) echo "$bay-5" ;;
        audio) echo "$bay-6" ;;
        mtp) echo "$bay-7" ;;
        net) echo "$bay-8" ;;
        ccid) echo "$bay-9" ;;
        hub-keyboard) echo "$bay-10.1" ;;
        hub) echo "$bay-10" ;;
        *) fail "there is no device $1" ;;
    esac
}

folder_of() { echo "/sys/bus/usb/devices/$(busid_of "$1")"; }

# What is asked again and again starts no program: that takes long in an emulated machine.

is_gone() { [ ! -e "$1" ]; }

# value_of FILE: sets `value` to its first line; fails when that is empty, or it cannot be read.
value_of() {
    value=''
    { read -r value <"$1"; } 2>/dev/null && [ -n "$value" ]
}

is_configured() { value_of "$1/bConfigurationValue"; }

# plug_in KIND: plugs the hardware in, and waits until the kernel drives it.
plug_in() {
    put_in "$1"
    wait_until_in "$1"
}
put_in() {
    case $1 in
        fast-disk) add usb-storage id=fast-disk bus=bay.0 port=1 drive=disk0 serial=FAST0001 ;;
        disk) add usb-storage id=disk bus=ehci.0 port=1 drive=disk1 serial=DISK0001 ;;
        fast-twin) add usb-storage id=fast-twin bus=bay.0 port=2 drive=disk3 serial=FAST0002 ;;
        # After uas was pulled out, whose disk it has.
        twin) add usb-storage id=twin bus=ehci.0 port=3 drive=disk2 serial=DISK0002 ;;
        uas)
            add usb-uas id=uas bus=ehci.0 port=2
            add scsi-hd id=uas-disk bus=uas.0 drive=disk2
            # It waits until it has all its disks.
            qmp qom-set path=/machine/peripheral/uas property=attached value:=true >/dev/null
            ;;
        keyboard) add usb-kbd id=keyboard bus=bay.0 port=11 ;;
        mouse) add usb-mouse id=mouse bus=bay.0 port=3 ;;
        tablet) add usb-tablet id=tablet bus=bay.0 port=4 ;;
        serial) add usb-serial id=serial bus=bay.0 port=5 chardev=line ;;
        audio) add usb-audio id=audio bus=bay.0 port=6 audiodev=sound ;;
        mtp) add usb-mtp id=mtp bus=bay.0 port=7 "rootdir=$LAB_HARDWARE/media" desc=Player ;;
        net) add usb-net id=net bus=bay.0 port=8 netdev=lan ;;
        ccid)
            add usb-ccid id=ccid bus=bay.0 port=9
            add ccid-card-passthru id=ccid-card bus=ccid.0 chardev=card
            ;;
        hub-keyboard)
            add usb-hub id=hub bus=bay.0 port=10
            add usb-kbd id=hub-keyboard bus=bay.0 port=10.1
            ;;
    esac
}
wait_until_in() {
    wait_for 90 "the kernel's configuration of $1" is_configured "$(folder_of "$1")"
    wait_for 60 "drivers of $1" is_driven "$1"
}

# put_all_in: all of `kinds`, the last one first. Of two keyboards, QEMU's events go to the one that came last; so each
# has to be pulled out before the next one of `kinds` gets them. Of a mouse and a tablet, too.
kinds=(fast-disk disk uas hub-keyboard keyboard tablet mouse serial audio mtp net ccid)
put_all_in() {
    local index
    for ((index = ${#kinds[@]} - 1; index >= 0; index--)); do put_in "${kinds[index]}"; done
    for index in "${!kinds[@]}"; do wait_until_in "${kinds[index]}"; done
}
is_in_the_way() { [ "$1" = hub-keyboard ] || [ "$1" = tablet ]; }

# pull_out KIND...: back out, whatever is using them.
pull_out() {
    local kind names=()
    for kind in "$@"; do
        # The hub takes what hangs on it along.
        if [ "$kind" = hub-keyboard ]; then names+=(hub); else names+=("$kind"); fi
    done
    qmp unplug "${names[@]}" || fail "QEMU does not unplug ${names[*]}"
    for kind in "$@"; do wait_for 60 "the end of $kind in sysfs" is_gone "$(folder_of "$kind")"; done
}

# drivers_of FOLDER: what drives each interface of a device, such as "1.0=usbhid ".
drivers_of() {
    local interface driver
    for interface in "$1"/*:*; do
        [ -e "$interface/bInterfaceNumber" ] || continue
        driver=none
        [ ! -e "$interface/driver" ] || driver=$(basename "$(readlink -f "$interface/driver")")
        printf '%s=%s ' "${interface##*:}" "$driver"
    done
}

# wanted_drivers KIND: what the kernel drives it with.
wanted_drivers() {
    case $1 in
        *disk | *twin) echo '1.0=usb-storage ' ;;
        uas) echo '1.0=uas ' ;;
        keyboard | mouse | tablet | hub-keyboard) echo '1.0=usbhid ' ;;
        serial) echo '1.0=ftdi_sio ' ;;
        audio) echo '1.0=snd-usb-audio 1.1=snd-usb-audio ' ;;
        # User space does.
        mtp | ccid) echo '1.0=none ' ;;
        net) echo '1.0=cdc_ether 1.1=cdc_ether ' ;;
    esac
}

# is_driven_at KIND FOLDER; is_driven KIND: whether its interfaces have the kernel's drivers, where it is plugged in.
is_driven_at() {
    local wanted
    for wanted in $(wanted_drivers "$1"); do
        case $wanted in
            *=none) [ -e "$2/${2##*/}:${wanted%=*}" ] && [ ! -e "$2/${2##*/}:${wanted%=*}/driver" ] ;;
            *) [ "$2/${2##*/}:${wanted%=*}/driver" -ef "/sys/bus/usb/drivers/${wanted#*=}" ] ;;
        esac || return 1
    done
}
is_driven() { is_driven_at "$1" "$(folder_of "$1")"; }

# settled_drivers KIND FOLDER: those of an attached device, once they are what they should be, or after 20 s.
settled_drivers() {
    local left=100
    until is_driven_at "$1" "$2" || [ "$left" -eq 0 ]; do
        left=$((left - 1))
        sleep 0.2
    done
    drivers_of "$2"
}

# --- exported, by the kernel and by us, and attached

# identity FOLDER: sets `identity` to what a device says of itself, the same wherever it is attached.
identity() {
    local name value
    identity=''
    for name in idVendor idProduct serial; do
        value_of "$1/$name" || true
        identity+="$value "
    done
}

# places_on_vhci IDENTITY: sets `places` to the folders of the attached devices that say so; fails while there is none.
places_on_vhci() {
    local device identity
    places=()
    for device in /sys/devices/platform/vhci_hcd.*/usb*/*-*; do
        is_configured "$device" || continue
        identity "$device"
        [ "$identity" != "$1" ] || places+=("$device")
    done
    [ ${#places[@]} -gt 0 ]
}

# attach_device PORT BUSID KIND: attaches what a server exports, and says the folder of the device here.
attach_device() {
    local identity places
    identity "$(folder_of "$3")"
    usbip --tcp-port "$1" attach -r 127.0.0.1 -b "$2" >/dev/null 2>"$WORK/attach.err" ||
        fail "usbip attach -b $2 ($3): $(cat "$WORK/attach.err")"
    wait_for 90 "the configuration of $3 on vhci" places_on_vhci "$identity"
    echo "${places[0]}"
}

# port_of FOLDER: the number of the port where a device is attached, as usbip wants it.
port_of() {
    awk -v busid="${1##*/}" 'FNR > 1 && $3 == "006" && $NF == busid {print $2 + 0}' \
        /sys/devices/platform/vhci_hcd.*/status*
}

# detach_device FOLDER: as a user would.
detach_device() {
    local port
    port=$(port_of "$1")
    [ -n "$port" ] || fail "$1 is at no port"
    usbip detach -p "$port" >/dev/null 2>&1 || fail "usbip detach -p $port"
    wait_for 60 "the end of $1" is_gone "$1"
}

# kernel_export KIND, kernel_release KIND: through usbip-host and usbipd.
kernel_export() {
    pidof usbipd >/dev/null || usbipd -D --tcp-port "$KERNEL_PORT" || fail 'usbipd does not start'
    wait_for 30 usbipd usbip --tcp-port "$KERNEL_PORT" list -r 127.0.0.1
    usbip bind -b "$(busid_of "$1")" >/dev/null 2>"$WORK/bind.err" || fail "usbip bind of $1: $(cat "$WORK/bind.err")"
}
kernel_release() {
    usbip unbind -b "$(busid_of "$1")" >/dev/null 2>"$WORK/bind.err" ||
        fail "usbip unbind of $1: $(cat "$WORK/bind.err")"
    wait_for 60 "the drivers of $1 after usbip-host" is_driven "$1"
}
kernel_attach() { attach_device "$KERNEL_PORT" "$(busid_of "$1")" "$1"; }

# our_export KIND...: through our server; our_attach KIND: one of those.
our_export() {
    local kind specifications=()
    exported=("$@")
    for kind in "$@"; do specifications+=("real:$(busid_of "$kind")"); done
    serve "${specifications[@]}"
}
# our_busid KIND: what our server calls it.
our_busid() {
    local index
    for index in "${!exported[@]}"; do
        [ "${exported[index]}" != "$1" ] || sed -n "$((index + 1))s/ .*//p" "$WORK/serve.out"
    done
}
our_attach() { attach_device 3240 "$(our_busid "$1")" "$1"; }
# our_release KIND...: ends the server; what drove the devices must be back.
our_release() {
    stop_server
    local kind
    for kind in "$@"; do wait_for 60 "the drivers of $kind after our server" is_driven "$kind"; done
}
