import CaptureTraces
import SCSITarget

/// The logical units that answer what the recording does not: disks of the recorded size over the recorded blocks.
final class DiskUnits {
    let target: SCSITarget
    let stores: [UInt8: OverlayStore]

    init(_ disk: RecordedDisk, _ settings: ReplaySettings) {
        var units: [LogicalUnit] = []
        var stores: [UInt8: OverlayStore] = [:]
        for number in 0..<UInt8(clamping: min(disk.unitCount, SCSITarget.maximumUnitCount)) {
            let inquiry = disk.answer(0x12, unit: number) { $0.cdb.count > 1 && $0.cdb[1] & 1 == 0 } ?? []
            let known = disk.blocks[number]
            var configuration = LogicalUnit.Configuration(
                blockSize: known.flatMap { BlockSize(rawValue: $0.blockSize) } ?? .bytes512,
                isRemovable: inquiry.count < 2 || inquiry[1] & 0x80 != 0, isThinProvisioned: false)
            // SPC-4 §6.6.2: vendor, product and revision from byte 8 on.
            if inquiry.count >= 36 {
                configuration.vendor = Self.text(inquiry[8..<16])
                configuration.product = Self.text(inquiry[16..<32])
                configuration.revision = Self.text(inquiry[32..<36])
            }
            let unit = LogicalUnit(configuration)
            if let known, known.count > 0 {
                let store = OverlayStore(disk, known, missing: settings.missing)
                stores[number] = store
                unit.insert(store)
            }
            units.append(unit)
        }
        target = SCSITarget(units)
        self.stores = stores
        settle()
    }

    /// Takes the unit attentions of a new disk away: the recording has its own.
    func settle() {
        for number in target.units.indices {
            for _ in 0..<8 {
                var task = target.begin([0, 0, 0, 0, 0, 0], lun: UInt8(clamping: number))
                if target.finish(&task) == .good { break }
            }
            _ = target.takeSense(lun: UInt8(clamping: number))
        }
    }

    /// Forgets what the host wrote and chose.
    func rewind() {
        for store in stores.values { store.rewind() }
        for unit in target.units { unit.powerCycle() }
        settle()
    }

    private static func text(_ bytes: ArraySlice<UInt8>) -> String {
        String(decoding: bytes.map { (0x20...0x7e).contains($0) ? $0 : 0x20 }, as: Unicode.ASCII.self)
    }
}
