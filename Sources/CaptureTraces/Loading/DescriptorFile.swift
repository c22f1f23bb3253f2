internal import Glibc
internal import USBCapture
internal import USBCore

/// Descriptors from beside the capture: a `.umockdev` file, or the `descriptors` file of a device in Linux's sysfs.
struct DescriptorFile {
    /// The most bytes of a `descriptors` file: a device descriptor and 255 configurations of 64 KiB are never seen.
    private static let maximumRawSize = 1 << 20
    /// The most bytes of a file.
    private static let maximumSize = 16 << 20
    private let path: String
    private let said: [DeviceAnnouncement]

    /// Reads a file.
    ///
    /// - Throws: ``CaptureError`` when it cannot be read, or has no descriptors.
    init(path: String) throws(CaptureError) {
        self.path = path
        let bytes = try Self.read(path)
        if Self.isDevice(bytes) {
            guard bytes.count <= Self.maximumRawSize else {
                throw CaptureError(.excessive, "\(path): the descriptors are longer than 1 MiB")
            }
            var announcement = DeviceAnnouncement()
            announcement.descriptors = bytes
            said = [announcement]
        } else {
            do throws(CaptureError) {
                said = try UmockdevFile.announcements(bytes: bytes)
            } catch {
                throw CaptureError(error.kind, "\(path): \(error.reason)", offset: error.offset, packet: error.packet)
            }
        }
        guard said.contains(where: { !$0.descriptors.isEmpty }) else {
            throw CaptureError(.unsupported, "\(path): there are no descriptors in it")
        }
    }

    /// Gives a device what the capture lacks.
    ///
    /// - Throws: ``CaptureError`` when the file is about another device.
    func fill(_ device: inout CapturedDevice) throws(CaptureError) {
        let described = said.filter { $0.descriptors.count >= 18 }
        guard let vendor = device.vendorID, let product = device.productID else {
            guard described.count == 1 else {
                throw CaptureError(
                    .unsupported,
                    "\(path): it describes several devices, and the capture does not say which it has: \(ids(described))"
                )
            }
            fill(&device, from: described[0])
            return
        }
        guard let match = described.first(where: { Self.ids($0.descriptors) == (vendor, product) }) else {
            throw CaptureError(
                .unsupported,
                "\(path): it describes \(ids(described)), but the captured device is \(hex4(vendor)):\(hex4(product))")
        }
        fill(&device, from: match)
    }

    /// Fills in what is not known; what the capture itself says beside its transfers goes first.
    private func fill(_ device: inout CapturedDevice, from said: DeviceAnnouncement) {
        let before = device
        device.take(said)
        device.settle()
        guard let announcement = before.announcement else { return }
        device.announcement = announcement
        if before.isSpeedKnown { device.speed = before.speed }
    }

    private func ids(_ described: [DeviceAnnouncement]) -> String {
        described.prefix(20).map { said in
            let (vendor, product) = Self.ids(said.descriptors)
            return "\(hex4(vendor)):\(hex4(product))"
        }.joined(separator: ", ")
    }

    private static func ids(_ descriptors: [UInt8]) -> (UInt16, UInt16) {
        guard descriptors.count >= 12 else { return (0, 0) }
        return (
            UInt16(descriptors[8]) | UInt16(descriptors[9]) << 8, UInt16(descriptors[10]) | UInt16(descriptors[11]) << 8
        )
    }

    /// The file's bytes: it may be a pipe, which is read once only.
    private static func read(_ path: String) throws(CaptureError) -> [UInt8] {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)
        guard file >= 0 else {
            throw CaptureError(.unreadable, "\(path): it cannot be opened: \(unsafe String(cString: strerror(errno)))")
        }
        defer { close(file) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65_536)
        while bytes.count <= maximumSize {
            let count = unsafe Glibc.read(file, &piece, piece.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                throw CaptureError(
                    .unreadable, "\(path): it cannot be read: \(unsafe String(cString: strerror(errno)))")
            }
            if count == 0 { return bytes }
            bytes += piece.prefix(count)
        }
        throw CaptureError(.excessive, "\(path): it is longer than 16 MiB")
    }

    /// Whether the bytes begin with a device descriptor.
    private static func isDevice(_ bytes: [UInt8]) -> Bool {
        bytes.count >= 18 && bytes[0] >= 18 && bytes[1] == DescriptorType.device.rawValue
    }
}
