import DiskStores
import SCSITarget
import USBCore
import USBDeviceKit
import USBMassStorage

/// A thumb drive, a card reader or a fixed disk: `drive`.
public enum DriveModel: DeviceModel {
    /// `drive`.
    public static let name = "drive"
    /// A USB disk, over the Bulk-Only Transport.
    public static let summary = "a thumb drive (or fixed disk, or card reader) that hosts mount, read and write"

    /// See ``DeviceModel/keys``.
    public static let keys = [
        ModelKey(
            "size", "BYTES with K, M, G or T (64M, 8G, 3T)", default: "64M, or the image's, or what the folder needs",
            "the capacity"),
        ModelKey(
            "image", "PATH", default: "memory",
            "a raw image file; one that is not there is created (sparse) when size= is given; each further image= is "
                + "another logical unit", repeats: true),
        ModelKey(
            "dir", "PATH", default: "none",
            "a folder whose files the drive has, on a FAT file system made for it; the folder itself is not written"),
        ModelKey(
            "sync-back", "PATH", default: "none",
            "with dir=: a folder into which the files are copied whenever a client has detached"),
        ModelKey(
            "snapshot", "yes|no|PATH", default: "no",
            "with image=: leave the image alone; changes are forgotten at the end, or kept in PATH"),
        ModelKey(
            "format", "fat|none", default: "fat for what is new, none for what exists",
            "the file system on a blank drive"),
        ModelKey("label", "up to 11 ASCII characters", default: "GHOSTPLUG", "the file system's label, in capitals"),
        ModelKey("readonly", "yes|no", default: "no", "whether writes are refused, as by a card's switch"),
        ModelKey("removable", "yes|no", default: "yes", "whether the medium can be ejected"),
        ModelKey("blocksize", "512|1024|2048|4096", default: "512", "the bytes in a logical block"),
        ModelKey(
            "luns", "1 to 16", default: "1, or the number of image=s",
            "logical units; those without an image are blank disks, or empty slots when there is an image"),
        ModelKey("speed", "full|high|super", default: "high", "12 Mb/s, 480 Mb/s or 5 Gb/s"),
        ModelKey("vid", "16 bits in hexadecimal", default: "1209", "idVendor"),
        ModelKey("pid", "16 bits in hexadecimal", default: "6d73", "idProduct"),
        ModelKey("vendor", "up to 8 ASCII characters", default: "Ghost", "the vendor's name"),
        ModelKey("product", "up to 16 ASCII characters", default: "Plug Drive", "the product's name"),
        ModelKey(
            "serial", "up to 32 of 0-9 A-Z a-z . _ -",
            default: "12 hexadecimal digits made of the keys and the position",
            "the serial number"),
        ModelKey(
            "stall", "yes|no", default: "yes",
            "whether data that are shorter than asked for end with STALL, as most drives do, or only short"),
    ]

    /// See ``DeviceModel/examples``.
    public static let examples: [(specification: String, meaning: String)] = [
        ("drive", "64 MiB of memory with an empty FAT file system"),
        ("drive:dir=./payload,label=PAYLOAD,readonly", "the folder's files, write protected"),
        ("drive:dir=./in,sync-back=./out", "the folder's files; what the client makes of them lands in ./out"),
        ("drive:image=disk.img,size=8G,speed=super", "a SuperSpeed drive in a sparse file that is created"),
        ("drive:image=golden.img,snapshot", "an image that stays as it is, whatever the client does"),
        ("drive:size=3T,blocksize=4096,format=none,removable=no", "a large 4K-native fixed disk"),
        ("drive:image=a.img,luns=4", "a card reader with a card in the first of four slots"),
    ]

    /// See ``DeviceModel/make(_:_:)``.
    public static func make(_ options: ModelOptions, _ context: ModelContext) throws(ModelError) -> ModelDevice {
        let media = try DriveMedia(try DriveSettings(options, context), context)
        let target = SCSITarget(media.slots.map(\.unit))
        let reporter = CommandReporter(context)
        target.onFinish = { task, status in reporter.finished(task, status) }
        let gadget = MassStorageGadget(target, media.settings.gadgetConfiguration)
        do throws(DescriptorError) {
            var made = ModelDevice(
                device: try GadgetDevice(gadget), backing: media.backing, close: { media.close() })
            if let copier = media.copier { made.onRelease = { copier.run() } }
            made.actions = DriveActions.all(media)
            return made
        } catch {
            throw ModelError("the drive's descriptors are refused: \(error)")
        }
    }
}
