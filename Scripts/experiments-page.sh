# shellcheck shell=bash
# The page, the plots and the data file of `experiments`, which sources this: jq programs and the words between.
# The dollars in them are jq's.
# shellcheck disable=SC2016

# What every program below begins with. Its input is data.json.
PAGE_DEFINITIONS='
def sig: if . == null then "—"
    elif . >= 100 then (round | tostring)
    elif . >= 10 then (. * 10 | round / 10 | tostring)
    elif . >= 1 then (. * 100 | round / 100 | tostring)
    else (. * 1000 | round / 1000 | tostring) end;
def bytes: if . >= 1048576 then "\(. / 1048576) MiB" elif . >= 1024 then "\(. / 1024) KiB" else "\(.) B" end;
def median: sort | if length == 0 then null elif length % 2 == 1 then .[length / 2 | floor]
    else (.[length / 2 - 1] + .[length / 2]) / 2 end;
def row: "| " + (map(tostring) | join(" | ")) + " |";
def rule: "|" + (map("---|") | join(""));
def table($head; $rows): [$head | row, rule], ($rows[] | row) | if type == "array" then .[] else . end;
. as $data
| ([.ping[].rtt] | unique) as $rtts
# The round trip as ping has seen it at its best, in ms: the mean of 20 has the pauses of a busy machine in it.
| def ping($rtt): ([$data.ping[] | select(.rtt == $rtt) | .min] | first) // $rtt;
def bulk($rtt; $size; $depth):
    [$data.bulk[] | select(.rtt == $rtt and .size == $size and .depth == $depth) | .mbps] | first;
# What the round trip allows, in MB/s: so many bytes in each.
def limit($rtt; $bytes): $bytes / ping($rtt) / 1000;
def iso($rtt; $depth): [$data.iso[] | select(.rtt == $rtt and .depth == $depth)] | first;
def reports($kind; $rtt; $depth):
    [$data.reports[] | select(.kind == $kind and .rtt == $rtt and .depth == $depth)] | first;
def drive($rtt): [$data.drives[] | select(.rtt == $rtt)] | first;
([$data.bulk[].size] | unique) as $sizes | ([$data.bulk[].depth] | unique) as $depths
| ([$data.iso[].depth] | unique) as $streams | ([$data.reports[].depth] | unique) as $queues |
'

# page_jq FILE PROGRAM: runs a program over the data.
page_jq() {
    jq -r "$PAGE_DEFINITIONS $2" "$1"
}

# plot DATA PROGRAM SVG: draws what the program says.
plot() {
    page_jq "$1" "$2 | tojson" | "$GHOSTPLUG" plot - -o "$3" || die "cannot draw $3"
}

# write_plots DATA DIR
write_plots() {
    local definitions='
    def line($name; $color; $points): {name: $name, color: $color, points: [$points[] | select(.[1] != null)]};
    def dashed: . + {dashed: true};
    def charts: {charts: map(.series |= map(select(.points | length > 0)))};
    '
    plot "$1" "$definitions"'
    # Lines of one chart: what was measured, and what the round trip allows where that is less than without delay.
    def against($values; size; depth): [$rtts | to_entries[] | .key as $color | .value as $rtt
        | line("\($rtt) ms"; $color; [$values[] | [., bulk($rtt; size; depth)]]),
          (select($rtt > 0) | line("limit at \($rtt) ms"; $color; [$values[]
            | [., ([limit($rtt; size * depth), bulk(0; size; depth) // infinite] | min)]]) | dashed)];
    [{title: "One URB in flight", subtitle: "bulk IN; dashed: one URB per round trip, or what goes without delay",
      x: {label: "URB size", scale: "log2", unit: "bytes"}, y: {label: "MB/s", scale: "log10"},
      series: against($sizes; .; 1)},
     {title: "URBs of \($sizes[$sizes | length / 2 | floor] | bytes)",
      subtitle: "bulk IN; dashed: all URBs in flight per round trip, or what goes without delay",
      x: {label: "URBs in flight", scale: "log2"}, y: {label: "MB/s", scale: "log10"},
      series: against($depths; $sizes[$sizes | length / 2 | floor]; .)},
     {title: "\($depths | last) URBs in flight", subtitle: "bulk IN; dashed: as above",
      x: {label: "URB size", scale: "log2", unit: "bytes"}, y: {label: "MB/s", scale: "log10"},
      series: against($sizes; .; $depths | last)}] | charts' "$2/bulk.svg"
    plot "$1" "$definitions"'
    [{title: "Isochronous: from one completion to the next", subtitle: "one packet of 1 ms in each URB; mean",
      x: {label: "URBs in flight", scale: "log2"}, y: {label: "ms", scale: "log10"},
      series: [$rtts | to_entries[] | .key as $color | .value as $rtt
        | line("\($rtt) ms"; $color; [$streams[] | [., iso($rtt; .).mean]])]}] | charts' "$2/isochronous.svg"
    plot "$1" "$definitions"'
    def bonnie($rtt; name): drive($rtt).bonnie | if . then name else null end;
    [{title: "A thumb drive attached by vhci_hcd", subtitle: "dashed: one command in three round trips",
      x: {label: "round-trip time, ms"}, y: {label: "MB/s", scale: "log10"}, series: [
        line("read, high speed"; 0; [$rtts[] | [., drive(.).high.read]]),
        (line("its limit"; 0; [$rtts[] | select(. > 0) | [., limit(.; $data.machine.commandKiB.high * 1024 / 3)]])
            | dashed),
        line("read, SuperSpeed"; 1; [$rtts[] | [., drive(.).super.read]]),
        (line("its limit"; 1; [$rtts[] | select(. > 0) | [., limit(.; $data.machine.commandKiB.super * 1024 / 3)]])
            | dashed),
        line("random 4 KiB"; 2; [$rtts[] | [., drive(.).high["random-read"]]]),
        (line("its limit"; 2; [$rtts[] | select(. > 0) | [., limit(.; 4096 / 3)]]) | dashed),
        line("bonnie++ write"; 3; [$rtts[] | [., bonnie(.; .write)]]),
        line("bonnie++ read"; 4; [$rtts[] | [., bonnie(.; .read)]])]}] | charts' "$2/drive.svg"
    plot "$1" "$definitions"'
    def ages($kind; value): [$queues | to_entries[] | .key as $color | .value as $depth
        | line("\($depth) in flight"; $color; [$rtts[] | [., (reports($kind; .; $depth) | value)]])];
    [{title: "A report every 41 ms: age on arrival",
      subtitle: "polled every 10 ms; mean; dashed: 5 ms and half the round trip",
      x: {label: "round-trip time, ms"}, y: {label: "ms"},
      series: (ages("typing"; .mean) + [line("expected"; 4; [$rtts[] | [., 5 + ping(.) / 2]]) | dashed])},
     {title: "A report every 11 ms: greatest age", subtitle: "polled every 10 ms",
      x: {label: "round-trip time, ms"}, y: {label: "ms", scale: "log10"}, series: ages("moving"; .max)}] | charts' \
        "$2/reports.svg"
}

# write_page DATA: the page, to stdout.
write_page() {
    cat <<'TEXT'
# The experiments of the USB/IP paper

T. Hirofuchi, E. Kawai, K. Fujikawa and H. Sunahara, *USB/IP – a Peripheral Bus Extension for Device Sharing over IP
Network* (USENIX 2005, FREENIX track), asked what a network's delay does to USB. Here their questions are put to this
server again, under a real kernel in [the lab](../Lab.md), with `tc netem` in the part of their delay emulator.

TEXT
    page_jq "$1" '"Measured on \(.machine.date | strftime("%Y-%m-%d")): Ghostplug \(.machine.ghostplug), Linux \(
.machine.kernel), \(.machine.processors) emulated processors (\(.machine.accelerator)), fio \(
.machine.fio | ltrimstr("fio-")), bonnie++ \(
.machine.bonnie).\(if .machine.quick then " **A quick run: a coarse matrix, short times.**" else "" end)"'
    cat <<'TEXT'

**Read ratios and shapes, not figures.** The machine is emulated and some times slower than a real one; its time is the
emulation's. What a round trip costs shows all the same: from 5 ms on it is more than what the emulation takes for
anything but the largest transfers.

TEXT
    page_jq "$1" 'select(.troubles | length > 0)
        | "**Not everything could be measured** (— below):\n\n" + (.troubles | map("- " + .) | join("\n")) + "\n"'
    page_bulk "$1"
    page_iso "$1"
    page_drives "$1"
    page_reports "$1"
    page_end "$1"
}

page_bulk() {
    cat <<'TEXT'
## 1. Bulk: throughput against size and number

`ghostplug bench`, the host in user space, reads from the bulk source of `zero`.

![Bulk throughput](bulk.svg)

TEXT
    page_jq "$1" '$rtts[] as $rtt
        | "MB/s at \($rtt) ms, URB size down, URBs in flight across:\n",
          table(["", $depths[]]; [$sizes[] as $size | [($size | bytes), ($depths[] | bulk($rtt; $size; .) | sig)]]), ""'
    cat <<'TEXT'
With *n* URBs of *s* bytes in flight, *n·s* bytes can come in each round trip, and no more. Where that is less than half
of what goes without delay, the measured rate is this part of it:

TEXT
    page_jq "$1" 'table(["round-trip time", "cases", "median", "least", "greatest"];
        [$rtts[] | select(. > 0) as $rtt
            | [$data.bulk[] | select(.rtt == $rtt and .mbps != null)
                | limit($rtt; .size * .depth) as $limit | (bulk(0; .size; .depth) // 0) as $free
                | select($limit < $free / 2) | .mbps / $limit]
            | ["\($rtt) ms", length, (median | sig), (min | sig), (max | sig)]]), ""'
}

page_iso() {
    cat <<'TEXT'
## 2. Isochronous: completions against URBs in flight

An isochronous endpoint with a packet every millisecond, one packet in each URB, paced by the server's bus clock.

![Isochronous intervals](isochronous.svg)

From one completion to the next in ms, mean / worst deviation from 1 ms:

TEXT
    page_jq "$1" 'table(["in flight", ($rtts[] | "\(.) ms")]; [$streams[] as $depth
        | [$depth, ($rtts[] | iso(.; $depth) | if . then "\(.mean | sig) / \(.worst | fabs | sig)" else "—" end)]]), "",
        "One URB comes once in each round trip and the two frames that it waits and takes; several fill the frames
between. The mean is within 5 % of 1 ms from this number in flight on: " + ([$rtts[] as $rtt
            | ([$streams[] | select(iso($rtt; .).mean as $mean | $mean != null and $mean < 1.05)] | first)
            | "at \($rtt) ms \(. // "more than \($streams | last)")"] | join(", ")) + ".", ""'
    cat <<'TEXT'
Where the mean is 1 ms, the worst deviation is what the machine stood still for: it also shows without delay. Elsewhere
it is that and the interval itself.

TEXT
}

page_drives() {
    cat <<'TEXT'
## 3. A thumb drive

`drive` (RAM behind it), attached by `vhci_hcd`, driven by `usb-storage`. `fio` reads and writes the disk itself,
without the page cache; bonnie++ works on a FAT file system, with less memory than its file has bytes, and with smaller
files where it would take long. MB/s, except random: operations a second.

![Thumb drive](drive.svg)

TEXT
    page_jq "$1" 'def cells(value): $rtts[] | drive(.) | value | sig;
        table(["", ($rtts[] | "\(.) ms")]; [
            ["fio read, high speed", cells(.high.read)], ["fio write, high speed", cells(.high.write)],
            ["fio read, SuperSpeed", cells(.super.read)], ["fio write, SuperSpeed", cells(.super.write)],
            ["fio random read 4 KiB", cells(.high["random-read"] | if . then . * 1e6 / 4096 else null end)],
            ["fio random write 4 KiB", cells(.high["random-write"] | if . then . * 1e6 / 4096 else null end)],
            ["bonnie++ block write", cells(.bonnie.write)], ["bonnie++ rewrite", cells(.bonnie.rewrite)],
            ["bonnie++ block read", cells(.bonnie.read)],
            ["bonnie++'"'"'s file", ($rtts[] | drive(.).bonnie.file // "—" | sub("M$"; " MiB"))]]), "",
        "`usb-storage` has one command at a time, and a command is three transfers, one after the other: command, data,
status. So it moves one command in three round trips: up to \(.machine.commandKiB.high) KiB at high speed, \(
        .machine.commandKiB.super) KiB at SuperSpeed. Measured,
in round trips for each command:", "",
        (def trips($bytes; value): $rtts[] | select(. >= 5) as $rtt
            | drive($rtt) | value | if . then $bytes / (. * 1000) / ping($rtt) else null end | sig;
        table(["", ($rtts[] | select(. >= 5) | "\(.) ms")]; [
            ["read, high speed", trips(.machine.commandKiB.high * 1024; .high.read)],
            ["write, high speed", trips($data.machine.commandKiB.high * 1024; .high.write)],
            ["read, SuperSpeed", trips($data.machine.commandKiB.super * 1024; .super.read)],
            ["random read 4 KiB", trips(4096; .high["random-read"])]])), ""'
    cat <<'TEXT'
What is above three is the emulated kernel's own time, and, where a command is a whole MiB, the time that its bytes
take. bonnie++ shows `—` where it took less than half a second, which it does not count.

TEXT
}

page_reports() {
    cat <<'TEXT'
## 4. A keyboard polled every 10 ms

An interrupt endpoint at full speed with `bInterval` 10 (`zero:speed=full,int-interval=10,report-every=…`). The device
makes a report at fixed times, whether or not it is asked, and keeps up to 256. Each has a number, and the time for
which it was planned.

A report every 41 ms, 24 a second, as from a fast typist's keys going down and up. Age on arrival in ms, mean / worst:

TEXT
    page_jq "$1" 'def ages($kind): table(["in flight", ($rtts[] | "\(.) ms")]; [$queues[] as $depth | [$depth, ($rtts[]
            | reports($kind; .; $depth) | if .mean then "\(.mean | sig) / \(.max | sig)"
                + (if .lost > 0 then ", **\(.lost) lost**" else "" end) else "—" end)]]), "";
        def sums($kind): [$data.reports[] | select(.kind == $kind)]
            | "Of \(map(.received + .lost) | add) reports \(map(.lost) | add) were lost, and \(
            map(.repeated) | add) came twice.";
        ages("typing"), sums("typing"), "",
        "A report every 11 ms, nearly one for each poll, as from a mouse that moves:", "",
        ages("moving"), sums("moving"), "", "![Reports](reports.svg)", ""'
    cat <<'TEXT'
Three things make a report old: half a round trip; the wait for the next poll, 5 ms in the mean and 10 ms at most,
which a cable has as well; and the reports before it. The last is nothing while URBs come back more often than reports
are made. With *n* in flight, polls find a URB *n* times in each round trip, rounded up to the next poll. Linux's
`usbhid` has one, which at 10 ms and more is enough for keys, and not for a report in each poll: those wait in the
device, older and older, until more are in flight. The queue that keeps what waits is also what makes it old; a mouse
would rather add up its movements.

TEXT
}

page_end() {
    cat <<'TEXT'
## For those who size queues

- **Bulk:** keep *size × number in flight ≥ rate × round-trip time* (the bandwidth-delay product). For 30 MB/s at 10 ms
  that is 300 KB: five URBs of 64 KiB, or one of 512 KiB. Larger URBs cost less processor time than more of them.
- **One at a time:** a driver that waits for each URB gets size / round-trip time, whatever the network's rate;
  `usb-storage` a third of that. Larger commands are all that helps: SuperSpeed, where Linux asks for 1 MiB instead of
  120 KiB; large reads ahead; a file system that writes in large pieces. Small random accesses cannot be helped.
- **Isochronous:** keep *number in flight × packets in each × packet interval ≥ round-trip time + two intervals*, and on
  top of it the worst pause that you want to survive. More packets in a URB do that as well as more URBs do, and cost
  less, at the price of that much delay.
- **Interrupt:** one URB in flight carries one report per round trip, rounded up to the next poll. What people type fits
  in; what reports in each poll needs *(round-trip time + poll) / poll* in flight.
- **TCP** must allow for the same product: its windows, on both sides, are in bytes in flight as well.

## How

`lo` of the guest has `netem delay` of half the round-trip time, and everything crosses it once in each direction. Set
besides: `limit 1000000` (the usual 1000 packets would lose some); `tcp_rmem` and `tcp_wmem` of 16 MiB, at most 256 MiB,
and no slow start after idling, so that TCP's windows are not what is measured; `reno`, which only opens its window
where nothing is lost, while `cubic` ends its slow start early when round trips vary. The loopback's MTU of 64 KiB and
its segmentation offload are left on: netem delays a large segment as it does a small one, and without a rate limit that
changes nothing but the emulation's work. `ping` measured:

TEXT
    page_jq "$1" 'table(["set", "least ms", "mean", "greatest"]; [.ping[] | ["\(.rtt) ms", .min, .mean, .max]]), ""'
    cat <<'TEXT'
Tables and limits above are named by the time set; limits are computed from the least measured. The raw data are in
[data.json](data.json).

    Scripts/experiments                # all of it again, about eleven minutes
    Scripts/experiments --page-only    # this page and its figures from data.json
TEXT
}
