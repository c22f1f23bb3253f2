# A keyboard under the real drivers: text of every layout, LEDs, repeat, media keys, idle rates and boot protocol; and a
# device made of a report descriptor.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

modprobe -a evdev hid_generic usbhid
recorder=''
ctl() { "$GHOSTPLUG" ctl "$@" || fail "ctl $*"; }
# node INTERFACE KIND: the first node of that kind which an interface of the plugged device has.
node() { "$GHOSTPLUG" ports --json | jq -r "[.[0].nodes[] | select(.kind == \"$2\" and .interface == $1).path][0]"; }
record() {
    cat "$1" >"$WORK/events" &
    recorder=$!
    # Until the node is open, what happens is not for it.
    reading() { find "/proc/$recorder/fd" -lname "$1" 2>/dev/null | grep -q .; }
    wait_for 10 "reading $1" reading "$1"
}
stop_recording() {
    local size=-1
    # Until nothing comes any more.
    while [ "$size" != "$(stat -c %s "$WORK/events")" ]; do
        size=$(stat -c %s "$WORK/events")
        sleep 0.5
    done
    kill "$recorder"
    wait "$recorder" 2>/dev/null || true
}
# keys: what was recorded of keys, as code:value.
keys() { /usr/bin/python3 evdev_keys.py "$WORK/events"; }

"$GHOSTPLUG" plug keyboard --background >"$WORK/plug.out" 2>>"$WORK/serve.log" || fail 'plugging in a keyboard'
keyboard=$(node 0 event)
[ -c "$keyboard" ] || fail "the keyboard has no event node: $(cat "$WORK/plug.out")"

# --- text
types() {
    local layout=$1 text=$2 decoded
    record "$keyboard"
    ctl type 1-1 "$text" --layout "$layout" --rate 200
    stop_recording
    decoded=$(/usr/bin/python3 evdev_text.py "$layout" "$WORK/events" 2>"$WORK/err") ||
        fail "$layout: the events are no typing: $(cat "$WORK/err")"
    expect "text typed with layout $layout" "$text" "$decoded"
}
# shellcheck disable=SC1003,SC2016  # Nothing in these is for the shell.
types us 'The quick brown fox, 0123456789 !@#$%^&*()_+-=[]{}|;:"<>/?`~\'"'"
types de 'Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich; é è ê ë @ € { [ ] } \ ~ ^'
types fr 'Dès Noël où un zéphyr haï me vêt de glaçons, je dîne d'"'"'exquis rôtis : 0123456789 # { | }'
types gb '£100 for "quotes", @home, #hash, ~tilde, \back|slash and ¬'
types es '¿El pingüino Wenceslao hizo kilómetros? ¡Ñandú! ç à € @ #'
types jp 'konnichiwa "sekai" _ \ | @ ^ : ; [ ] { } ~'
if "$GHOSTPLUG" ctl type 1-1 'a日b' --layout us 2>"$WORK/err"; then fail 'us typed 日'; fi
grep -q '日.*U+65E5' "$WORK/err" || fail "the error does not name the character: $(cat "$WORK/err")"
note 'texts of us, de, fr, gb, es and jp arrive as typed'

# --- a key that is held repeats, and is released
record "$keyboard"
ctl key 1-1 a --hold 1.5
stop_recording
keys >"$WORK/keys"
expect 'the first event of the held key' 'KEY_A:1' "$(head -n 1 "$WORK/keys")"
expect 'the last event of the held key' 'KEY_A:0' "$(tail -n 1 "$WORK/keys")"
[ "$(grep -c 'KEY_A:2' "$WORK/keys")" -ge 3 ] || fail "a key held for 1.5 s repeats: $(paste -sd ' ' "$WORK/keys")"
record "$keyboard"
ctl key 1-1 ctrl+shift+t
stop_recording
expect 'a chord' 'KEY_LEFTCTRL:0 KEY_LEFTCTRL:1 KEY_LEFTSHIFT:0 KEY_LEFTSHIFT:1 KEY_T:0 KEY_T:1' \
    "$(keys | sort | paste -sd ' ')"
expect 'its first release' '' "$(keys | sed -n '1,3s/.*:0/&/p')"
media=$(node 1 event)
record "$media"
ctl key 1-1 volumeup
stop_recording
expect 'a media key' 'KEY_VOLUMEUP:1 KEY_VOLUMEUP:0' "$(keys | paste -sd ' ')"
note 'held keys repeat; chords and media keys'

# --- LEDs
led_event() { "$GHOSTPLUG" ctl events | grep '"event":"leds"' | tail -n 1 | jq -e "$1" >/dev/null; }
/usr/bin/python3 evdev_keys.py --led "$keyboard" capslock 1
wait_for 20 'the event of Caps Lock' led_event '.caps == true'
/usr/bin/python3 evdev_keys.py --led "$keyboard" numlock 1
wait_for 20 'the event of both' led_event '.caps == true and .num == true'
/usr/bin/python3 evdev_keys.py --led "$keyboard" capslock 0
wait_for 20 'the event of Num Lock alone' led_event '.caps == false and .num == true'
expect 'leds by action' true "$("$GHOSTPLUG" ctl 'do' 1-1 leds | grep -qi num && echo true)"
note 'LEDs that the guest sets reach ctl events'

# --- idle rates and boot protocol, past the driver
/usr/bin/python3 hid_requests.py "$GHOSTPLUG" || fail 'idle rates and boot protocol'
"$GHOSTPLUG" unplug
note 'idle rates are kept, boot reports after SET_PROTOCOL'

# --- a device made of a report descriptor: reports both ways
cat >"$WORK/fido.hex" <<HEX
# a FIDO key's: 64 bytes in, 64 bytes out
06 d0 f1 09 01 a1 01 09 20 15 00 26 ff 00 75 08 95 40 81 02
09 21 15 00 26 ff 00 75 08 95 40 91 02 c0
HEX
"$GHOSTPLUG" plug "hid:report-descriptor=$WORK/fido.hex" --background >"$WORK/plug.out" 2>>"$WORK/serve.log" ||
    fail 'plugging in a device made of a report descriptor'
raw=$(node 0 hidraw)
expect 'its descriptor as the kernel has it' "$(sed 's/#.*//' "$WORK/fido.hex" | tr -d ' \n')" \
    "$(od -An -v -tx1 "/sys/class/hidraw/$(basename "$raw")/device/report_descriptor" | tr -d ' \n')"
head -c 64 "$raw" >"$WORK/report" &
reader=$!
sleep 0.5
hex=$(printf '%02x' $(seq 0 63))
ctl 'do' 1-1 send "report=$hex"
wait "$reader"
expect 'the input report' "$hex" "$(od -An -v -tx1 "$WORK/report" | tr -d ' \n')"
# In one piece, as hidraw wants a report: its number, 0 where there are none, and its bytes.
{ printf '\0'; seq -s '' 100 121 | head -c 64; } >"$WORK/report"
dd if="$WORK/report" of="$raw" bs=65 count=1 conv=notrunc status=none || fail 'hidraw takes no output report'
arrived() {
    "$GHOSTPLUG" ctl events | grep '"event":"report"' | tail -n 1 |
        jq -e --arg data "$(seq -s '' 100 121 | head -c 64 | od -An -v -tx1 | tr -d ' \n')" '.data == $data' >/dev/null
}
wait_for 20 'the output report' arrived
"$GHOSTPLUG" unplug
note 'reports both ways through hidraw'
