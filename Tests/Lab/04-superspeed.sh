# A SuperSpeed drive lands on the SuperSpeed hub and is read in transfers of 1 MiB.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

modprobe usbmon
serve drive:size=128M,speed=super
disk=$(attach 1-1)
grep -hE '^ss +[0-9]+ 006 005 ' /sys/devices/platform/vhci_hcd.*/status* >"$WORK/status" ||
    fail "no SuperSpeed port is in use: $(cat /sys/devices/platform/vhci_hcd.*/status)"
note "on port $(awk '{print $2 + 0}' "$WORK/status") of the SuperSpeed half"
bus=$(cat "$(usb_device)/busnum")

cat "/sys/kernel/debug/usb/usbmon/${bus}u" >"$WORK/usbmon" &
monitor=$!
# Scattered pages would make the kernel cut a transfer at 32 segments; huge ones do not.
echo 8 >/proc/sys/vm/nr_hugepages
fio --name=read --filename="$disk" --rw=read --bs=1M --size=32M --direct=1 --mem=mmaphuge --hugepage-size=2m \
    --output="$WORK/fio.txt" || fail "fio: $(cat "$WORK/fio.txt")"
sleep 0.5
kill "$monitor"
wait "$monitor" 2>/dev/null || true
longest=$(awk '$3 == "S" && $4 ~ /^Bi:/ && $6 > most {most = $6} END {print most + 0}' "$WORK/usbmon")
expect 'longest read transfer' 1048576 "$longest"
detach_all
stop_server
