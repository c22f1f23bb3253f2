import CommandSupport
import DiskStores
import Logging
import SCSITarget

/// A drive's units and what is in them: where its bytes come from, and where they go.
///
/// Used on the device's executor.
final class DriveMedia {
    /// A unit and its media.
    struct Slot {
        let unit: LogicalUnit
        /// The medium in the unit, or in its tray when the host ejected it.
        var medium: DriveMedium?
        /// The medium that was taken out last.
        var previous: DriveMedium?
    }

    let settings: DriveSettings
    let context: ModelContext
    private(set) var slots: [Slot] = []
    /// How many media were brought: what keeps equal ones apart.
    private(set) var mediumCount = 0
    /// Copies back the only folder for which that was asked.
    private(set) var copier: FolderCopier?

    /// Makes the units, and puts a medium into each that has one.
    ///
    /// - Throws: ``ModelError`` when a medium cannot be had.
    init(_ settings: DriveSettings, _ context: ModelContext) throws(ModelError) {
        self.settings = settings
        self.context = context
        for index in 0..<settings.unitCount {
            let unit = LogicalUnit(settings.unitConfiguration(index))
            Self.report(unit, index, context)
            slots.append(Slot(unit: unit))
            guard let wanted = settings.medium(index) else { continue }
            let medium = try make(wanted)
            copier = copier ?? medium.copier
            try put(medium, into: index)
        }
    }

    /// What backs the drive, for people.
    var backing: String { slots.map { $0.medium?.words ?? "an empty slot" }.joined(separator: "; ") }

    /// Finishes writes; returns what could not be finished.
    func close() -> String? {
        var failures = copier?.failure.map { [$0] } ?? []
        for slot in slots {
            do throws(StoreError) {
                try slot.unit.store?.flush()
            } catch {
                failures.append(error.message)
            }
        }
        return failures.isEmpty ? nil : failures.joined(separator: "; ")
    }

    // MARK: Media

    /// Makes or opens a medium.
    func make(_ wanted: MediumSettings) throws(ModelError) -> DriveMedium {
        mediumCount &+= 1
        do throws(DiskStoreError) {
            return try DriveMedium(wanted, context.logger)
        } catch {
            throw ModelError(unavailable: error.message)
        }
    }

    /// Puts a medium into a unit that has none, or whose own was let go.
    func put(_ medium: DriveMedium, into index: Int) throws(ModelError) {
        let unit = slots[index].unit
        let store: any BlockStore
        do throws(DiskStoreError) {
            store = try medium.open()
        } catch {
            throw ModelError(unavailable: error.message)
        }
        unit.insert(store)
        medium.copier?.putIn()
        // An ejected image is closed, so that it can be exchanged, and opened again when the host loads it.
        unit.reopen =
            medium.isImage
            ? { () throws(StoreError) -> any BlockStore in
                do throws(DiskStoreError) {
                    return try medium.open()
                } catch {
                    throw StoreError(.unreadable, error.message)
                }
            } : nil
        slots[index].medium = medium
    }

    /// Takes the medium out of a unit, or out of its tray: flushed, and copied back where that was asked for.
    ///
    /// Copying back takes as long as the files are large, and the device's host waits meanwhile.
    ///
    /// - Parameter force: whether to do so although the host locked it in, or it cannot be flushed.
    /// - Returns: What could not be done, when it was forced.
    /// - Throws: Why the medium is still in.
    func takeOut(of index: Int, force: Bool) throws(ModelError) -> String? {
        let unit = slots[index].unit
        try checkUnlocked(index, force)
        var problem: String?
        do throws(StoreError) {
            try unit.store?.flush()
        } catch {
            guard force else {
                throw ModelError(
                    unavailable: "the medium in unit \(index) is still there, because it cannot be flushed: "
                        + "\(error.message); force=yes takes it out and loses what was not written")
            }
            problem = error.message
        }
        unit.eject(force: true)
        unit.reopen = nil
        guard let medium = slots[index].medium else { return problem }
        slots[index].medium = nil
        slots[index].previous = medium
        if let copier = medium.copier {
            copier.takenOut()
            problem = problem ?? copier.failure
        }
        return problem
    }

    /// Makes the medium in a unit larger.
    func grow(_ index: Int, to size: UInt64) throws(ModelError) {
        let slot = slots[index]
        guard let medium = slot.medium, slot.unit.isMediumPresent else {
            throw ModelError(unavailable: "there is no medium in unit \(index) that could grow; insert one with size=")
        }
        defer {
            if !slot.unit.isMediumPresent {
                slots[index].medium = nil
                slots[index].previous = medium
            }
        }
        do throws(DiskStoreError) {
            try slot.unit.resize { store throws(DiskStoreError) in try medium.grow(&store, to: size) }
        } catch {
            throw ModelError(
                unavailable: slot.unit.isMediumPresent
                    ? error.message : "\(error.message); the medium could not be opened again, unit \(index) is empty")
        }
    }

    /// Refuses what a hand could not do either: take out what the host has locked in.
    func checkUnlocked(_ index: Int, _ force: Bool) throws(ModelError) {
        let unit = slots[index].unit
        guard unit.isMediumPresent, unit.isRemovalPrevented, !force else { return }
        throw ModelError(
            unavailable: "the host has locked the medium in unit \(index), as it does while it is mounted or open; "
                + "unmount it there, or say force=yes")
    }

    // MARK: Events

    private static func report(_ unit: LogicalUnit, _ index: Int, _ context: ModelContext) {
        let logger = context.logger
        let events = context.events
        let lun = ("lun", JSON.number(index))
        let host = ("by", JSON.string("host"))
        unit.onEvent = { event in
            switch event {
            case .ejectedByHost:
                logger.info("the host ejected the medium")
                events.send("ejected", [lun, host])
            case .loadedByHost:
                logger.info("the host loaded the medium")
                events.send("loaded", [lun, host])
            case .reopenFailed(let error):
                logger.error("the medium cannot be loaded: \(error)")
                events.send("medium-error", [lun, ("error", .string("cannot be loaded: \(error.message)"))])
            case .storeFailed(let error, let command):
                logger.error("\(command.commandName) failed: \(error)")
                events.send(
                    "medium-error",
                    [lun, ("command", .string(command.commandName)), ("error", .string(error.message))])
            }
        }
    }
}
