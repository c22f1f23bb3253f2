import SCSITarget
import USBCore
import USBMassStorage

/// A drive's keys, read and checked against one another.
struct DriveSettings {
    enum Source {
        case memory
        case images([String])
        case folder(String)
    }

    enum Snapshot {
        case none
        case forgotten
        case kept(String)
    }

    let source: Source
    let snapshot: Snapshot
    let syncBack: String?
    /// Asked for; nil lets the source decide.
    let size: UInt64?
    let blockSize: BlockSize
    let label: String
    /// Whether a blank medium gets a file system; nil when the keys do not say.
    let formats: Bool?
    let isReadOnly: Bool
    let isRemovable: Bool
    let unitCount: Int
    let serialNumber: String
    let vendor: String
    let product: String
    let gadgetConfiguration: MassStorageGadget.Configuration

    static let defaultSize: UInt64 = 64 << 20

    init(_ options: ModelOptions, _ context: ModelContext) throws(ModelError) {
        source = try Self.source(options)
        snapshot = try Self.snapshot(options, source)
        syncBack = try options.path("sync-back")
        if syncBack != nil, options.string("dir") == nil {
            throw ModelError("sync-back= copies back what came from dir=; give dir= as well", key: "sync-back")
        }
        blockSize = try options.choice(
            "blocksize", BlockSize.allCases.map { ("\($0.rawValue)", $0) }, default: .bytes512)
        size = try options.byteCount("size")
        if let size, size % UInt64(blockSize.rawValue) != 0 {
            throw ModelError("size=\(size) is not a multiple of the block size \(blockSize.rawValue)", key: "size")
        }
        label = try options.ascii("label", upTo: 11, default: "GHOSTPLUG").uppercased()
        formats = try options.choice("format", [("fat", true), ("none", false)], default: nil)
        if formats == false, options.string("dir") != nil {
            throw ModelError("format=none leaves no room for the files of dir=; leave one of them out", key: "format")
        }
        isReadOnly = try options.bool("readonly", default: false)
        isRemovable = try options.bool("removable", default: true)
        let images = if case .images(let paths) = source { paths.count } else { 1 }
        unitCount = try options.integer("luns", in: 1...SCSITarget.maximumUnitCount, default: images)
        guard unitCount >= images else {
            throw ModelError("luns=\(unitCount) is too few for \(images) images", key: "luns")
        }
        serialNumber = try options.serialNumber("serial", for: context)
        vendor = try options.ascii("vendor", upTo: 8, default: "Ghost")
        product = try options.ascii("product", upTo: 16, default: "Plug Drive")

        var gadget = MassStorageGadget.Configuration()
        gadget.speed = try options.choice(
            "speed", [("full", .full), ("high", .high), ("super", .super)], default: .high)
        gadget.vendorID = try options.hex16("vid", default: gadget.vendorID)
        gadget.productID = try options.hex16("pid", default: gadget.productID)
        gadget.manufacturer = vendor
        gadget.product = product
        gadget.serialNumber = serialNumber
        gadget.stallsShortData = try options.bool("stall", default: true)
        gadgetConfiguration = gadget
    }

    private static func source(_ options: ModelOptions) throws(ModelError) -> Source {
        let images = options.all("image")
        if let empty = images.first(where: { $0.isEmpty || $0.contains("\0") }) {
            throw options.refusal("image", empty)
        }
        guard let folder = try options.path("dir") else { return images.isEmpty ? .memory : .images(images) }
        guard images.isEmpty else {
            throw ModelError("dir= and image= exclude each other: a drive has its bytes from one place", key: "dir")
        }
        return .folder(folder)
    }

    private static func snapshot(_ options: ModelOptions, _ source: Source) throws(ModelError) -> Snapshot {
        guard let value = try options.path("snapshot") else { return .none }
        let snapshot: Snapshot
        switch value.lowercased() {
        case "no", "false", "off", "0": return .none
        case "yes", "true", "on", "1": snapshot = .forgotten
        default: snapshot = .kept(value)
        }
        guard case .images(let paths) = source else {
            throw ModelError("snapshot= keeps an image= as it is; there is none here", key: "snapshot")
        }
        if case .kept = snapshot, paths.count > 1 {
            throw ModelError("snapshot=PATH keeps the changes of one image; there are \(paths.count)", key: "snapshot")
        }
        return snapshot
    }

    func unitConfiguration(_ index: Int) -> LogicalUnit.Configuration {
        LogicalUnit.Configuration(
            vendor: vendor, product: product,
            serialNumber: unitCount == 1 ? serialNumber : "\(serialNumber)-\(index)", blockSize: blockSize,
            isRemovable: isRemovable, isReadOnly: isReadOnly)
    }

    /// The medium that a unit begins with; nil for an empty slot.
    func medium(_ index: Int) -> MediumSettings? {
        let origin: MediumSettings.Source
        switch source {
        case .memory: origin = .memory(size ?? Self.defaultSize)
        case .images(let paths):
            guard paths.indices.contains(index) else { return nil }
            origin = .image(paths[index])
        case .folder(let path):
            guard index == 0 else { return nil }
            origin = .folder(path)
        }
        return MediumSettings(
            source: origin, snapshot: snapshot, syncBack: syncBack, size: size, blockSize: blockSize, label: label,
            formats: formats, isReadOnly: isReadOnly, volumeID: volumeID(index))
    }

    /// The file system's volume number: told by the serial number, so that equal drives can be told apart.
    func volumeID(_ index: Int) -> UInt32 {
        var hash: UInt32 = 0x811c_9dc5
        for byte in "\(serialNumber) \(index)".utf8 { hash = (hash ^ UInt32(byte)) &* 0x0100_0193 }
        return hash
    }
}
