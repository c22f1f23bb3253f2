extension LogicalUnit {
    /// Does what needs all of a command's data, and gives its status.
    func finish(_ task: inout SCSITask) -> SCSIStatus {
        if !task.isFailed {
            do throws(Sense) {
                try conclude(&task)
            } catch {
                task.fail(error)
            }
        }
        guard let sense = task.sense else { return .good }
        currentSense = sense
        return .checkCondition
    }

    @inline(__always)
    private func conclude(_ task: inout SCSITask) throws(Sense) {
        switch task.operation {
        case .none, .reply, .read, .compare: return
        case .write, .writeAndCompare: break
        case .compareOne: try concludeCompareOne(task)
        case .writeSame: try concludeWriteSame(task)
        case .compareAndWrite: try concludeCompareAndWrite(task)
        case .unmap: try concludeUnmap(task)
        case .modeSelect: try concludeModeSelect(task)
        }
        if task.mustFlush {
            try flush(for: task)
        }
        if task.mustReadBack {
            try readBack(task.start..<(task.start &+ task.transferred), in: task)
        }
    }

    /// Waits until all that was written is on stable storage.
    ///
    /// - Throws: A write error, at the command's first block where the store names no other, when that cannot be
    ///   promised; 2/3A/00 when the medium was taken out meanwhile.
    func flush(for task: SCSITask) throws(Sense) {
        guard let store = store(of: task) else { throw Sense(.notReady, .mediumNotPresent) }
        guard !store.isReadOnly else { return }
        do throws(StoreError) {
            try store.flush()
        } catch {
            throw sense(for: error, at: task.start, isWrite: true, in: task)
        }
    }
}
