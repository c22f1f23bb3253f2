# Mouse, tablet, touchscreen and gamepads: what evdev, udev, libinput, hid-tools and hidraw make of them.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

python="${GHOSTPLUG_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ghostplug}/python"
[ -x "$python/bin/hid-decode" ] || fail "hid-tools is not in $python: run Scripts/setup"
declare -A product=([1-1]=6d6f [1-2]=7461 [1-3]=7473 [1-4]=6770 [1-5]=7862)
udev_runs=''

stop_udev() {
    [ -z "$udev_runs" ] || udevadm control --exit || true
    udev_runs=''
}
finish() {
    local status=$?
    set +e
    stop_udev
    (exit "$status")
    cleanup
}
trap finish EXIT

# folder BUSID: the sysfs folder of the attached device.
folder() {
    local file
    for file in /sys/devices/platform/vhci_hcd.*/usb*/*/idProduct; do
        if [ "$(cat "$file")" = "${product[$1]}" ]; then dirname "$file"; fi
    done
}
# node BUSID NAME: such as event3 or hidraw0; fails while there is none.
node() {
    local device found
    device=$(folder "$1")
    [ -n "$device" ] || return 1
    found=$(find "$device" -type d -name "$2[0-9]*" | head -n 1)
    found=${found##*/}
    [ -n "$found" ] || return 1
    [ -e "/dev/input/$found" ] || [ -e "/dev/$found" ] || return 1
    printf '%s\n' "$found"
}
is_ready() { node "$1" event && node "$1" hidraw; }

events() { /usr/bin/python3 evdev_events.py "$(folder "$1")" -- "$GHOSTPLUG" ctl 'do' "$@" 2>"$WORK/events.err"; }

# does BUSID EXPECTED ACTION ARG...: the frames that evdev must show of an action, with semicolons between them.
does() {
    local busid=$1 expected=$2 found
    shift 2
    found=$(events "$busid" "$@") || fail "$busid $*: $(cat "$WORK/events.err")"
    expect "events of $busid $*" "$expected" "$(printf '%s\n' "$found" | paste -sd ';')"
}

# has BUSID LINE...: what the device must say it can do.
has() {
    local busid=$1 line
    shift
    /usr/bin/python3 evdev_events.py --describe "$(folder "$busid")" >"$WORK/can"
    for line in "$@"; do grep -qxF "$line" "$WORK/can" || fail "$busid has no '$line': $(paste -sd ';' "$WORK/can")"; done
}

# rumbles FORMAT BUSID CONDITION: writes to hidraw, and waits for the event that tells of it.
told() {
    "$GHOSTPLUG" ctl events >"$WORK/told" || return 1
    jq -e --arg busid "$1" "select(.event == \"rumble\" and .busid == \$busid and $2)" "$WORK/told" >/dev/null
}
rumbles() {
    # The shell's own printf writes line by line, and a report is one write.
    # shellcheck disable=SC2059
    env printf "$1" >"/dev/$(node "$2" hidraw)" || fail "hidraw of $2 takes no output report"
    wait_for 60 "an event of $2 with $3" told "$2" "$3"
}

# libinput_says NODE KEY: what `libinput list-devices` has on a device, nothing when it does not list it.
libinput_says() {
    awk -v node="/dev/input/$1" -v key="$2:" '
        /^Kernel:/ {ours = $2 == node}
        ours && index($0, key) == 1 {sub(/^[^:]*: */, ""); sub(/ *$/, ""); print}' "$WORK/libinput"
}

modprobe evdev
serve mouse tablet touchscreen gamepad gamepad:kind=xbox
for busid in 1-1 1-2 1-3 1-4 1-5; do
    usb_attach "$busid"
    wait_for 90 "nodes of $busid" is_ready "$busid"
done

# --- What they can do, as the kernel has understood.
has 1-1 BTN_LEFT BTN_RIGHT BTN_MIDDLE BTN_SIDE BTN_EXTRA REL_X REL_Y REL_WHEEL_HI_RES REL_HWHEEL_HI_RES
has 1-2 BTN_LEFT BTN_RIGHT BTN_MIDDLE REL_WHEEL 'ABS_X 0 32767 0' 'ABS_Y 0 32767 0'
# 32767 places on 345 and 194 mm.
has 1-3 'property DIRECT' BTN_TOUCH 'ABS_MT_SLOT 0 9 0' 'ABS_MT_POSITION_X 0 32767 95' \
    'ABS_MT_POSITION_Y 0 32767 169' 'ABS_MT_TOUCH_MAJOR 0 32767 95' 'ABS_MT_PRESSURE 0 255 0'
has 1-4 BTN_SOUTH BTN_THUMBR 'ABS_X -32767 32767 0' 'ABS_RY -32767 32767 0' 'ABS_Z 0 255 0' 'ABS_HAT0X -1 1 0'
has 1-5 BTN_SOUTH BTN_MODE KEY_RECORD 'ABS_X 0 65535 0' 'ABS_RZ 0 65535 0' 'ABS_GAS 0 1023 0' 'ABS_HAT0Y -1 1 0'
driver=$(basename "$(readlink -f "/sys/class/hidraw/$(node 1-3 hidraw)/device/driver")")
expect 'the touchscreen'"'"'s driver' hid-multitouch "$driver"
note 'capabilities are what the report descriptors say'

# --- Mouse.
does 1-1 'REL_X=5 REL_Y=-3' mouse dx=5 dy=-3
does 1-1 'REL_X=-20000;REL_X=-20000' mouse dx=-40000
does 1-1 "$(printf 'REL_X=10%.0s;' 1 2 3 4 5 6 7 8 9)REL_X=10" mouse dx=100 duration=0.08
# The kernel has turned the resolution multipliers on; it adds up 120 parts to a detent.
does 1-1 'REL_WHEEL_HI_RES=60' mouse wheel=0.5
does 1-1 'REL_WHEEL=1 REL_WHEEL_HI_RES=60 REL_HWHEEL=-1 REL_HWHEEL_HI_RES=-120' mouse wheel=0.5 tilt=-1
does 1-1 'BTN_LEFT=1;BTN_LEFT=0;BTN_LEFT=1;BTN_LEFT=0' mouse click=left count=2
does 1-1 'BTN_RIGHT=1 BTN_SIDE=1' mouse press=right,back
does 1-1 'REL_Y=7' mouse dy=7
does 1-1 'BTN_MIDDLE=1 BTN_EXTRA=1;BTN_MIDDLE=0 BTN_EXTRA=0;BTN_RIGHT=0 BTN_SIDE=0' \
    mouse click=middle,forward release=right,back
does 1-1 'BTN_LEFT=1;REL_X=1 REL_Y=1;BTN_LEFT=0' mouse drag=left dx=1 dy=1
note 'mouse: movement, divided and smooth; wheels in 1/120 detents; all buttons'

# --- Tablet.
does 1-2 'ABS_X=16384 ABS_Y=8192;REL_WHEEL=-2 REL_WHEEL_HI_RES=-240;BTN_RIGHT=1;BTN_RIGHT=0' \
    tablet x=0.5 y=0.25 click=right wheel=-2
does 1-2 'ABS_X=0 ABS_Y=32767' tablet x=0 y=1
does 1-2 'ABS_X=100 ABS_Y=100;BTN_LEFT=1;ABS_X=200;ABS_X=300;BTN_LEFT=0' \
    tablet unit=raw x=100 y=100 drag=left to-x=300 duration=0.016
note 'tablet: places, a drag, buttons and wheel'

# --- Touchscreen.
finger='ABS_MT_PRESSURE=128 ABS_MT_TOUCH_MAJOR=760 ABS_MT_TOUCH_MINOR=760'
up='BTN_TOUCH=0 ABS_PRESSURE=0'
does 1-3 "ABS_MT_TRACKING_ID=0 ABS_MT_POSITION_X=16384 ABS_MT_POSITION_Y=8192 $finger BTN_TOUCH=1 ABS_X=16384 \
ABS_Y=8192 ABS_PRESSURE=128;ABS_MT_TRACKING_ID=-1 $up" touch x=0.5 y=0.25
does 1-3 "ABS_MT_TRACKING_ID=1 ABS_MT_POSITION_X=3277 ABS_MT_POSITION_Y=3277 ABS_MT_SLOT=1 ABS_MT_TRACKING_ID=2 \
ABS_MT_POSITION_X=6553 ABS_MT_POSITION_Y=6553 $finger BTN_TOUCH=1 ABS_X=3277 ABS_Y=3277 ABS_PRESSURE=128;\
ABS_MT_SLOT=0 ABS_MT_POSITION_X=6553 ABS_MT_SLOT=1 ABS_MT_POSITION_X=9830 ABS_X=6553;\
ABS_MT_SLOT=0 ABS_MT_POSITION_X=9830 ABS_MT_SLOT=1 ABS_MT_POSITION_X=13107 ABS_X=9830;\
ABS_MT_SLOT=0 ABS_MT_TRACKING_ID=-1 ABS_MT_SLOT=1 ABS_MT_TRACKING_ID=-1 $up" \
    touch gesture=swipe contacts=0.1/0.1,0.2/0.2 to-x=0.3 duration=0.02
does 1-3 "ABS_MT_SLOT=0 ABS_MT_TRACKING_ID=3 ABS_MT_POSITION_X=11468 ABS_MT_POSITION_Y=16384 ABS_MT_SLOT=1 \
ABS_MT_TRACKING_ID=4 ABS_MT_POSITION_X=21299 ABS_MT_POSITION_Y=16384 BTN_TOUCH=1 ABS_X=11468 ABS_Y=16384 \
ABS_PRESSURE=128;ABS_MT_SLOT=0 ABS_MT_POSITION_X=14745 ABS_MT_SLOT=1 ABS_MT_POSITION_X=18022 ABS_X=14745;\
ABS_MT_SLOT=0 ABS_MT_TRACKING_ID=-1 ABS_MT_SLOT=1 ABS_MT_TRACKING_ID=-1 $up" touch gesture=pinch duration=0.01
# Ten fingers, each in a slot of its own; held for longer than hosts keep one of which they hear nothing.
ten=0.1/0.5,0.2/0.5,0.3/0.5,0.4/0.5,0.5/0.5,0.6/0.5,0.7/0.5,0.8/0.5,0.9/0.5,1/0.5
events 1-3 touch gesture=tap hold=1 "contacts=$ten" >"$WORK/ten" || fail "ten fingers: $(cat "$WORK/events.err")"
expect 'frames of ten fingers' 2 "$(wc -l <"$WORK/ten")"
expect 'fingers that begin and end' '10 10' "$(grep -oE 'TRACKING_ID=[0-9]+' "$WORK/ten" | wc -l) $(
    grep -o 'TRACKING_ID=-1' "$WORK/ten" | wc -l)"
does 1-3 "ABS_MT_SLOT=0 ABS_MT_TRACKING_ID=15 ABS_MT_POSITION_X=0 ABS_MT_POSITION_Y=0 BTN_TOUCH=1 ABS_X=0 ABS_Y=0 \
ABS_PRESSURE=128" touch gesture=down x=0 y=0
does 1-3 'ABS_MT_POSITION_X=32767 ABS_X=32767' touch gesture=move contact=0 x=1
does 1-3 "ABS_MT_TRACKING_ID=-1 $up" touch gesture=up
note 'touchscreen: tap, swipe of two, pinch, ten fingers, parts of a gesture'

# --- Gamepads.
does 1-4 'BTN_SOUTH=1;BTN_SOUTH=0' pad tap=a
does 1-4 'ABS_HAT0X=1 ABS_HAT0Y=-1 ABS_X=-32767 ABS_Z=255;ABS_HAT0X=0 ABS_HAT0Y=0 ABS_X=0 ABS_Z=0' \
    pad hat=up-right lx=-1 lt=1 hold=0.1
# A few at a time: more changes than that, the kernel divides into several frames.
does 1-4 'BTN_SOUTH=1 BTN_EAST=1 BTN_C=1 BTN_NORTH=1 BTN_WEST=1' pad press=a,b,c,x,y
does 1-4 'BTN_Z=1 BTN_TL=1 BTN_TR=1 BTN_TL2=1 BTN_TR2=1' pad press=z,lb,rb,l2,r2
does 1-4 'BTN_SELECT=1 BTN_START=1 BTN_MODE=1 BTN_THUMBL=1 BTN_THUMBR=1 BTN_0x13f=1' \
    pad press=select,start,home,ls,rs,extra
does 1-4 'ABS_Y=16384 ABS_RX=-16384 ABS_RY=32767 ABS_RZ=128' pad ly=0.5 rx=-0.5 ry=1 rt=0.5
# At rest its sticks are at 32768, which the kernel takes for 0 until the first report.
does 1-5 'ABS_X=49152 ABS_Y=32768 ABS_Z=32768 ABS_RZ=32768' pad lx=0.5
does 1-5 'ABS_X=65535 ABS_Y=0 ABS_Z=49152 ABS_RZ=16384' pad lx=1 ly=-1 rx=0.5 ry=-0.5
does 1-5 'ABS_BRAKE=1023 ABS_GAS=512 ABS_HAT0X=-1 ABS_HAT0Y=1' pad lt=1 rt=0.5 hat=down-left
does 1-5 'BTN_SOUTH=1 BTN_EAST=1 BTN_NORTH=1 BTN_WEST=1 BTN_TL=1 BTN_TR=1' pad press=a,b,x,y,lb,rb
does 1-5 'BTN_SELECT=1 BTN_START=1 BTN_MODE=1 BTN_THUMBL=1 BTN_THUMBR=1 KEY_RECORD=1' \
    pad press=select,start,home,ls,rs,share
rumbles '\x00\xff\x33' 1-4 '.strong == 1 and .weak == 0.2'
rumbles '\x03\x0f\x0a\x14\x32\x64\x19\x00\x02' 1-5 \
    '.strong == 0.5 and .weak == 1 and .lt == 0.1 and .rt == 0.2 and .seconds == 0.25 and .repeats == 2'
note 'gamepads: buttons, sticks, triggers, hat; rumble through hidraw'

# --- Report descriptors, read by others.
for busid in "${!product[@]}"; do
    "$python/bin/hid-decode" "/sys/class/hidraw/$(node "$busid" hidraw)/device/report_descriptor" \
        >"$WORK/decoded" 2>"$WORK/complaints" || fail "hid-decode of $busid: $(cat "$WORK/complaints")"
    expect "complaints of hid-decode about $busid" '' "$(cat "$WORK/complaints")"
    # It prints every item, as it reads the whole descriptor.
    size=$(wc -c <"/sys/class/hidraw/$(node "$busid" hidraw)/device/report_descriptor")
    bytes=$(grep '^# 0x' "$WORK/decoded" | sed 's,//.*,,' | grep -oE '0x[0-9a-f]{2}' | wc -l)
    expect "bytes of $busid's report descriptor that hid-decode read" "$size" "$bytes"
done
note 'hid-tools reads each report descriptor, and has nothing to complain of'

# --- Desktops.
started=$SECONDS
/lib/systemd/systemd-udevd --daemon 2>/dev/null || fail 'udev does not start'
udev_runs=yes
udevadm trigger --subsystem-match=input
udevadm settle --timeout=120 || fail 'udev does not settle'
note "udev has looked at everything after $((SECONDS - started)) s"
# libinput does not name what it has no use for: gamepads.
timeout 60 libinput list-devices >"$WORK/libinput" 2>"$WORK/libinput.err" || fail "libinput: $(cat "$WORK/libinput.err")"
expect 'libinput on the mouse' pointer "$(libinput_says "$(node 1-1 event)" Capabilities)"
expect 'libinput on the tablet' pointer "$(libinput_says "$(node 1-2 event)" Capabilities)"
expect 'libinput on the touchscreen' touch "$(libinput_says "$(node 1-3 event)" Capabilities)"
expect 'libinput on the size of the touchscreen' 345x194mm "$(libinput_says "$(node 1-3 event)" Size)"
for pair in 1-1=MOUSE 1-2=MOUSE 1-3=TOUCHSCREEN 1-4=JOYSTICK 1-5=JOYSTICK; do
    name=$(node "${pair%=*}" event)
    udevadm info "/dev/input/$name" | grep -qx "E: ID_INPUT_${pair#*=}=1" ||
        fail "udev does not take ${pair%=*} for a ${pair#*=}: $(udevadm info "/dev/input/$name")"
done
for busid in 1-4 1-5; do
    expect "libinput on the gamepad $busid" '' "$(libinput_says "$(node "$busid" event)" Capabilities)"
done
stop_udev
note 'udev and libinput: pointer, pointer, touch; gamepads are joysticks, and left to games'

detach_all
stop_server
