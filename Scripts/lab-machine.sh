# shellcheck shell=bash
# shellcheck disable=SC2034  # accelerator and hardware are read by `lab`.
# The lab's emulated machine: QEMU's command line, and whether to use KVM. Sourced by `lab` after lab-kernel.sh; uses
# its `run`, `memory` and KERNEL_*.

# Sets qemu_command for accelerator $1, with the extra kernel parameters $2.
qemu_machine() {
    # -no-reboot with panic=-1: a kernel that dies ends QEMU at once.
    local parameters="console=ttyS0 loglevel=7 panic=-1 oops=panic mitigations=off"
    parameters+=" rcupdate.rcu_cpu_stall_timeout=120"
    qemu_command=(
        setpriv --pdeathsig KILL -- qemu-system-x86_64
        -nodefaults -no-user-config -display none -monitor none -no-reboot
        -smp 2 -m "$memory" -kernel "$KERNEL_FOLDER/kernel" -initrd "$run/initramfs"
        -append "$parameters $2"
    )
    case $1 in
        tcg) qemu_command+=(-accel 'tcg,thread=multi' -cpu max) ;;
        kvm) qemu_command+=(-accel kvm -cpu host) ;;
    esac
}

# Adds a USB controller with devices to qemu_command. Nothing of them reaches outside: the disk is of zeros, the network
# ends at an empty hub, sound and serial data are dropped.
qemu_usb_devices() {
    qemu_command+=(
        -device 'qemu-xhci,id=xhci,addr=0x10,p2=8,p3=2'
        -blockdev 'driver=null-co,node-name=zeros,size=16777216,read-zeroes=on'
        -device 'usb-storage,bus=xhci.0,drive=zeros'
        -device 'usb-kbd,bus=xhci.0' -device 'usb-tablet,bus=xhci.0'
        -audiodev 'none,id=silence' -device 'usb-audio,bus=xhci.0,audiodev=silence'
        -chardev 'null,id=nowhere' -device 'usb-serial,bus=xhci.0,chardev=nowhere,always-plugged=on'
        -netdev 'hubport,id=nobody,hubid=0' -device 'usb-net,bus=xhci.0,netdev=nobody'
        -device 'usb-ccid,bus=xhci.0'
    )
}

# Adds two empty USB controllers, `bay` (xHCI) and `ehci`, and what devices there can be made of, to qemu_command. The
# guest plugs them in by itself, through QEMU's monitor on a virtio port: QEMU is at both ends of each socket here.
#
# Their other ends: four disks of zeros; the wire of a serial adapter and the card of a card reader on virtio ports;
# and in the folder $1, which the guest sees as $LAB_OUT/hardware: what a sound card has played, in sound.wav; the
# folder media for a media player; and the folder tftp, which a network adapter reaches, and nothing else.
qemu_usb_hardware() {
    local folder=${1//,/,,} sockets=${run//,/,,} index name
    # The length of sun_path, without the zero at its end.
    ((${#run} + 11 <= 107)) || die "the path of the temporary folder is too long for sockets: $run" \
        "Use a shorter one: export TMPDIR=/tmp"
    mkdir -- "$1" || die "there is already a $1, and the lab needs one of its own" "Remove it, or use another --out."
    hardware=$1
    mkdir "$1/media" "$1/tftp"
    qemu_command+=(
        -device 'qemu-xhci,id=bay,addr=0x11,p2=12,p3=4'
        -device 'usb-ehci,id=ehci,addr=0x12'
        -audiodev "wav,id=sound,path=$folder/sound.wav,out.mixing-engine=off"
        -netdev "user,id=lan,restrict=on,ipv6=off,tftp=$folder/tftp"
    )
    for index in 0 1 2 3; do
        truncate -s 256M "$run/disk$index"
        qemu_command+=(-blockdev "driver=file,node-name=disk$index,filename=$sockets/disk$index,discard=unmap")
    done
    for name in monitor line card; do
        qemu_command+=(
            -chardev "socket,id=$name,path=$sockets/$name.sock,server=on,wait=off"
            -chardev "socket,id=$name-end,path=$sockets/$name.sock"
        )
    done
    qemu_command+=(-mon 'chardev=monitor,mode=control')
}

# Adds the virtio ports of qemu_usb_hardware, from number $1 on, to qemu_command. The guest finds them by their names.
qemu_hardware_ports() {
    local port=$1 name
    for name in monitor line card; do
        qemu_command+=(-device "virtserialport,chardev=$name-end,name=ghostplug.$name,nr=$port")
        port=$((port + 1))
    done
}

# Whether the kernel gets as far as its first program under KVM, in 15 s. Asks once per boot of this machine: where KVM
# is broken, that can mean a hang.
kvm_works() {
    [[ -r /dev/kvm && -w /dev/kvm ]] || return 1
    local answer
    answer=$(kernel_cache)/kvm-$KERNEL_VERSION-$(cat /proc/sys/kernel/random/boot_id)
    if [[ ! -e $answer ]]; then
        progress "trying KVM (15 s at most)"
        rm -f "$(kernel_cache)"/kvm-"$KERNEL_VERSION"-*
        qemu_machine kvm lab.probe
        # In a subshell of its own, because bash tells of a crash where it waits for it. The log is what counts.
        (timeout --kill-after 2 15 "${qemu_command[@]}" -serial "file:$run/probe.log" </dev/null || true) &>/dev/null
        if grep -q 'lab: probe passed' "$run/probe.log" 2>/dev/null; then echo yes; else echo no; fi >"$run/probe"
        mv "$run/probe" "$answer"
    fi
    [[ $(<"$answer") == yes ]]
}

# Sets accelerator to what GHOSTPLUG_LAB_ACCEL asks for.
choose_accelerator() {
    accelerator=tcg
    case ${GHOSTPLUG_LAB_ACCEL:-tcg} in
        tcg) ;;
        kvm)
            kvm_works || die "KVM does not boot the lab's kernel on this machine" \
                "Is /dev/kvm there, and may you write to it? Otherwise: unset GHOSTPLUG_LAB_ACCEL"
            accelerator=kvm ;;
        auto) ! kvm_works || accelerator=kvm ;;
        *) die_usage "GHOSTPLUG_LAB_ACCEL is tcg, kvm or auto, not '$GHOSTPLUG_LAB_ACCEL'" ;;
    esac
}
