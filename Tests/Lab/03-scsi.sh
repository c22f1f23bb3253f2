# iscsi-test-cu, family by family, against the attached disk; every skip is explained by name.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

modprobe sg

# sg_of DISK: the generic node of a disk.
sg_of() { printf '/dev/%s\n' "$(basename "$(echo "/sys/block/$(basename "$1")/device/scsi_generic/"*)")"; }

# What the tool may leave out, and why. Anything else that it skips is a failure.
explained() {
    case $1 in
        *'PERSISTENT RESERVE IN is not implemented.') echo 'no reservations: a drive has one host' ;;
        *'ORWRITE is not implemented.') echo 'not a command of thumb drives' ;;
        *'This PREVENTALLOW test is only supported for iSCSI backends') echo 'needs an iSCSI session' ;;
        *'LBPPB < 2. Skipping test') echo 'a physical block is a logical block' ;;
        *'WRITESAME10 does not support 0-blocks.' | *'WRITESAME16 does not support 0-blocks.')
            echo 'a count of 0 is refused, as VPD page B0 says (WSNZ)'
            ;;
        *'Logical unit is not write-protected. Skipping test.') echo 'again below, with a disk that is' ;;
        *) return 1 ;;
    esac
}

# family NAME SG
family() {
    local name=$1 node=$2 status line reason resets attempt
    for attempt in 1 2 3; do
        status=0
        resets=$(dmesg | grep -c 'reset .*[Ss]peed USB device' || true)
        watch_clock
        timeout --kill-after=10 300 iscsi-test-cu -d -n -f --test="ALL.$name" "$node" >"$WORK/cu" 2>&1 || status=$?
        cp "$WORK/cu" "$LAB_OUT/iscsi-$name.txt"
        [ "$status" -ne 0 ] || break
        # Only a reset that the kernel made because this machine stood still excuses a failure.
        [ "$(dmesg | grep -c 'reset .*[Ss]peed USB device' || true)" -gt "$resets" ] || break
        [ "$(stood_still)" -gt 1000 ] || break
        note "$name: attempt $attempt: this machine stood still for $(stood_still) ms, and the kernel reset the drive"
    done
    if [ "$status" -ne 0 ] || grep -qE '\[FAILED\]|\.\.\.FAILED' "$WORK/cu"; then
        cat "$WORK/cu"
        fail "iscsi-test-cu ALL.$name, status $status"
    fi
    # CUnit's table: tests, total, ran, passed, failed, inactive.
    local total passed failed asserts
    read -r total _ passed failed _ < <(awk '$1 == "tests" {print $2, $3, $4, $5, $6}' "$WORK/cu")
    asserts=$(awk '$1 == "asserts" {print $4}' "$WORK/cu")
    if [ "${passed:-0}" -eq 0 ] || [ "$passed" != "$total" ] || [ "$failed" != 0 ]; then
        fail "ALL.$name: ${passed:-0} of ${total:-0} tests passed"
    fi
    note "$name: $passed tests, $asserts assertions"
    while read -r line; do
        reason=$(explained "$line") || fail "ALL.$name skips without a known reason: $line"
        note "    not run: ${line#*SKIPPED] } ($reason)"
    done < <(grep -F '[SKIPPED]' "$WORK/cu" | sort -u || true)
}

# SuperSpeed, because the kernel passes on at most 120 KiB a command at high speed and READ(6) is tested with 127.5.
serve drive:size=64M,format=none,speed=super drive:size=24M,format=none,speed=super
node=$(sg_of "$(attach 1-1)")
for name in Inquiry Mandatory ModeSense6 NoMedia PreventAllow StartStopUnit TestUnitReady \
    Read6 Read10 Read12 Read16 ReadCapacity10 ReadCapacity16 Verify10 Verify12 Verify16 \
    Write10 Write12 Write16 WriteVerify10 WriteVerify12 WriteVerify16 WriteSame10 Unmap \
    Prefetch10 Prefetch16 CompareAndWrite GetLBAStatus ReportSupportedOpcodes ReadOnly; do
    family "$name" "$node"
done
detach_all
# On a disk of 65536 blocks and more the tool reads 32 MiB with one command, which the kernel does not pass on.
node=$(sg_of "$(attach 1-2)")
family WriteSame16 "$node"
detach_all
stop_server

# The same refusals from a disk that is write protected, which the family is about.
serve drive:size=64M,readonly
node=$(sg_of "$(attach 1-1)")
family ReadOnly "$node"
expect 'write to a read-only disk' 'data protect' \
    "$(sg_raw -s 512 -i /dev/zero "$node" 2a 00 00 00 00 00 00 00 01 00 2>&1 | grep -io 'data protect' | head -n 1 | tr '[:upper:]' '[:lower:]')"
detach_all
stop_server
