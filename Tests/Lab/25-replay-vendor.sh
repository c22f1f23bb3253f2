# Devices that no driver knows, replayed from captures and driven through libusb by a host that does what the recorded
# one did, byte for byte: recorded_host.py, which reads captures through Wireshark. Then with one byte changed, on
# either side: exactly that is named. And isochronous data, both ways.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=Tests/Lab/replay.sh
source "$(dirname "${BASH_SOURCE[0]}")/replay.sh"

detached hid_generic usbhid cdc_acm

# vendor FILE DEVICE: as recorded, and what is changed is found.
vendor() {
    local file=$others/$1 name=${1%.pcapng} found changed status=0 started=$SECONDS
    replay "$file,device=$2"
    found=$(python recorded_host "$file" "$2") || fail "$name: $found"
    end_replay 0
    expect "what the report of $name names" '' "$(diverging)"
    note "$name: $found"

    # The device answers one byte otherwise: the recorded host notices, and so does ours.
    changed=$(python recorded_host --middle in "$file" "$2")
    python alter_capture "$file" "$WORK/altered.pcapng" "$changed"
    replay "$WORK/altered.pcapng,device=$2"
    if found=$(python recorded_host "$file" "$2"); then fail "$name: an altered answer is not noticed"; fi
    expect "packets that recorded_host.py names in $name" "packet $changed:" \
        "$(grep -o '^packet [0-9]*:' <<<"$found" | paste -sd ' ')"
    end_replay 0
    serve "replay:$WORK/altered.pcapng,device=$2"
    "$GHOSTPLUG" replay-host "$file" 127.0.0.1 1-1 --device "$2" --json --report "$WORK/report.xml" >"$WORK/host.json" \
        2>"$WORK/host.err" || status=$?
    expect "exit status of replay-host with an altered answer: $(tail -n 3 "$WORK/host.err")" 1 "$status"
    expect "packets that replay-host names in $name" "[$changed]" "$(jq -c '[.first[].packet]' "$WORK/host.json")"
    python junit <"$WORK/report.xml" >"$WORK/report.txt" || fail "the report of replay-host: $(cat "$WORK/report.xml")"
    expect "packets in the report of replay-host" "$changed" "$(diverging)"
    kill -KILL "$server"
    wait "$server" 2>/dev/null || true
    server=''
    # And finds nothing where nothing was changed.
    serve "replay:$file,device=$2"
    "$GHOSTPLUG" replay-host "$file" 127.0.0.1 1-1 --device "$2" --json >"$WORK/host.json" 2>"$WORK/host.err" ||
        fail "$name: replay-host with the same capture: $(cat "$WORK/host.json" "$WORK/host.err")"
    stop_server
    note "$name: with another answer in packet $changed, exactly that is named"

    # The host sends one byte otherwise.
    changed=$(python recorded_host --middle out "$file" "$2")
    replay "$file,device=$2"
    python recorded_host "$file" "$2" --flip "$changed" >"$WORK/flipped" || true
    end_replay 1
    expect "packets that the report of $name names" "$changed" "$(diverging)"
    note "$name: with another byte sent in packet $changed, exactly that is reported ($((SECONDS - started)) s)"
}

for line in 'fingerprint-fpcmoc.pcapng 10a5:ffe0' 'fingerprint-synaptics.pcapng 06cb:00bd' \
    'fingerprint-realtek.pcapng 0bda:5813' 'km003c-meter-plugin.pcapng 5fc9:0063' \
    'km003c-meter-session.pcapng 5fc9:0063'; do
    read -r file device <<<"$line"
    if has_other "$file"; then vendor "$file" "$device"; fi
done
rm -f /etc/modprobe.d/recorded-host.conf

# --- isochronous data
modprobe snd_usb_audio
# card: sets it to the number of the replayed sound card.
has_card() {
    card=$(find "$place/" -maxdepth 4 -name 'card[0-9]*' -printf '%f\n' | head -n 1)
    card=${card#card}
    [ -n "$card" ] && [ -e "/proc/asound/card$card/stream0" ]
}
replay "$fixtures/headset.pcapng.gz"
wait_for 90 'the replayed headset' has_card
expect 'driver of the headset' snd-usb-audio "$(basename "$(readlink -f "$place/${place##*/}:1.2/driver")")"
timeout 120 arecord -q -D "hw:$card,0" -t raw -f S16_LE -c 1 -r 8000 -s 3000 "$WORK/voice.raw" || fail 'arecord'
found=$(python recorded_sound --within "$WORK/voice.raw" "$fixtures/headset.pcapng.gz" 1209:7a61 0x82) ||
    fail "what the headset heard: $found"
python recorded_sound "$fixtures/headset.pcapng.gz" 1209:7a61 0x01 "$WORK/speech.raw"
timeout 120 aplay -q -D "hw:$card,0" -t raw -f S16_LE -c 1 -r 8000 "$WORK/speech.raw" || fail 'aplay'
end_replay any
note "headset: $found; $(head -n 1 "$WORK/report.txt")"

replay "$fixtures/audio.pcapng.gz"
wait_for 90 'the replayed sound card' has_card
python recorded_sound "$fixtures/audio.pcapng.gz" 46f4:0002 0x01 "$WORK/sound.raw"
timeout 120 aplay -q -D "hw:$card,0" -t raw -f S16_LE -c 2 -r 48000 "$WORK/sound.raw" || fail 'aplay'
end_replay any
note "sound card: played; $(head -n 1 "$WORK/report.txt")"
