extension LogicalUnit {
    /// Fills `buffer` with the next blocks of a READ.
    func produce(_ task: inout SCSITask, into buffer: UnsafeMutableRawBufferPointer) -> Int {
        let count = task.wanted(of: buffer.count)
        guard task.operation == .read, !task.isFailed, count > 0 else { return 0 }
        guard let store = store(of: task) else {
            task.fail(Sense(.notReady, .mediumNotPresent))
            return 0
        }
        let offset = task.start &+ task.transferred
        let piece = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[..<count])
        do throws(StoreError) {
            unsafe try store.read(into: piece, at: offset)
            task.transferred &+= UInt64(count)
            return count
        } catch {
            let good = unsafe readUpToFailure(store, into: piece, at: offset, first: error, in: &task)
            task.transferred &+= UInt64(good)
            return good
        }
    }

    /// Reads what can be read before the first bad block, so that the host gets that much and the sense names the block.
    private func readUpToFailure(
        _ store: any BlockStore, into piece: UnsafeMutableRawBufferPointer, at offset: UInt64, first: StoreError,
        in task: inout SCSITask
    ) -> Int {
        var done = 0
        do throws(StoreError) {
            while done < piece.count {
                let place = offset &+ UInt64(done)
                let toBlockEnd = blockByteCount &- (place & (blockByteCount &- 1))
                let end = done + min(piece.count - done, Int(truncatingIfNeeded: toBlockEnd))
                unsafe try store.read(into: UnsafeMutableRawBufferPointer(rebasing: piece[done..<end]), at: place)
                done = end
            }
            // Every block could be read on its own. The data are whole; the owner hears of the trouble all the same.
            onEvent?(.storeFailed(first, task.cdb))
        } catch {
            task.fail(sense(for: error, at: offset &+ UInt64(done), isWrite: false, in: task))
        }
        return done
    }

    /// Gives the next blocks of a READ where they lie.
    func borrow(_ task: inout SCSITask, upTo limit: Int) -> UnsafeRawBufferPointer? {
        let count = task.wanted(of: limit)
        guard task.operation == .read, !task.isFailed, count > 0, let store = store(of: task),
            let memory = unsafe store.memory(at: task.start &+ task.transferred, count: count, writable: false),
            unsafe !memory.isEmpty
        else { return nil }
        let piece = unsafe UnsafeRawBufferPointer(rebasing: memory[..<min(memory.count, count)])
        task.transferred &+= UInt64(piece.count)
        return unsafe piece
    }

    /// Gives the memory where the next blocks of a WRITE belong.
    func landing(_ task: inout SCSITask, upTo limit: Int) -> UnsafeMutableRawBufferPointer? {
        let count = task.wanted(of: limit)
        guard task.operation == .write, !task.isFailed, count > 0, let store = store(of: task),
            let memory = unsafe store.memory(at: task.start &+ task.transferred, count: count, writable: true),
            unsafe !memory.isEmpty
        else { return nil }
        return unsafe UnsafeMutableRawBufferPointer(rebasing: memory[..<min(memory.count, count)])
    }

    /// Counts bytes that came to the memory of ``landing(_:upTo:)``.
    func landed(_ task: inout SCSITask, _ count: Int) {
        guard store(of: task) != nil else {
            task.fail(Sense(.notReady, .mediumNotPresent))
            return
        }
        task.transferred &+= UInt64(task.wanted(of: count))
    }

    /// Takes the next bytes of a command's data.
    func consume(_ task: inout SCSITask, _ bytes: UnsafeRawBufferPointer) -> Int {
        let count = task.wanted(of: bytes.count)
        guard task.direction == .out, !task.isFailed, count > 0 else { return 0 }
        let piece = unsafe UnsafeRawBufferPointer(rebasing: bytes[..<count])
        do throws(Sense) {
            switch task.operation {
            case .write:
                unsafe try put(piece, in: task)
            case .writeAndCompare:
                unsafe try put(piece, in: task)
                unsafe try compare(piece, at: task.start &+ task.transferred, dataOffset: task.transferred, in: task)
            case .compare:
                unsafe try compare(piece, at: task.start &+ task.transferred, dataOffset: task.transferred, in: task)
            case .compareOne, .writeSame, .compareAndWrite, .unmap, .modeSelect:
                unsafe task.data.append(contentsOf: piece)
            case .none, .reply, .read:
                return 0
            }
        } catch {
            task.fail(error)
            return 0
        }
        task.transferred &+= UInt64(count)
        return count
    }

    /// Writes the next piece of a WRITE, which need not be whole blocks: a store takes bytes.
    @inline(__always)
    private func put(_ piece: UnsafeRawBufferPointer, in task: SCSITask) throws(Sense) {
        guard let store = store(of: task) else { throw Sense(.notReady, .mediumNotPresent) }
        let offset = task.start &+ task.transferred
        do throws(StoreError) {
            unsafe try store.write(piece, at: offset)
        } catch {
            throw sense(for: error, at: offset, isWrite: true, in: task)
        }
    }

    /// Compares bytes with those on the store.
    ///
    /// - Throws: ``SenseKey/miscompare`` with the offset of the first different byte, counted from `dataOffset`.
    func compare(
        _ bytes: UnsafeRawBufferPointer, at offset: UInt64, dataOffset: UInt64, in task: SCSITask
    ) throws(Sense) {
        guard let store = store(of: task) else { throw Sense(.notReady, .mediumNotPresent) }
        var done = 0
        while done < bytes.count {
            let place = offset &+ UInt64(done)
            let found = unsafe try contents(of: store, at: place, upTo: bytes.count - done, in: task)
            for index in 0..<found.count where unsafe found[index] != bytes[done + index] {
                throw Sense(.miscompare, .miscompare, information: dataOffset &+ UInt64(done + index))
            }
            done += found.count
        }
    }

    /// Reads every allocated byte of a range, to find out whether it can be read.
    func readBack(_ range: Range<UInt64>, in task: SCSITask) throws(Sense) {
        guard let store = store(of: task) else { throw Sense(.notReady, .mediumNotPresent) }
        var offset = range.lowerBound
        while offset < range.upperBound {
            let (isAllocated, count) = store.allocation(at: offset)
            let end = offset &+ min(max(count, 1), range.upperBound &- offset)
            while isAllocated && offset < end {
                let limit = Int(truncatingIfNeeded: min(end &- offset, UInt64(ScratchBuffer.byteCount)))
                let buffer = unsafe scratch.bytes(upTo: UInt64(limit))
                do throws(StoreError) {
                    unsafe try store.read(into: buffer, at: offset)
                } catch {
                    throw sense(for: error, at: offset, isWrite: false, in: task)
                }
                offset &+= UInt64(buffer.count)
            }
            offset = end
        }
    }

    /// Some bytes of the store, at least one: its own memory, or a copy that lasts until the next call.
    private func contents(
        of store: any BlockStore, at offset: UInt64, upTo limit: Int, in task: SCSITask
    ) throws(Sense) -> UnsafeRawBufferPointer {
        if let memory = unsafe store.memory(at: offset, count: limit, writable: false), unsafe !memory.isEmpty {
            return unsafe UnsafeRawBufferPointer(rebasing: memory[..<min(memory.count, limit)])
        }
        let buffer = unsafe scratch.bytes(upTo: UInt64(limit))
        do throws(StoreError) {
            unsafe try store.read(into: buffer, at: offset)
        } catch {
            throw sense(for: error, at: offset, isWrite: false, in: task)
        }
        return UnsafeRawBufferPointer(buffer)
    }

    var blockByteCount: UInt64 { UInt64(configuration.blockSize.rawValue) }
}
