/// One packet as its container gives it, lent until the next is read.
@unsafe
struct ContainerPacket {
    /// What the container says of it.
    var frame = CapturedFrame(
        number: 0, offset: 0, bytesOffset: 0, time: 0, interface: 0, linkType: 0, isBigEndian: false, originalLength: 0)
    /// Its bytes.
    var bytes = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
    /// Whether the container's times are finer than microseconds.
    var hasFineTime = false
}

/// What a capture file may ask for at most, so that no file can take all memory.
enum ContainerLimits {
    /// The bytes of a packet, and of a block that has one: 64 MiB.
    static let packet = 64 << 20
    /// The interfaces of all sections; each takes 32 bytes while its section is read.
    static let interfaces = 1 << 20
    /// The comments that are kept, and their bytes in all; further ones are read over.
    static let comments = 10_000
    static let commentBytes = 1 << 20
    /// The announcements of devices that are kept.
    static let announcements = 65_536
}
