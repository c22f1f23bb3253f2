# The kernel's usbtest driver against zero, at high speed and SuperSpeed, and against the kernel's own gadget zero.
#
# usb_f_ss_lb on dummy_hcd is the baseline: it shows that the cases, as they are run here, can pass.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
results=$LAB_OUT/usbtest-$(uname -r).tsv
printf '%s\t' target speed pattern case result seconds iterations length vary >"$results"
printf 'sglen\n' >>"$results"

# What follows overwrites the kernel's log: usbtest.py looks at each case's part of it.
if dmesg | grep -E 'BUG:|Oops|WARNING: CPU|general protection'; then fail 'the kernel had complained before'; fi

# Rather the distribution's: a version manager's python3 is a script that takes seconds to find the program.
python=$(PATH=/usr/bin:$PATH type -P python3) || fail 'there is no python3'

# vhci_hcd and usbtest write a line for nearly all that they do, and the emulated console takes a millisecond for each.
dmesg --console-level warn
modprobe usbtest
modprobe dummy_hcd is_super_speed=1
modprobe libcomposite
mountpoint -q /sys/kernel/config || mount -t configfs none /sys/kernel/config

# is_bound CONTROLLER: whether usbtest has a device on that controller; its folder in sysfs is then in $device.
is_bound() {
    local interface
    for interface in /sys/bus/usb/drivers/usbtest/*:*.0; do
        case $(readlink -f "$interface") in
            /sys/devices/platform/"$1"*) device=$(dirname "$(readlink -f "$interface")") && return ;;
        esac
    done
    return 1
}

# run_cases TARGET SPEED PATTERN CONTROLLER
run_cases() {
    wait_for 60 "usbtest binding to $1 at $2 speed" is_bound "$4"
    note "$1 at $2 speed, pattern $3, $(cat "$device/speed") Mb/s"
    expect "$1 at $2 speed: Mb/s" "$(case $2 in high) echo 480 ;; super) echo 5000 ;; esac)" "$(cat "$device/speed")"
    timeout --kill-after=5 150 "$python" "$here/usbtest.py" "$device" --pattern "$3" --limit 30 --out "$results" \
        --columns "$1 $2" || fail "$1 at $2 speed, pattern $3: not all cases could be run"
    # Read at the next binding.
    echo 0 >/sys/module/usbtest/parameters/alt
}

# make_gadget NAME SPEED PATTERN: the kernel's gadget zero, in the configurations that it has had since g_zero.
make_gadget() {
    local gadget=/sys/kernel/config/usb_gadget/$1
    mkdir "$gadget"
    echo 0x0525 >"$gadget/idVendor"
    echo 0xa4a0 >"$gadget/idProduct"
    echo "$2-speed" >"$gadget/max_speed"
    mkdir "$gadget/configs/c.3" "$gadget/configs/c.2" "$gadget/functions/SourceSink.0" "$gadget/functions/Loopback.0"
    case $3 in zeros) echo 0 ;; mod63) echo 1 ;; esac >"$gadget/functions/SourceSink.0/pattern"
    ln -s "$gadget/functions/SourceSink.0" "$gadget/configs/c.3"
    ln -s "$gadget/functions/Loopback.0" "$gadget/configs/c.2"
}

for speed in high super; do
    for pattern in zeros mod63; do
        make_gadget "$speed-$pattern" "$speed" "$pattern"
        echo dummy_udc.0 >"/sys/kernel/config/usb_gadget/$speed-$pattern/UDC"
        run_cases baseline "$speed" "$pattern" dummy_hcd
        echo >"/sys/kernel/config/usb_gadget/$speed-$pattern/UDC"
        wait_for 60 'the gadget going' test ! -e "$device"
    done
done

serve zero:speed=high zero:speed=high,pattern=mod63 zero:speed=super zero:speed=super,pattern=mod63
busid=1
for speed in high super; do
    for pattern in zeros mod63; do
        usb_attach 1-$busid
        run_cases ours "$speed" "$pattern" vhci_hcd
        detach_all
        busid=$((busid + 1))
    done
done
stop_server
dmesg --console-level info

# Ours passes all. The baseline passes all but those that it cannot know: see Scripts/usbtest-table.
awk -F '\t' '
    NR > 1 { found[$1, $2, $3, $4] = $5 }
    function judge(target, speed, pattern, number, expected,    result) {
        result = ((target, speed, pattern, number) in found) ? found[target, speed, pattern, number] : "not run"
        if (result == expected) return
        printf "  %s at %s speed, pattern %s, case %d: %s\n", target, speed, pattern, number, result
        failed = 1
    }
    END {
        split("high super", speeds, " ")
        data = " 1 2 3 4 5 6 7 8 13 17 18 19 20 24 25 26 29 "
        lacking = " 15 16 22 23 25 26 "
        for (s = 1; s <= 2; s++) for (number = 0; number < 30; number++) {
            known = lacking !~ (" " number " ")
            judge("ours", speeds[s], "zeros", number, "ok")
            judge("baseline", speeds[s], "zeros", number, known ? "ok" : "unsupported")
            if (data !~ (" " number " ")) continue
            judge("ours", speeds[s], "mod63", number, "ok")
            judge("baseline", speeds[s], "mod63", number, known ? "ok" : "unsupported")
        }
        exit failed
    }' "$results" || fail 'the cases above'
