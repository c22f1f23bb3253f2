/// The size of a logical block: the unit in which hosts count.
public enum BlockSize: UInt32, CaseIterable, Sendable {
    /// What nearly every disk has.
    case bytes512 = 512
    /// Rare; some camera cards.
    case bytes1024 = 1024
    /// Optical discs, and some magneto-optical disks.
    case bytes2048 = 2048
    /// "4K native" disks.
    case bytes4096 = 4096

    /// The size's binary logarithm: 9 to 12.
    public var exponent: UInt64 { UInt64(rawValue.trailingZeroBitCount) }
}

/// The version of SPC that a unit claims in INQUIRY (SPC-4 §6.6.2, table 142).
public enum SPCVersion: UInt8, CaseIterable, Sendable {
    /// SPC-2.
    case spc2 = 4
    /// SPC-3.
    case spc3 = 5
    /// SPC-4.
    case spc4 = 6
}

extension LogicalUnit {
    /// What a logical unit says of itself, fixed for its life.
    public struct Configuration: Hashable, Sendable {
        /// T10 vendor identification: ASCII, cut or padded to 8 characters.
        public var vendor: String
        /// Product identification: ASCII, cut or padded to 16 characters.
        public var product: String
        /// Product revision level: ASCII, cut or padded to 4 characters.
        public var revision: String
        /// Unit serial number, VPD page 80: ASCII, at most 64 characters count.
        ///
        /// The unit's name in VPD page 83 is derived from vendor, product and this, so give each unit its own.
        public var serialNumber: String
        /// The logical block's size.
        public var blockSize: BlockSize
        /// The physical block's size; one smaller than ``blockSize`` counts as equal to it.
        public var physicalBlockSize: BlockSize
        /// Whether the medium can leave the unit: RMB, and what START STOP UNIT and the host's system make of it.
        public var isRemovable: Bool
        /// Whether the unit refuses to write, whatever its store can do.
        public var isReadOnly: Bool
        /// Whether UNMAP gives room back: LBPME, VPD page B2.
        ///
        /// Unmapped blocks read as zero: LBPRZ.
        public var isThinProvisioned: Bool
        /// Medium rotation rate, VPD page B1: 1 for none (solid state), 0 for not reported, else turns per minute.
        public var rotationRate: UInt16
        /// Whether the write cache is on after a reset: WCE of mode page 08.
        public var isWriteCacheEnabled: Bool
        /// Whether PREVENT is obeyed; when not, it is refused, and macOS then polls for a removed medium.
        ///
        /// ALLOW is accepted in any case: Windows gives up ejecting otherwise.
        public var isRemovalPreventable: Bool
        /// The version claimed in INQUIRY.
        ///
        /// SPC-4 by default, because that is what the unit does. Linux asks for 96 bytes of sense data rather than 18
        /// from version 5 on, which descriptor sense needs.
        public var version: SPCVersion

        /// Makes a configuration; each parameter is the property of its name.
        public init(
            vendor: String = "Ghost", product: String = "Plug", revision: String = "1.0",
            serialNumber: String = "000000000001", blockSize: BlockSize = .bytes512,
            physicalBlockSize: BlockSize? = nil, isRemovable: Bool = true, isReadOnly: Bool = false,
            isThinProvisioned: Bool = true, rotationRate: UInt16 = 1, isWriteCacheEnabled: Bool = true,
            isRemovalPreventable: Bool = true, version: SPCVersion = .spc4
        ) {
            self.vendor = vendor
            self.product = product
            self.revision = revision
            self.serialNumber = serialNumber
            self.blockSize = blockSize
            self.physicalBlockSize = physicalBlockSize ?? blockSize
            self.isRemovable = isRemovable
            self.isReadOnly = isReadOnly
            self.isThinProvisioned = isThinProvisioned
            self.rotationRate = rotationRate
            self.isWriteCacheEnabled = isWriteCacheEnabled
            self.isRemovalPreventable = isRemovalPreventable
            self.version = version
        }

        /// How many logical blocks make a physical one, as a binary logarithm: 0 to 3.
        var physicalBlockExponent: UInt8 {
            UInt8(truncatingIfNeeded: max(physicalBlockSize.exponent, blockSize.exponent) - blockSize.exponent)
        }
    }
}
