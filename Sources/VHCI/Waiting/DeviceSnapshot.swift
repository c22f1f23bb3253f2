/// What sysfs shows of a device at a moment: what there is, and what tells whether more is to come.
struct DeviceSnapshot: Equatable, Sendable {
    var device: PluggedDevice
    /// `bNumInterfaces` of the selected configuration.
    var interfaceCount: Int
    /// SCSI devices by their addresses.
    var scsiDevices: [SCSIDevice] = []
    var disks: [Disk] = []
    /// Input devices, such as `input5`, that no event node belongs to.
    var silentInputs: [String] = []
    /// Nodes that the kernel has announced and that are not in the folder of device nodes.
    var missingNodes: [String] = []

    struct SCSIDevice: Hashable, Sendable {
        /// Host, channel, target and unit, such as `2:0:0:0`.
        var address: String
        /// The peripheral device type (SPC-4 table 142).
        var type: UInt32
        var interface: UInt8?

        /// Whether Linux makes a block device of it.
        var isBlockDevice: Bool { [0, 5, 7, 0x0e].contains(type) }
    }

    struct Disk: Hashable, Sendable {
        var name: String
        /// The address of its SCSI device.
        var scsiAddress: String?
        /// In units of 512 bytes; 0 without a medium.
        var sectors: UInt64
        /// Whether anything was read of it, as the search for partitions does.
        var wasRead: Bool
    }

    /// Whether a disk belongs to a SCSI device.
    func hasDisk(_ device: SCSIDevice) -> Bool { disks.contains { $0.scsiAddress == device.address } }
}
