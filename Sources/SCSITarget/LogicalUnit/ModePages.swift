/// The mode parameters that a host can change (SPC-4 §7.5, SBC-3 §6.5).
struct ModeSettings: Hashable {
    /// WCE of the caching page.
    var writeCache: Bool
    /// SWP of the control page.
    var softwareWriteProtect = false
    /// D_SENSE of the control page.
    var sendsDescriptorSense = false

    /// The settings after a reset.
    init(_ configuration: LogicalUnit.Configuration) {
        writeCache = configuration.isWriteCacheEnabled
    }
}

/// One mode page: its bytes, and which of their bits a host may change.
struct ModePage {
    /// The page codes, in the order in which all pages are sent.
    static let codes: [UInt8] = [0x01, 0x08, 0x0A, 0x1C]

    /// The whole page, code and length included.
    let bytes: [UInt8]
    /// The page with ones where a host may change a bit, otherwise zeros; code and length as in ``bytes``.
    let changeable: [UInt8]

    /// A page of `settings`, nil when there is no such page.
    init?(_ code: UInt8, _ settings: ModeSettings) {
        var bytes: [UInt8]
        var mask: [UInt8]
        switch code {
        case 0x01:
            // Read-Write Error Recovery: nothing is reallocated, nothing retried.
            bytes = [UInt8](repeating: 0, count: 12)
            mask = bytes
        case 0x08:
            bytes = [UInt8](repeating: 0, count: 20)
            mask = bytes
            bytes[2] = settings.writeCache ? 0x04 : 0
            mask[2] = 0x04
        case 0x0A:
            bytes = [UInt8](repeating: 0, count: 12)
            mask = bytes
            // GLTSD: there are no log pages to save.
            bytes[2] = 0x02 | (settings.sendsDescriptorSense ? 0x04 : 0)
            mask[2] = 0x04
            bytes[4] = settings.softwareWriteProtect ? 0x08 : 0
            mask[4] = 0x08
        case 0x1C:
            // Informational Exceptions Control: DEXCPT, there is nothing to predict.
            bytes = [UInt8](repeating: 0, count: 12)
            mask = bytes
            bytes[2] = 0x08
        default:
            return nil
        }
        bytes[0] = code
        bytes[1] = UInt8(truncatingIfNeeded: bytes.count - 2)
        mask[0] = bytes[0]
        mask[1] = bytes[1]
        self.bytes = bytes
        changeable = mask
    }

    /// Changes `settings` to what `page`, a page of this kind, says.
    static func apply(_ page: [UInt8], to settings: inout ModeSettings) {
        switch page[0] & 0x3F {
        case 0x08:
            settings.writeCache = page[2] & 0x04 != 0
        case 0x0A:
            settings.sendsDescriptorSense = page[2] & 0x04 != 0
            settings.softwareWriteProtect = page[4] & 0x08 != 0
        default:
            break
        }
    }
}
