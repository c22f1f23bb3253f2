# Keyboards, tablets and mice replayed from captures: the kernel's drivers bind, and evdev shows what was typed and
# moved then: worked out of the capture by Wireshark and a decoder of its own, and for our own captures what evdev
# showed.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=Tests/Lab/replay.sh
source "$(dirname "${BASH_SOURCE[0]}")/replay.sh"

modprobe -a evdev hid_generic usbhid

# Left out: lights, which are what the kernel makes of Caps Lock by itself.
ignored=MSC_SCAN,MSC_TIMESTAMP,LED_0x0,LED_0x1,LED_0x2

# The kernel throws away what an input device says in the first 50 ms after it was opened (usbhid_open). Where a capture
# begins with reports, so many of them are lost at most.
lost=6

# replayed KIND CAPTURE DEVICE [early]: binds, and emits what it should; "early" where the capture begins with reports.
# Leaves the events in $WORK/events.
replayed() {
    local kind=$1 file=$2 identity=$3 started=$SECONDS count listener
    local option='' skipped=0
    if [ "$identity" != - ]; then
        python recorded_keys "$kind" "$file" "$identity" >"$WORK/wanted" || fail "$file cannot be decoded"
        count=$(wc -l <"$WORK/wanted")
        option=",device=$identity"
    else
        # Wireshark's dissector of USB/IP has no reports: what evdev showed has to do.
        count=$(wc -l <"${file%.*}.evdev")
        cp "${file%.*}.evdev" "$WORK/wanted"
    fi
    [ "$count" -gt 0 ] || fail "nothing happens in $file"
    if [ "${4:-}" = early ]; then count=$((count > lost ? count - lost : 1)); fi
    python replayed_events --ignore "$ignored" "$count" >"$WORK/events" 2>"$WORK/listener" &
    listener=$!
    wait_for 60 'listening' grep -q ready "$WORK/listener"
    # Slower than it was, for a busy machine.
    replay "$file$option,timing=scale=2"
    wait "$listener" || fail "events of ${file##*/}: $(cat "$WORK/listener")"
    expect "driver of ${file##*/}" usbhid "$(basename "$(readlink -f "$place/${place##*/}:1.0/driver")")"
    until diff "$WORK/wanted" "$WORK/events" >"$WORK/diff" || [ "${4:-}" != early ] || [ $skipped = $lost ]; do
        skipped=$((skipped + 1))
        python recorded_keys "$kind" "$file" "$identity" 0x81 $skipped >"$WORK/wanted"
    done
    diff "$WORK/wanted" "$WORK/events" >"$WORK/diff" ||
        fail "${file##*/}: evdev does not show what the capture has: $(head -n 20 "$WORK/diff")"
    end_replay any
    count=$(wc -l <"$WORK/events")
    note "${file##*/}: $count frames as recorded; $(head -n 1 "$WORK/report.txt") ($((SECONDS - started)) s)"
}

# as_shown FILE: the events were what evdev showed when the capture was made.
as_shown() {
    sed -E 's/LED_0x[0-2]=[01] ?//' "$fixtures/$1.evdev" | diff - "$WORK/events" >"$WORK/diff" ||
        fail "$1: evdev showed something else when it was recorded: $(head -n 20 "$WORK/diff")"
}

replayed keyboard "$fixtures/keyboard.pcapng" 0627:0001
as_shown keyboard
replayed tablet "$fixtures/tablet.pcapng" 0627:0001
as_shown tablet
replayed mouse "$fixtures/mouse.pcap" 0627:0001
as_shown mouse
replayed keyboard "$fixtures/gadget-keyboard.pcap" 1209:7a6b
as_shown gadget-keyboard
replayed keyboard "$fixtures/keyboard-usbip.pcap" -

if has_other holtek-keyboard.pcapng; then
    replayed keyboard "$others/holtek-keyboard.pcapng" 04d9:1603
    cp "$WORK/events" "$WORK/holtek"
    replayed keyboard "$others/holtek-keyboard-linktype189.pcap" 04d9:1603
    cmp "$WORK/holtek" "$WORK/events" || fail 'the twin of the Holtek keyboard types something else'
fi
if has_other qemu-tablet-windows.pcap; then replayed tablet "$others/qemu-tablet-windows.pcap" 0627:0001 early; fi
if has_other elecom-mouse.pcap; then replayed mouse "$others/elecom-mouse.pcap" 056e:00ff early; fi
