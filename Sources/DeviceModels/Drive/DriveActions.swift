import CommandSupport
import Glibc
import Logging
import SCSITarget

/// What can be done to a drive while it runs.
enum DriveActions {
    static func all(_ media: DriveMedia) -> [DeviceAction] {
        [
            DeviceAction(eject) { arguments, reply throws(ModelError) in
                reply.succeed(try media.eject(arguments))
            },
            DeviceAction(insert) { arguments, reply throws(ModelError) in
                reply.succeed(try media.insert(arguments))
            },
            DeviceAction(writeProtect) { arguments, reply throws(ModelError) in
                reply.succeed(try media.writeProtect(arguments))
            },
            DeviceAction(resize) { arguments, reply throws(ModelError) in
                reply.succeed(try media.resize(arguments))
            },
            DeviceAction(list) { _, reply throws(ModelError) in
                reply.succeed([("media", .array(media.listing))])
            },
        ]
    }

    private static let lun = ActionParameter("lun", "0 to 15", default: "0", "the logical unit: the reader's slot")
    private static let force = ActionParameter(
        "force", "yes|no", default: "no", "do it although the host has locked the medium in")

    static let eject = DeviceAction.Summary(
        "eject", "take the medium out, as somebody's hand does: flushed first, and an image file is closed",
        [lun, force])
    static let insert = DeviceAction.Summary(
        "insert", "put a medium in, in place of one that may be there",
        [
            lun,
            ActionParameter("image", "PATH", default: "the medium that was there before", "a raw image file"),
            ActionParameter(
                "size", "BYTES with K, M, G or T", default: "none", "memory, or the size of image= or dir="),
            ActionParameter("dir", "PATH", default: "none", "a folder whose files the medium has"),
            ActionParameter("readonly", "yes|no", default: "no", "whether the medium refuses writes"),
            ActionParameter("snapshot", "yes|no", default: "no", "leave the image alone and forget changes"),
            ActionParameter(
                "format", "fat|none", default: "fat for what is new, none for what exists",
                "the file system on a blank medium"),
            ActionParameter("label", "up to 11 ASCII characters", default: "the drive's", "the file system's label"),
            force,
        ])
    static let writeProtect = DeviceAction.Summary(
        "write-protect", "move the drive's write-protect switch",
        [lun, ActionParameter("on", "yes|no", default: "yes", "whether writes are refused")])
    static let resize = DeviceAction.Summary(
        "resize", "make the medium larger while it is in",
        [lun, ActionParameter("size", "BYTES with K, M, G or T", default: nil, "the new capacity"), force])
    static let list = DeviceAction.Summary("media", "say what is in each unit")
}

extension DriveMedia {
    // MARK: eject, insert

    func eject(_ arguments: ActionArguments) throws(ModelError) -> [(String, JSON)] {
        let index = try unit(arguments)
        let force = try arguments.bool("force", default: false)
        try checkRemovable(index)
        guard let medium = slots[index].medium else {
            throw ModelError(unavailable: "there is no medium in unit \(index); 'insert' puts one in")
        }
        let problem = try takeOut(of: index, force: force)
        tellEjected(index)
        if let problem {
            throw ModelError(unavailable: "the medium is out of unit \(index), but: \(problem)")
        }
        return [("lun", .number(index)), ("medium", .string(medium.words))]
    }

    func insert(_ arguments: ActionArguments) throws(ModelError) -> [(String, JSON)] {
        let index = try unit(arguments)
        let force = try arguments.bool("force", default: false)
        try checkRemovable(index)
        try checkUnlocked(index, force)
        var problem: String?
        if let wanted = try wanted(arguments) {
            problem = try exchange(index, wanted, force)
        } else {
            try putBack(index)
        }
        let slot = slots[index]
        let words = slot.medium?.words ?? ""
        context.events.send(
            "inserted",
            [
                ("lun", .number(index)), ("by", .string("control")), ("bytes", bytes(slot.unit)),
                ("medium", .string(words)),
            ])
        context.logger.info("inserted into unit \(index): \(words)")
        if let problem {
            throw ModelError(unavailable: "the medium is in unit \(index), but of the one that was there: \(problem)")
        }
        return [
            ("lun", .number(index)), ("medium", .string(words)), ("bytes", bytes(slot.unit)),
            ("readonly", .bool(slot.unit.isWriteProtected)),
        ]
    }

    /// Puts the medium in that is in the open tray, or that was taken out last.
    private func putBack(_ index: Int) throws(ModelError) {
        let slot = slots[index]
        guard !slot.unit.isMediumPresent else {
            throw ModelError(
                "unit \(index) has its medium; give image=, dir= or size= to put another one in", key: "image")
        }
        guard let medium = slot.medium ?? slot.previous else {
            throw ModelError("unit \(index) never had a medium; give image=, dir= or size=", key: "image")
        }
        try put(medium, into: index)
    }

    /// Puts another medium in.
    ///
    /// What is new is made or opened first, so that the old one stays when that fails; unless both are the same file,
    /// which cannot be opened twice.
    ///
    /// - Returns: What could not be done with the old one.
    private func exchange(_ index: Int, _ wanted: MediumSettings, _ force: Bool) throws(ModelError) -> String? {
        var problem: String?
        let next = isSameFile(wanted, slots[index].medium) ? nil : try make(wanted)
        if slots[index].medium != nil {
            problem = try takeOut(of: index, force: force)
            tellEjected(index)
        }
        if let next {
            try put(next, into: index)
        } else {
            try put(try make(wanted), into: index)
        }
        return problem
    }

    private func isSameFile(_ wanted: MediumSettings, _ medium: DriveMedium?) -> Bool {
        guard case .image(let path) = wanted.source, let medium, medium.isImage, let other = medium.path else {
            return false
        }
        var first = stat()
        var second = stat()
        return unsafe stat(path, &first) == 0 && stat(other, &second) == 0 && first.st_dev == second.st_dev
            && first.st_ino == second.st_ino
    }

    /// The medium that arguments describe, in the words of the drive's own keys; nil when they name no source.
    private func wanted(_ arguments: ActionArguments) throws(ModelError) -> MediumSettings? {
        var options = [DeviceSpecification.Option("blocksize", "\(settings.blockSize.rawValue)")]
        for name in ["image", "dir", "size", "format", "label"] {
            if let text = try arguments.string(name) { options.append(.init(name, text)) }
        }
        let isReadOnly = try arguments.bool("readonly", default: false)
        let isSnapshot = try arguments.bool("snapshot", default: false)
        guard arguments.has("image") || arguments.has("dir") || arguments.has("size") else {
            guard !arguments.has("readonly"), !arguments.has("snapshot"), options.count == 1 else {
                throw ModelError("of what? give image=, dir= or size= as well", key: "image")
            }
            return nil
        }
        if arguments.has("readonly"), !isReadOnly, settings.isReadOnly {
            throw ModelError(
                "the drive was made with readonly=yes and refuses writes to any medium; leave readonly=no out",
                key: "readonly")
        }
        if !arguments.has("label") { options.append(.init("label", settings.label)) }
        options.append(.init("readonly", isReadOnly || settings.isReadOnly ? "yes" : "no"))
        if isSnapshot { options.append(.init("snapshot", "yes")) }
        // The position counts media, so that two of the same size have different volume numbers.
        let place = ModelContext(index: mediumCount, logger: context.logger)
        let specification = DeviceSpecification(model: DriveModel.name, options: options)
        return try DriveSettings(ModelOptions(specification, DriveModel.keys), place).medium(0)
    }

    private func tellEjected(_ index: Int) {
        context.events.send("ejected", [("lun", .number(index)), ("by", .string("control"))])
        context.logger.info("the medium was taken out of unit \(index)")
    }

    // MARK: write-protect, resize

    func writeProtect(_ arguments: ActionArguments) throws(ModelError) -> [(String, JSON)] {
        let index = try unit(arguments)
        let isOn = try arguments.bool("on", default: true)
        if !isOn, settings.isReadOnly {
            throw ModelError(
                "the drive was made with readonly=yes and refuses writes whatever its switch says", key: "on")
        }
        let unit = slots[index].unit
        unit.isWriteProtectSwitchOn = isOn
        context.events.send("write-protect", [("lun", .number(index)), ("on", .bool(isOn))])
        return [("lun", .number(index)), ("on", .bool(isOn)), ("readonly", .bool(unit.isWriteProtected))]
    }

    func resize(_ arguments: ActionArguments) throws(ModelError) -> [(String, JSON)] {
        let index = try unit(arguments)
        let force = try arguments.bool("force", default: false)
        let text = try arguments.string("size") ?? ""
        let specification = DeviceSpecification(model: DriveModel.name, options: [.init("size", text)])
        guard let size = try ModelOptions(specification, DriveModel.keys).byteCount("size") else {
            throw arguments.error("size", .string(text))
        }
        guard size % UInt64(settings.blockSize.rawValue) == 0 else {
            throw ModelError(
                "size=\(size) is not a multiple of the block size \(settings.blockSize.rawValue)", key: "size")
        }
        let unit = slots[index].unit
        if let present = unit.store?.byteCount {
            guard size > present else {
                throw ModelError(
                    "the medium in unit \(index) has \(present) bytes and only grows: shrinking would cut off what is "
                        + "at its end; 'insert' puts a smaller one in", key: "size")
            }
            // A host that finds a removable medium changed gives up what it has mounted of it.
            if settings.isRemovable { try checkUnlocked(index, force) }
        }
        try grow(index, to: size)
        context.events.send("resized", [("lun", .number(index)), ("bytes", bytes(unit))])
        return [("lun", .number(index)), ("bytes", bytes(unit))]
    }

    // MARK: media

    /// What is in each unit.
    var listing: [JSON] {
        slots.enumerated().map { index, slot in
            let medium = slot.medium
            return .object([
                ("lun", .number(index)),
                ("present", .bool(slot.unit.isMediumPresent)),
                // Ejected by the host, and not taken out.
                ("tray", .bool(medium != nil && !slot.unit.isMediumPresent)),
                ("bytes", bytes(slot.unit)),
                ("medium", medium.map { .string($0.words) } ?? .null),
                ("label", medium?.label.map { .string($0) } ?? .null),
                ("path", medium?.path.map { .string($0) } ?? .null),
                ("readonly", .bool(slot.unit.isWriteProtected)),
                ("switch", .bool(slot.unit.isWriteProtectSwitchOn)),
                ("locked", .bool(slot.unit.isRemovalPrevented)),
            ])
        }
    }

    // MARK: In common

    private func unit(_ arguments: ActionArguments) throws(ModelError) -> Int {
        let index = try arguments.integer("lun", in: 0...SCSITarget.maximumUnitCount - 1) ?? 0
        guard slots.indices.contains(index) else {
            throw ModelError(
                slots.count == 1
                    ? "the drive has one unit, lun=0; luns= makes a drive with more"
                    : "the drive has the units 0 to \(slots.count - 1); lun=\(index) is none of them", key: "lun")
        }
        return index
    }

    private func checkRemovable(_ index: Int) throws(ModelError) {
        guard !settings.isRemovable else { return }
        throw ModelError(
            "the drive was made with removable=no: its medium is not taken out; unplug the drive, or make it with "
                + "removable=yes")
    }

    private func bytes(_ unit: LogicalUnit) -> JSON { .number(Int(clamping: unit.store?.byteCount ?? 0)) }
}
