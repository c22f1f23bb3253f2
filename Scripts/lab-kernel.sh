# shellcheck shell=bash
# shellcheck disable=SC2034  # KERNEL_* are read by `lab`.
# The lab's kernels: found in the distribution's packages, downloaded, and unpacked into a cache. Nothing is installed.
# Sourced by `lab` after lib.sh.
#
# The cache, ${GHOSTPLUG_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ghostplug}:
#   kernels/VERSION/kernel, lib/modules/VERSION     what the packages contain
#   kernels/VERSION/initramfs.cpio                  busybox and the modules that reach the root file system
#   kernels/NAME -> VERSION                         what the argument of --kernel last meant
#   apt/                                            package lists of our own, where the system's do not serve

# Changes whenever the contents of the cached initramfs do.
INITRAMFS_NAME=initramfs-1.cpio
# What the guest needs before it can load anything from its root: the bus, the root itself, and the report ports.
INITRAMFS_MODULES=(virtio_pci virtio_console 9pnet_virtio 9p overlay)

# kernel_prepare NAME REFRESH : sets KERNEL_VERSION and KERNEL_FOLDER to a complete cache entry for NAME. Asks the
# package lists what NAME means only when the cache does not know, or when REFRESH is 1.
kernel_prepare() {
    local name=$1 refresh=$2 cache lock
    cache=$(kernel_cache)
    mkdir -p "$cache/kernels" 2>/dev/null || die "cannot create the cache $cache" \
        "Choose another place: export GHOSTPLUG_CACHE=FOLDER"
    if [[ $refresh == 0 ]] && kernel_is_complete "$cache/kernels/$name"; then
        KERNEL_FOLDER=$(readlink -f "$cache/kernels/$name")
        KERNEL_VERSION=${KERNEL_FOLDER##*/}
        return
    fi
    exec {lock}>"$cache/lock"
    flock --nonblock "$lock" || {
        progress "waiting for another lab that prepares a kernel"
        flock "$lock"
    }
    # The other lab may have done it.
    if [[ $refresh == 1 ]] || ! kernel_is_complete "$cache/kernels/$name"; then
        kernel_fill_cache "$name" "$cache"
    fi
    exec {lock}>&-
    KERNEL_FOLDER=$(readlink -f "$cache/kernels/$name")
    KERNEL_VERSION=${KERNEL_FOLDER##*/}
}

kernel_cache() {
    local cache=${GHOSTPLUG_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/ghostplug}
    realpath -m -- "$cache"
}

kernel_is_complete() {
    [[ -e $1/kernel && -e $1/$INITRAMFS_NAME && -d $1/lib/modules ]]
}

kernel_fill_cache() {
    local name=$1 cache=$2 image version
    APT_OPTIONS=()
    # Without root there is no _apt user to change to; with it, _apt may not enter our cache.
    [[ $EUID != 0 ]] || APT_OPTIONS+=(-o APT::Sandbox::User=root)
    image=$(kernel_image "$name") || image=''
    if [[ -z $image ]]; then
        kernel_own_lists "$cache"
        image=$(kernel_image "$name") || image=''
    fi
    [[ -n $image ]] || die "the package sources of this machine have no kernel '$name'" \
        "They have: $(kernel_choices)" "Try: $SCRIPT_NAME --kernel default"
    version=${image#linux-image-}
    version=${version#unsigned-}
    if ! kernel_is_complete "$cache/kernels/$version"; then
        kernel_download "$image" "$version" "$cache"
    fi
    ln -sfnT "$version" "$cache/kernels/.$name.$$"
    mv -fT "$cache/kernels/.$name.$$" "$cache/kernels/$name"
}

# kernel_image NAME : prints the package with the kernel that NAME means; fails if there is none.
kernel_image() {
    local name=$1 package
    if [[ $name == default ]]; then
        kernel_dependency linux-image-amd64 || kernel_dependency linux-image-generic
        return
    fi
    # The default one first: it is the one that is kept up to date. Debian 12 has a second series, Ubuntu has HWE.
    # shellcheck source=/dev/null
    for package in linux-image-amd64 "linux-image-$name-amd64" linux-image-generic \
        "linux-image-generic-hwe-$(. /etc/os-release && echo "${VERSION_ID:-}")"; do
        package=$(kernel_dependency "$package") || continue
        [[ $package == linux-image-"$name"[.-]* ]] || continue
        echo "$package"
        return
    done
    package=$(apt-cache "${APT_OPTIONS[@]}" pkgnames "linux-image-$name" |
        grep -E "^linux-image-${name//./\\.}([.-][0-9].*)?-(amd64|generic)\$" |
        grep -v -E -- '-(cloud|rt)-' | sort -V | tail -n 1) || true
    [[ -n $package ]] && echo "$package"
}

# kernel_dependency PACKAGE : prints the versioned image that the metapackage PACKAGE depends on.
kernel_dependency() {
    local image
    image=$(apt-cache "${APT_OPTIONS[@]}" depends --no-recommends --no-suggests "$1" 2>/dev/null |
        sed -n 's/^ *|\{0,1\}Depends: \(linux-image-[0-9].*\)$/\1/p' | head -n 1) || true
    [[ -n $image ]] && echo "$image"
}

kernel_choices() {
    local choices
    choices=$(apt-cache "${APT_OPTIONS[@]}" pkgnames linux-image- |
        sed -nE 's/^linux-image-([0-9]+\.[0-9]+)[.-].*(amd64|generic)$/\1/p' | sort -uV | tr '\n' ' ') || true
    echo "${choices:-none: are there deb lines in /etc/apt?}"
}

# kernel_own_lists CACHE : gets package lists that belong to the cache, and makes APT_OPTIONS use them. For a machine
# whose own are missing or too old, without changing it and without root.
kernel_own_lists() {
    local folder=$1/apt
    progress "getting package lists (the system's do not have the kernel)"
    mkdir -p "$folder/lists/partial" "$folder/cache/archives/partial"
    APT_OPTIONS+=(-o "Dir::State::lists=$folder/lists" -o "Dir::Cache=$folder/cache")
    apt-get "${APT_OPTIONS[@]}" update >"$folder/log" 2>&1 || {
        tail -n 15 "$folder/log" >&2
        die "cannot get the package lists (above: the end of apt-get's output)" \
            "Check the network and /etc/apt/sources.list*, then run this again."
    }
}

# kernel_download IMAGE VERSION CACHE : makes the cache entry, complete or not at all.
kernel_download() {
    local image=$1 version=$2 cache=$3 folder package
    local packages=("$image")
    # What a lab that was killed left behind: the caller holds the lock.
    rm -rf "$cache"/kernels/.new.*
    folder=$(mktemp -d "$cache/kernels/.new.XXXXXX")
    # For `lab` to remove if it ends before this does.
    KERNEL_UNFINISHED=$folder
    # Ubuntu has the modules in packages of their own, vhci-hcd in "extra".
    for package in "linux-modules-$version" "linux-modules-extra-$version"; do
        ! apt-cache "${APT_OPTIONS[@]}" show "$package" >/dev/null 2>&1 || packages+=("$package")
    done
    progress "downloading ${packages[*]} ($(kernel_size "${packages[@]}") MB)"
    if ! kernel_get "$folder" "${packages[@]}"; then
        # The usual reason: the lists name a version that the archive has replaced since.
        kernel_own_lists "$cache"
        kernel_get "$folder" "${packages[@]}" || {
            cat "$folder/log" >&2
            die "cannot download ${packages[*]} (above: apt-get's output)" \
                "Check the network, then run this again: only the first time needs it."
        }
    fi
    progress "unpacking $version"
    # Newer packages have usr/lib/modules instead of lib/modules, and so does their depmod.
    mkdir -p "$folder/lib" "$folder/usr"
    ln -s ../lib "$folder/usr/lib"
    for package in "$folder"/*.deb; do
        dpkg-deb --fsys-tarfile "$package" |
            tar -x -C "$folder" --keep-directory-symlink --no-same-owner --exclude './usr/share' \
                --exclude './boot/System.map-*' ||
            die "cannot unpack ${package##*/}" "Is there space? $(df -h "$folder" | tail -n 1)"
        rm -f "$package"
    done
    [[ -e $folder/boot/vmlinuz-$version && -d $folder/lib/modules/$version/kernel ]] ||
        die "${packages[*]} do not contain a kernel and modules for $version where they are expected" \
            "Please report this, with the name of your distribution."
    kernel_unpack_image "$folder/boot/vmlinuz-$version" "$folder/boot/config-$version" "$folder/kernel"
    rm "$folder/boot/vmlinuz-$version"
    depmod -b "$folder" "$version"
    kernel_initramfs "$folder" "$version"
    rm -f "$folder/log"
    # mktemp's 0700 would lock others out of a shared cache.
    chmod 755 "$folder"
    rm -rf "${cache:?}/kernels/$version"
    mv -T "$folder" "$cache/kernels/$version"
    KERNEL_UNFINISHED=''
}

# kernel_unpack_image IMAGE CONFIG OUTPUT : writes the kernel that QEMU starts. The image unpacks itself at each boot,
# which takes longer under emulation than the rest of the boot: so this unpacks it once. QEMU starts the result through
# its PVH entry point. Where that is not possible, the image serves as it is. Offsets: the kernel's boot protocol.
kernel_unpack_image() {
    local image=$1 config=$2 output=$3 setup offset length tool
    setup=$(od -An -tu1 -j 0x1f1 -N 1 "$image")
    offset=$(od -An -tu4 -j 0x248 -N 4 "$image")
    length=$(od -An -tu4 -j 0x24c -N 4 "$image")
    if grep -q '^CONFIG_PVH=y' "$config" 2>/dev/null && ((length > 4)); then
        for tool in 'xz --single-stream' zstd gzip; do
            # The last four bytes are the unpacked size. The word splitting of $tool is meant.
            # shellcheck disable=SC2086
            tail -c +$(((setup + 1) * 512 + offset + 1)) "$image" | head -c $((length - 4)) |
                $tool -q -dc >"$output" 2>/dev/null || true
            [[ $(head -c 4 "$output" | tail -c 3) != ELF ]] || return 0
        done
    fi
    cp "$image" "$output"
}

kernel_size() {
    apt-cache "${APT_OPTIONS[@]}" show --no-all-versions "$@" 2>/dev/null |
        awk '/^Size:/ { sum += $2 } END { printf "%d", sum / 1000000 }'
}

kernel_get() {
    local folder=$1
    shift
    (cd "$folder" && rm -f -- *.deb && apt-get "${APT_OPTIONS[@]}" download "$@" >log 2>&1)
}

# kernel_initramfs FOLDER VERSION : the part of the initramfs that depends on the kernel alone. Not compressed, since
# unpacking is the guest's work, and the guest is slow.
kernel_initramfs() {
    local folder=$1 version=$2 tree=$1/initramfs module path number=100 busybox
    busybox=$(type -P busybox)
    ! ldd "$busybox" >/dev/null 2>&1 || die "$busybox is not the static one, and the lab's guest starts with it" \
        "Run: apt-get install busybox-static"
    mkdir -p "$tree"/{bin,dev,proc,sys,modules}
    cp "$busybox" "$tree/bin/busybox"
    for module in "${INITRAMFS_MODULES[@]}"; do
        while read -r path; do
            # Numbered in the order of their dependencies; a module that two others need is there once.
            module=${path##*/}
            module=${module%%.ko*}
            ! compgen -G "$tree/modules/*-$module.ko" >/dev/null || continue
            number=$((number + 1))
            case $path in
                *.ko) cat "$path" ;;
                *.ko.xz) xz -dc "$path" ;;
                *.ko.zst) zstd -q -dc "$path" ;;
                *.ko.gz) gzip -dc "$path" ;;
                *) die "unknown module format: $path" "Please report this, with the name of your distribution." ;;
            esac >"$tree/modules/$number-$module.ko"
            # A line is: insmod PATH PARAMETER..., or: builtin NAME.
        done < <(modprobe -d "$folder" -S "$version" --show-depends "$module" |
            sed -nE 's/^insmod (.*\.ko(\.[a-z]+)?)( .*)?$/\1/p')
    done
    compgen -G "$tree/modules/*-9p.ko" >/dev/null ||
        die "the modules of $version lack 9p, which the guest's root needs" "Try another: $SCRIPT_NAME --kernel default"
    (cd "$tree" && find . | cpio --quiet -o -H newc -R 0:0) >"$folder/$INITRAMFS_NAME"
    rm -rf "$tree"
}
