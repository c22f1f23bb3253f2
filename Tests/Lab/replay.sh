# What the tests of recordings share: where captures are, and devices that replay them. Sourced after lib.sh.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154,SC2317  # Read by those who source this; from lib.sh.

helpers=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
fixtures=$helpers/../../Fixtures/captures
# Captures of real devices, which others have made: not in the repository.
others=${GHOSTPLUG_CAPTURES:-$helpers/../../../shared/captures}

for tool in tshark tcpdump; do
    type -P "$tool" >/dev/null || fail "not installed: $tool; run Scripts/setup"
done

# has_other FILE: whether there is such a capture of a real device; says so where there is not.
has_other() {
    [ -e "$others/$1" ] && return
    note "SKIPPED: $1 is not here (GHOSTPLUG_CAPTURES names the folder with captures of real devices)"
    return 1
}

# python NAME ARG...: one of the helpers.
python() { /usr/bin/python3 "$helpers/$1.py" "${@:2}"; }

# replay FILE[,OPTION]...: serves the recording, with a report, and attaches it. Sets `place` to its folder.
replay() {
    rm -f "$WORK/report.xml"
    serve "replay:$1" --report "$WORK/report.xml"
    usb_attach 1-1
    wait_for 90 "the configuration of $1" has_place
}
has_place() {
    place=$(usb_device)
    [ -n "$place" ] && [ -n "$(cat "$place/bConfigurationValue")" ]
}

# end_replay STATUS: unplugs it and ends the server, which says by its status whether the host did as recorded: 0, or 1;
# "any" where that is not the question.
end_replay() {
    local status=0
    detach_all
    kill -TERM "$server"
    wait "$server" || status=$?
    server=''
    [ "$1" = any ] || [ "$status" = "$1" ] ||
        fail "exit status of the replay: expected $1, found $status: $(tail -n 30 "$WORK/serve.out" "$WORK/serve.log")"
    [ "$status" -le 1 ] || fail "exit status of the replay: $status"
    [ -s "$WORK/report.xml" ] || fail 'the replay wrote no report'
    # Readers of such files want them well-formed.
    python junit <"$WORK/report.xml" >"$WORK/report.txt" || fail "the report: $(cat "$WORK/report.xml")"
}

# diverging: the packets that the report names, once each.
diverging() { sed -n 's/^packet //p' "$WORK/report.txt" | sort -nu | paste -sd ' '; }

# detached DRIVER...: has these drivers leave devices alone, so that only the recorded host talks to them.
detached() {
    local driver
    for driver in "$@"; do
        echo "blacklist $driver" >>/etc/modprobe.d/recorded-host.conf
        ! grep -q "^${driver//-/_} " /proc/modules || modprobe -r "$driver" 2>/dev/null ||
            note "$driver is in use, and stays"
    done
}
