extension SCSITask {
    /// Makes `data` the command's answer, cut to what the host has room for.
    mutating func reply(_ bytes: [UInt8], allocation: Int) {
        data = bytes
        length = UInt64(min(bytes.count, max(allocation, 0)))
        operation = .reply
        direction = length > 0 ? .in : .none
    }

    /// Makes the command want `length` bytes from the host.
    mutating func want(_ count: UInt64, for operation: Operation) {
        self.operation = operation
        length = count
        direction = count > 0 ? .out : .none
    }

    /// Records why the command fails; the first reason stands.
    mutating func fail(_ reason: Sense) {
        if sense == nil {
            sense = reason
        }
    }

    mutating func produceReply(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        let count = wanted(of: buffer.count)
        guard sense == nil, count > 0 else { return 0 }
        let first = Int(truncatingIfNeeded: transferred)
        unsafe data.withUnsafeBytes { source in
            unsafe buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: source[first..<(first + count)]))
        }
        transferred &+= UInt64(count)
        return count
    }
}
