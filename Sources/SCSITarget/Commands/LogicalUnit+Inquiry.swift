extension LogicalUnit {
    /// INQUIRY (SPC-4 §6.6): answered in every state, also with a unit attention pending, which stays pending.
    func inquiry(_ task: inout SCSITask) throws(Sense) {
        let page = task.cdb[2]
        let allocation = Int(task.cdb.u16(at: 3))
        if task.cdb[1] & 0x01 == 0 {
            guard page == 0 else { throw .invalidField(inCDB: 2) }
            return task.reply(standardInquiry, allocation: allocation)
        }
        guard let body = vitalProductData(page) else { throw .invalidField(inCDB: 2) }
        var data: [UInt8] = [0x00, page]
        data.append(bigEndian: UInt16(body.count))
        task.reply(data + body, allocation: allocation)
    }

    private var standardInquiry: [UInt8] {
        var data: [UInt8] = [0x00, configuration.isRemovable ? 0x80 : 0, configuration.version.rawValue, 0x02, 91]
        data += [0, 0, 0]
        data.append(ascii: configuration.vendor, width: 8)
        data.append(ascii: configuration.product, width: 16)
        data.append(ascii: configuration.revision, width: 4)
        data += [UInt8](repeating: 0, count: 22)
        // Version descriptors, no version claimed: SAM-5, the SPC said above, SBC-3 (SBC-2 before SPC-4).
        switch configuration.version {
        case .spc2: data += [0x00, 0x40, 0x02, 0x60, 0x03, 0x20]
        case .spc3: data += [0x00, 0x60, 0x03, 0x00, 0x03, 0x20]
        case .spc4: data += [0x00, 0xA0, 0x04, 0x60, 0x04, 0xC0]
        }
        data += [UInt8](repeating: 0, count: 96 - data.count)
        return data
    }

    /// The pages of vital product data, ascending.
    private static let pages: [UInt8] = [0x00, 0x80, 0x83, 0xB0, 0xB1, 0xB2]

    private func vitalProductData(_ page: UInt8) -> [UInt8]? {
        switch page {
        case 0x00: Self.pages
        case 0x80: serialNumber
        case 0x83: identification
        case 0xB0: blockLimits
        case 0xB1: blockCharacteristics
        case 0xB2: provisioning
        default: nil
        }
    }

    private var serialNumber: [UInt8] {
        var data: [UInt8] = []
        data.append(ascii: configuration.serialNumber, width: min(configuration.serialNumber.unicodeScalars.count, 64))
        return data
    }

    /// Device Identification (SPC-4 §7.8.6): a T10 vendor name for people, and an NAA name for systems.
    ///
    /// NAA 3, locally assigned: the other forms begin with a company's IEEE number, which a simulated disk has no right
    /// to.
    private var identification: [UInt8] {
        var name: [UInt8] = []
        name.append(ascii: configuration.vendor, width: 8)
        name.append(ascii: configuration.product, width: 16)
        name += serialNumber
        var data: [UInt8] = [0x02, 0x01, 0x00, UInt8(truncatingIfNeeded: name.count)] + name
        data += [0x01, 0x03, 0x00, 0x08]
        data.append(bigEndian: 0x3000_0000_0000_0000 | (hash(name) & 0x0FFF_FFFF_FFFF_FFFF))
        return data
    }

    /// FNV-1a: the same number for the same name on every run, which the standard library's hashing is not.
    private func hash(_ bytes: [UInt8]) -> UInt64 {
        bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 }
    }

    /// Block Limits (SBC-3 §6.6.4).
    private var blockLimits: [UInt8] {
        var page = [UInt8](repeating: 0, count: 0x40)
        page[4] = 0x01  // WSNZ
        page[5] = Limits.compareAndWriteBlocks
        page.put(UInt16(1) << configuration.physicalBlockExponent, at: 6)
        if configuration.isThinProvisioned {
            page.put(Limits.unmapBlocks, at: 20)
            page.put(Limits.unmapDescriptors, at: 24)
            page.put(UInt32(1) << configuration.physicalBlockExponent, at: 28)
            page.put(UInt32(0x8000_0000), at: 32)
        }
        page.put(maximumWriteSameBlocks, at: 36)
        return Array(page[4...])
    }

    /// Block Device Characteristics (SBC-3 §6.6.3).
    private var blockCharacteristics: [UInt8] {
        var page = [UInt8](repeating: 0, count: 0x40)
        page.put(configuration.rotationRate, at: 4)
        return Array(page[4...])
    }

    /// Logical Block Provisioning (SBC-3 §6.6.5): UNMAP, both WRITE SAME, zeros from unmapped blocks; thin.
    private var provisioning: [UInt8] {
        configuration.isThinProvisioned ? [0, 0xE4, 0x02, 0] : [0, 0, 0, 0]
    }

    /// REQUEST SENSE (SPC-4 §6.39): the last failure, once; without one, a pending unit attention.
    func requestSense(_ task: inout SCSITask) {
        let sense = currentSense == .none ? attention.takeNext() ?? .none : currentSense
        currentSense = .none
        task.reply(sense.bytes(asDescriptors: task.cdb[1] & 0x01 != 0), allocation: Int(task.cdb[4]))
    }
}
