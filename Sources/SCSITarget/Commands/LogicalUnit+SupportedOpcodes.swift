extension LogicalUnit {
    /// REPORT SUPPORTED OPERATION CODES (SPC-4 §6.35).
    func reportSupportedOperationCodes(_ task: inout SCSITask) throws(Sense) {
        let cdb = task.cdb
        let hasTimeouts = cdb[2] & 0x80 != 0
        let data: [UInt8]
        switch cdb[2] & 0x07 {
        case 0:
            let descriptors = commands.flatMap { listDescriptor(of: $0, hasTimeouts) }
            var list: [UInt8] = []
            list.append(bigEndian: UInt32(descriptors.count))
            data = list + descriptors
        case 1:
            if commands.contains(where: { $0.opcode == cdb[3] && $0.serviceAction != nil }) {
                throw .invalidField(inCDB: 2, bit: 2)
            }
            data = oneCommand(commands.first { $0.opcode == cdb[3] }, hasTimeouts)
        case 2:
            if commands.contains(where: { $0.opcode == cdb[3] && $0.serviceAction == nil }) {
                throw .invalidField(inCDB: 2, bit: 2)
            }
            data = oneCommand(command(cdb[3], cdb.u16(at: 4)), hasTimeouts)
        case 3:
            data = oneCommand(command(cdb[3], cdb.u16(at: 4)), hasTimeouts)
        default:
            throw .invalidField(inCDB: 2, bit: 2)
        }
        task.reply(data, allocation: Int(cdb.u32(at: 6)))
    }

    /// The commands of this unit: all of the target's, less what its configuration turns off.
    private var commands: [CommandDescription] {
        guard !configuration.isThinProvisioned else { return CommandDescription.all }
        return CommandDescription.all.filter { $0.opcode != Opcode.unmap }
    }

    /// A command without service actions has, in option 3, service action zero.
    private func command(_ opcode: UInt8, _ action: UInt16) -> CommandDescription? {
        commands.first { $0.opcode == opcode && UInt16($0.serviceAction ?? 0) == action }
    }

    private func listDescriptor(of command: CommandDescription, _ hasTimeouts: Bool) -> [UInt8] {
        var data: [UInt8] = [command.opcode, 0]
        data.append(bigEndian: UInt16(command.serviceAction ?? 0))
        data += [0, (hasTimeouts ? 0x02 : 0) | (command.serviceAction != nil ? 0x01 : 0)]
        data.append(bigEndian: UInt16(command.length))
        return hasTimeouts ? data + timeouts(of: command) : data
    }

    private func oneCommand(_ command: CommandDescription?, _ hasTimeouts: Bool) -> [UInt8] {
        guard let command else { return [0, 0x01, 0, 0] }
        var data: [UInt8] = [0, (hasTimeouts ? 0x80 : 0) | 0x03]
        data.append(bigEndian: UInt16(command.length))
        data += usage(of: command)
        return hasTimeouts ? data + timeouts(of: command) : data
    }

    private func usage(of command: CommandDescription) -> [UInt8] {
        var usage = command.usage
        if !configuration.isThinProvisioned && [Opcode.writeSame10, Opcode.writeSame16].contains(command.opcode) {
            usage[1] &= ~0x08
        }
        return usage
    }

    private func timeouts(of command: CommandDescription) -> [UInt8] {
        var data: [UInt8] = [0x00, 0x0A, 0, 0]
        data.append(bigEndian: command.nominalTimeout)
        data.append(bigEndian: command.recommendedTimeout)
        return data
    }
}
