# The command as scripts meet it: what it prints, exit statuses, addresses, signals, configuration.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# run STATUS ARG...: runs ghostplug, which must end with STATUS; its words are in $WORK/out and $WORK/err.
run() {
    local expected=$1 status=0
    shift
    timeout 60 "$GHOSTPLUG" "$@" >"$WORK/out" 2>"$WORK/err" || status=$?
    [ "$status" -eq "$expected" ] || fail "ghostplug $*: status $status, not $expected: $(cat "$WORK/err")"
}

# says WORD...: the last run's message is one line with all the words.
says() {
    local word
    expect 'lines of the message' 1 "$(wc -l <"$WORK/err")"
    for word in "$@"; do grep -qF -- "$word" "$WORK/err" || fail "no word of '$word' in: $(cat "$WORK/err")"; done
}

# --- usage
run 0 --help
for word in plug serve ctl list models 'EXIT STATUS' 'ghostplug attach'; do grep -qF "$word" "$WORK/out" || fail "--help: no $word"; done
run 0 --version
run 64 serve --no-such-option
run 64 serve
says 'no device' 'ghostplug serve drive'
run 64 serve drvie
says drvie drive
run 64 serve drive:siez=1G
says siez size, image, readonly
run 64 serve drive:speed=warp
says speed=warp 'full|high|super'
run 64 serve drive:size=4G,size=8G
says 'size= is given twice'
run 1 serve drive:image=/no/such/folder/disk.img
says /no/such/folder/disk.img
run 64 serve "drive:image=$WORK/side.img,size=1M" drvie
[ ! -e "$WORK/side.img" ] || fail 'a mistake in another device left a new image behind'
run 64 serve drive --listen 3240
says 3240 127.0.0.1:3240
run 64 serve drive:busid=1-1 drive:busid=1-1
says 1-1 busid=
run 64 serve drive --listen nowhere:port:1
run 69 serve drive --listen 192.0.2.1:3240
says 192.0.2.1 'listen'
run 69 list 127.0.0.1:9
says 127.0.0.1:9 refused
run 0 models
run 0 models drive
grep -q '^  readonly=yes|no' "$WORK/out" || fail 'models drive does not show readonly='
run 0 models --json
jq -e '.[] | select(.name == "drive") | .keys | length > 10' "$WORK/out" >/dev/null || fail 'models --json'
note 'mistakes are met with one line and status 64 or 69'

# --- a configuration file, and the line of a mistake in it
cat >"$WORK/good.yaml" <<YAML
listen: ['127.0.0.1:0', '[::1]:0']
log-format: json
devices:
  - drive:size=8M
  - model: drive
    busid: my-drive
    size: 16M
    readonly: yes
YAML
serve --config "$WORK/good.yaml"
expect 'devices of the file' '1-1 my-drive' "$(awk '/idVendor|1209:/ {print $1}' "$WORK/serve.out" | paste -sd' ')"
expect 'addresses of the file' 2 "$(grep -c '^listening on ' "$WORK/serve.out")"
while read -r address; do
    case $address in *:0) fail "port 0 was printed in place of the one chosen: $address" ;; esac
    run 0 list --json "$address"
    expect "devices at $address" 2 "$(jq length "$WORK/out")"
done < <(sed -n 's/^listening on //p' "$WORK/serve.out")
stop_server
while read -r line; do jq -e .message <<<"$line" >/dev/null || fail "no JSON in the log: $line"; done <"$WORK/serve.log"
sed 's/readonly: yes/radonly: yes/' "$WORK/good.yaml" >"$WORK/bad.yaml"
run 64 serve --config "$WORK/bad.yaml"
says "$WORK/bad.yaml:8" radonly readonly
printf 'devices: [drive\n' >"$WORK/bad.yaml"
run 64 serve --config "$WORK/bad.yaml"
run 64 serve --config "$WORK/none.yaml"
says none.yaml
note 'a configuration file, on IPv4 and IPv6'

# --- whom it serves
serve drive --listen 127.0.0.1:3240 --allow 10.0.0.0/8
run 69 list 127.0.0.1
grep -q 'not in an --allow range' "$WORK/serve.log" || fail 'the log has no word of the refusal'
stop_server

# --- both signals, with a device attached: the kernel lets go, nothing hangs
for signal in INT TERM; do
    serve drive
    disk=$(attach 1-1)
    dd if="$disk" of=/dev/null bs=1M count=8 iflag=direct status=none
    kill -"$signal" "$server"
    status=0
    wait "$server" || status=$?
    server=''
    expect "exit status after SIG$signal" 0 "$status"
    wait_for 60 'the disk going' has_disks 0
done
note 'SIGINT and SIGTERM with a device attached'
