internal import Glibc

/// The system calls that can fail in ways no test can arrange, as values, so that tests can arrange them.
///
/// Each closure answers the call's result, or minus the error number.
@safe
struct FileCalls: Sendable {
    /// `pread`.
    var read: @Sendable (Int32, UnsafeMutableRawBufferPointer, Int64) -> Int
    /// `pwrite`.
    var write: @Sendable (Int32, UnsafeRawBufferPointer, Int64) -> Int
    /// `fdatasync`.
    var synchronize: @Sendable (Int32) -> Int32
    /// `fallocate` with `PUNCH_HOLE` and `KEEP_SIZE`: descriptor, offset, length.
    var punch: @Sendable (Int32, Int64, Int64) -> Int32
    /// `lseek`: descriptor, offset, whence.
    var seek: @Sendable (Int32, Int64, Int32) -> Int64

    /// The real calls.
    static let live = unsafe Self(
        read: { file, buffer, offset in
            let count = unsafe pread(file, buffer.baseAddress, buffer.count, off_t(offset))
            return count < 0 ? -Int(errno) : count
        },
        write: { file, bytes, offset in
            let count = unsafe pwrite(file, bytes.baseAddress, bytes.count, off_t(offset))
            return count < 0 ? -Int(errno) : count
        },
        synchronize: { file in fdatasync(file) < 0 ? -errno : 0 },
        punch: { file, offset, length in
            guard let fallocate else { return -ENOSYS }
            // FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE
            return fallocate(file, 0x02 | 0x01, off_t(offset), off_t(length)) < 0 ? -errno : 0
        },
        seek: { file, offset, whence in
            let place = lseek(file, off_t(offset), whence)
            return place < 0 ? -Int64(errno) : Int64(place)
        }
    )
}

/// `fallocate`, looked up at run time: it hides behind `_GNU_SOURCE`, which Swift's view of the C library does not set.
private let fallocate: (@convention(c) (Int32, Int32, off_t, off_t) -> Int32)? = {
    guard let handle = unsafe dlopen(nil, RTLD_NOW), let symbol = unsafe dlsym(handle, "fallocate") else { return nil }
    return unsafe unsafeBitCast(symbol, to: (@convention(c) (Int32, Int32, off_t, off_t) -> Int32).self)
}()
