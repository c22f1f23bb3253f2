# `ghostplug play`: a scenario with a keyboard, a mouse and a drive that comes and goes; failures; signals; mistakes.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

modprobe -a usbhid hid-generic evdev
export PLAY_DIR=$WORK
here=$(dirname "${BASH_SOURCE[0]}")

# play STATUS ARG...: plays, must end with STATUS and leave nothing plugged in.
play() {
    local wanted=$1 status=0
    shift
    "$GHOSTPLUG" play "$@" >"$WORK/play.out" 2>"$WORK/play.log" || status=$?
    [ "$status" = "$wanted" ] || fail "play $* ended with $status, not $wanted: $(cat "$WORK/play.log")"
    no_ports_in_use || fail "play $* left devices plugged in"
}
said() { grep -q -- "$1" "$WORK/play.log" || fail "play does not say '$1': $(cat "$WORK/play.log")"; }

play 0 "$here/17-play.yaml" --check
grep -q '3 devices, 29 steps; no mistake found' "$WORK/play.out" || fail "--check says: $(cat "$WORK/play.out")"

play 0 "$here/17-play.yaml" --json
said 'everything held'
typed=$(python3 "$here/evdev_text.py" de "$WORK/keys" && echo .) || fail 'what was typed are no whole key strokes'
expect 'what was typed' $'root Öß{z}\n.' "$typed"
expect 'JSON lines of steps and the whole' 32 "$(wc -l <"$WORK/play.out")"
python3 - "$WORK/play.out" <<'PYTHON' || fail "the JSON lines: $(cat "$WORK/play.out")"
import json
import sys

*steps, whole = [json.loads(line) for line in open(sys.argv[1])]
assert whole["held"] and whole["failures"] == 0 and not whole["interrupted"] and whole["steps"] == 29, whole
assert [step["step"] for step in steps] == [0, 0, *range(1, 30)], steps
assert all(step["outcome"] in ("done", "held") and step["line"] > 3 for step in steps), steps
assert steps[-1]["message"].endswith(" late"), steps[-1]
PYTHON
note 'typed, moved, a lamp lit; a drive plugged in, read and unplugged three times'

cat >"$WORK/wrong.yaml" <<'YAML'
devices:
  kbd: keyboard
steps:
  - expect: {state: configured, device: kbd}
  - expect: {event: leds, device: kbd, scroll: yes, timeout: 1}
  - run: touch $PLAY_DIR/second
YAML
play 1 "$WORK/wrong.yaml"
said "FAILED  $WORK/wrong.yaml:5: .*expected leds of kbd with scroll=yes within 1 s; instead: "
[ ! -e "$WORK/second" ] || fail 'a step was played after one that failed'
play 1 "$WORK/wrong.yaml" --keep-going
[ -e "$WORK/second" ] || fail '--keep-going did not go on'
said '1 failed'
note 'a failure has its line, ends the play, or does not with --keep-going'

cat >"$WORK/long.yaml" <<'YAML'
devices: {kbd: keyboard, disk: drive}
steps:
  - run: "echo ${disk.node} >$PLAY_DIR/begun; sleep 1000"
YAML
"$GHOSTPLUG" play "$WORK/long.yaml" 2>"$WORK/play.log" &
player=$!
wait_for 60 'the step that does not end' test -s "$WORK/begun"
[ -b "$(cat "$WORK/begun")" ] || fail "$(cat "$WORK/begun") is no disk"
expect 'ports in use' 2 "$(ports_in_use | wc -l)"
kill -TERM "$player"
status=0
wait "$player" || status=$?
expect 'exit status after SIGTERM' 1 "$status"
said 'interrupted'
no_ports_in_use || fail 'SIGTERM left devices plugged in'
has_disks 0 || fail 'SIGTERM left a disk'
if pgrep -f 'sleep 1000' >/dev/null; then fail 'SIGTERM left the command'; fi
note 'SIGTERM unplugs everything'

printf 'devices: {kbd: keyboard}\nsteps:\n  - tpye: {device: kbd, text: a}\n' >"$WORK/mistake.yaml"
play 64 "$WORK/mistake.yaml"
said "mistake.yaml:3: there is no step 'tpye' here; there is: wait, pause"
note 'a mistake has its line, and nothing is plugged in'
