/// What a file is compressed with, as its first bytes tell.
enum Compression {
    case gzip
    /// Something else, with its name and the command that expands it.
    case other(String, command: String)

    /// Why it is not expanded; nil when it is.
    var refusal: CaptureError? {
        guard case .other(let name, let command) = self else { return nil }
        return CaptureError(
            .unsupported, "The capture is compressed with \(name), which is not understood. Expand it first: \(command)"
        )
    }

    /// What bytes that begin so are compressed with; nil when they do not look compressed.
    static func sniffed(_ beginning: UnsafeRawBufferPointer) -> Compression? {
        func begins(_ magic: [UInt8]) -> Bool { unsafe beginning.starts(with: magic) }
        // The third byte is the method, and deflate is the only one there is.
        if begins([0x1F, 0x8B, 0x08]) { return .gzip }
        if begins([0x28, 0xB5, 0x2F, 0xFD]) { return .other("zstd", command: "zstd -d FILE") }
        if begins([0x04, 0x22, 0x4D, 0x18]) { return .other("lz4", command: "lz4 -d FILE") }
        if begins([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00]) { return .other("xz", command: "xz -d FILE") }
        if begins([0x42, 0x5A, 0x68]) { return .other("bzip2", command: "bzip2 -d FILE") }
        if begins([0x50, 0x4B, 0x03, 0x04]) { return .other("zip", command: "unzip FILE") }
        return nil
    }
}
