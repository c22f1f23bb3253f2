import Testing
import USBCore

@testable import USBPassthrough

@Suite("What keeps a device from being exported")
struct ObstacleTests {
    private let machine = FakeMachine()

    private func obstacles(_ path: String = "1-1") throws -> [Obstacle] {
        let inventory = machine.inventory
        let device = try #require(try inventory.devices().first { $0.path == path })
        return inventory.obstacles(of: device)
    }

    private func addStick() {
        machine.add("1-1", 0x46f4, 1, address: 2)
        machine.addBlock("sdb", "8:16", of: "1-1")
        machine.addBlock("sdb1", "8:17", of: "1-1", below: "sdb/")
    }

    private func mount(_ lines: String...) {
        machine.write(lines.map { $0 + "\n" }.joined(), to: "/proc/self/mountinfo")
    }

    @Test("is not a kernel driver, nor that it was attached over USB/IP")
    func nothing() throws {
        addStick()
        mount("29 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw")
        #expect(try obstacles().isEmpty)
        machine.add("5-1", 1, 1, address: 2, controller: "platform/vhci_hcd.0/usb5")
        #expect(try obstacles("5-1").isEmpty)
    }

    @Test("is that it is a hub, and then nothing else counts")
    func hubs() throws {
        machine.addBus(1)
        machine.add("1-1", 1, 1, address: 2, class: 9)
        machine.removeFile("/dev/bus/usb")
        #expect(try obstacles("usb1").map(\.kind) == [.rootHub])
        #expect(try obstacles("usb1").first?.message == "usb1 is a bus's root hub; name what hangs on it")
        #expect(try obstacles().map(\.kind) == [.hub])
    }

    @Test("is a mounted file system, wherever it is mounted")
    func mounted() throws {
        addStick()
        mount(
            "29 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw",
            "30 29 8:17 / /media/My\\040Stick rw master:2 shared:7 - vfat /dev/sdb1 rw",
            "31 29 8:17 /sub /mnt rw - vfat /dev/sdb1 rw")
        let found = try obstacles()
        #expect(found.map(\.kind) == [.mounted])
        #expect(found.first?.message == "sdb1 is mounted on /media/My Stick and /mnt")
        #expect(found.first?.advice == ["sudo umount '/media/My Stick'", "sudo umount /mnt"])
        #expect(
            found.first?.description
                == "sdb1 is mounted on /media/My Stick and /mnt: sudo umount '/media/My Stick'; sudo umount /mnt")
    }

    @Test("is a mounted file system by its number, by its node as btrfs needs, or where only the first process sees it")
    func mountedElsewhere() throws {
        addStick()
        mount("30 29 0:45 / /data rw - btrfs /dev/sdb1 rw")
        #expect(try obstacles().first?.message == "sdb1 is mounted on /data")
        mount("30 29 8:17 / /data rw - vfat /dev/disk/by-label/DATA rw")
        #expect(try obstacles().first?.message == "sdb1 is mounted on /data")
        mount("")
        machine.write("30 29 8:16 / /host rw - ext4 /dev/sdb rw\n", to: "/proc/1/mountinfo")
        #expect(try obstacles().first?.message == "sdb is mounted on /host")
    }

    @Test("is shown without harm, and with a command that can be pasted, whatever the folder is called")
    func hostileFolder() throws {
        addStick()
        mount(
            "30 29 8:17 / /media/\u{1b}[2J\\012x rw - vfat /dev/sdb1 rw", "31 29 8:17 / /a'b$(c) rw - vfat /dev/sdb1 rw"
        )
        let found = try #require(try obstacles().first)
        #expect(found.message == "sdb1 is mounted on /media/\\u{1b}[2J\\u{a}x and /a'b$(c)")
        #expect(found.advice == ["sudo umount --all-targets /dev/sdb1", "sudo umount '/a'\\''b$(c)'"])
    }

    @Test("is not made of lines that are cut or make no sense")
    func malformedTables() throws {
        addStick()
        mount("", "30", "30 29 8:17 / /x rw", "30 29 8:17 / /x rw -", "30 29 8:17 / /x rw - vfat", "\\0 \\08 \\ - - -")
        machine.write("Filename\n\n \n/dev/sdc1\n", to: "/proc/swaps")
        #expect(try obstacles().isEmpty)
    }

    @Test("is swap on it")
    func swap() throws {
        addStick()
        machine.write(
            "Filename\tType\t\tSize\tUsed\tPriority\n/dev/sdb1   partition\t1000\t0\t-2\n", to: "/proc/swaps")
        let found = try obstacles()
        #expect(found.map(\.kind) == [.swap] && found.first?.message == "sdb1 is used as swap")
        #expect(found.first?.advice == ["sudo swapoff /dev/sdb1"])
    }

    @Test(
        "is what the device mapper or a RAID has built on it",
        arguments: [
            ("dm-0", "luks-1", "CRYPT-LUKS2-1", "sdb1 is held by dm-0 (luks-1)", "sudo cryptsetup close luks-1"),
            ("dm-1", "vg-lv", "LVM-abc", "sdb1 is held by dm-1 (vg-lv)", "sudo dmsetup remove vg-lv"),
            ("dm-2", "a b;c", "x", "sdb1 is held by dm-2 (a b;c)", "sudo dmsetup remove 'a b;c'"),
            ("md127", "", "", "sdb1 is held by md127", "sudo mdadm --stop /dev/md127"),
            ("bcache0", "", "", "sdb1 is held by bcache0", "lsblk -s /dev/bcache0  # shows what it is"),
        ])
    func held(_ holder: String, mapper: String, uuid: String, message: String, advice: String) throws {
        addStick()
        machine.addHolder(holder, "253:0", on: "sdb1", mapper: mapper.isEmpty ? nil : (mapper, uuid))
        #expect(try obstacles() == [Obstacle(.held, message, advice: [advice])])
    }

    @Test("is a file system on what is built on it, to be unmounted before that is taken apart")
    func layers() throws {
        addStick()
        machine.addHolder("dm-0", "253:0", on: "sdb1", mapper: ("crypt", "CRYPT-x"))
        machine.addHolder("dm-1", "253:1", on: "dm-0", mapper: ("vg-home", "LVM-x"))
        mount("30 29 253:1 / /home rw - ext4 /dev/mapper/vg-home rw")
        let found = try obstacles()
        #expect(found.map(\.message) == ["dm-1 (vg-home) on sdb1 is mounted on /home", "sdb1 is held by dm-0 (crypt)"])
    }

    @Test("ends with holders that hold each other, and disks that link to themselves")
    func circles() throws {
        addStick()
        machine.addHolder("dm-0", "253:0", on: "sdb1")
        machine.addHolder("dm-1", "253:1", on: "dm-0")
        machine.link("/sys/class/block/dm-1/holders/dm-0", to: "../../dm-0")
        machine.link("/sys/class/block/loop", to: "loop")
        machine.link("/sys/class/block/dm-1/holders/sdb1", to: "../../sdb1")
        #expect(try obstacles().map(\.kind) == [.held])
    }

    @Test("is not the use of another device's disk, though its place begins alike")
    func otherDisk() throws {
        machine.add("1-1", 0x46f4, 1, address: 2)
        machine.add("1-11", 0x46f4, 1, address: 3)
        machine.addBlock("sdc", "8:32", of: "1-11")
        mount("30 29 8:32 / /x rw - ext4 /dev/sdc rw")
        #expect(try obstacles().isEmpty)
        #expect(try obstacles("1-11").map(\.kind) == [.mounted])
    }

    @Test("is the kernel's own USB/IP server")
    func usbipHost() throws {
        machine.add("1-1", 1, 1, address: 2, interfaces: [(0, 8, nil)])
        machine.link("\(FakeMachine.folder("1-1"))/driver", to: "/sys/bus/usb/drivers/usbip-host")
        let found = try obstacles()
        #expect(found.map(\.kind) == [.usbipHost] && found.first?.advice == ["sudo usbip unbind -b 1-1"])
    }

    @Test("is a program that has claimed an interface, by name where it may be known")
    func claimed() throws {
        machine.add(
            "1-1", 1, 1, address: 2, interfaces: [(0, 3, "usbfs"), (1, 3, "usbhid"), (2, 3, "usbfs")])
        #expect(
            try obstacles() == [
                Obstacle(
                    .claimed, "a program has claimed interfaces 0, 2",
                    advice: ["sudo fuser -v /dev/bus/usb/001/002  # shows which"])
            ])
        machine.link("/proc/41/fd/3", to: "/dev/bus/usb/001/003")
        machine.link("/proc/42/fd/3", to: "/dev/null")
        machine.link("/proc/42/fd/7", to: "/dev/bus/usb/001/002")
        machine.write("evil\u{1b}[2J\n", to: "/proc/42/comm")
        machine.link("/proc/self/fd/7", to: "/dev/bus/usb/001/002")
        machine.makeFolder("/proc/43")
        #expect(
            try obstacles() == [
                Obstacle(
                    .claimed, "evil\\u{1b}[2J (process 42) has claimed interfaces 0, 2", advice: ["kill 42"])
            ])
        machine.link("/proc/44/fd/0", to: "/dev/bus/usb/001/002")
        #expect(
            try obstacles().first?.message
                == "evil\\u{1b}[2J (process 42) or a program (process 44) has claimed interfaces 0, 2")
    }

    @Test("is a node that is not there, or a container without any")
    func noNode() throws {
        machine.add("1-1", 1, 1, address: 2)
        machine.removeFile("/dev/bus/usb/001/002")
        let missing = try #require(try obstacles().first)
        #expect(missing.kind == .nodeMissing && missing.message.hasPrefix("/dev/bus/usb/001/002 does not exist"))
        machine.removeFile("/dev/bus")
        let none = try #require(try obstacles().first)
        #expect(none.kind == .nodeMissing && none.message.hasPrefix("there is no /dev/bus/usb: a container"))
        #expect(none.advice.first?.hasPrefix("docker run -v /dev/bus/usb:/dev/bus/usb ") == true)
    }

    private static let rule = #"SUBSYSTEM=="usb", ATTR{idVendor}=="1d6b", ATTR{idProduct}=="0104""#

    @Test("is a node that this user may not open, with the rule for udev")
    func permission() throws {
        machine.add("1-1", 0x1d6b, 0x104, address: 2)
        machine.lock("/dev/bus/usb/001/002")
        let found = try obstacles()
        #expect(found.map(\.kind) == [.permission])
        #expect(found.first?.message == "this user may not open /dev/bus/usb/001/002")
        let advice = try #require(found.first?.advice)
        #expect(
            advice.first
                == #"printf '%s\n' '\#(Self.rule), MODE="0660", TAG+="uaccess"' "#
                + "| sudo tee /etc/udev/rules.d/70-ghostplug-1d6b-0104.rules")
        #expect(advice[1] == "sudo udevadm control --reload && sudo udevadm trigger --subsystem-match=usb")
        #expect(advice[2].hasPrefix("# or run the command with sudo"))
    }

    @Test(
        "may be lifted for the group plugdev, in a line of its own, where udev takes that group",
        arguments: [
            ("root:x:0:\nplugdev:x:46:me\n", true), ("plugdev:x:1001:\n", false), ("plugdev:x:\n", false),
            ("plugdevs:x:46:\n", false), ("", false),
        ])
    func plugdev(_ groups: String, isOffered: Bool) throws {
        machine.add("1-1", 0x1d6b, 0x104, address: 2)
        machine.lock("/dev/bus/usb/001/002")
        machine.write(groups, to: "/etc/group")
        let line = try #require(try obstacles().first?.advice.first)
        #expect(line.contains(#"' '\#(Self.rule), GROUP="plugdev"' |"#) == isOffered, "\(line)")
    }

    @Test("is told with the worst first")
    func order() throws {
        addStick()
        machine.setDriver("usbfs", of: "1-1:1.0")
        machine.lock("/dev/bus/usb/001/002")
        machine.addHolder("dm-0", "253:0", on: "sdb1")
        mount("30 29 8:17 / /x rw - vfat /dev/sdb1 rw")
        machine.write("/dev/sdb partition\n", to: "/proc/swaps")
        #expect(try obstacles().map(\.kind) == [.mounted, .swap, .held, .claimed, .permission])
        #expect(Obstacle.Kind.allCases.sorted() == Obstacle.Kind.allCases)
    }
}
