import Glibc
import USBPassthrough

/// What sysfs and `/dev` say of the devices of one test, in a folder of its own.
final class BusFiles: Sendable {
    /// What stands before `/sys` and `/dev`.
    let root: String

    init() {
        var template = Array("/tmp/bus-test-XXXXXX".utf8CString)
        _ = unsafe mkdtemp(&template)
        root = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        make("sys/bus/usb/devices")
    }

    deinit { Self.remove(root) }

    /// Shows a device.
    func add(_ device: FakeDevice) {
        let (path, listed) = (device.listed.path, device.listed)
        let folder = "sys/bus/usb/devices/\(path)"
        write("\(listed.bus)", to: "\(folder)/busnum")
        write("Widget", to: "\(folder)/product")
        update(device)
        write("", to: "dev/bus/usb/\(Self.padded(listed.bus))/\(Self.padded(listed.address))")
        // Last: what is read before is of no device.
        write("\(listed.address)", to: "\(folder)/devnum")
    }

    /// Shows a device's configuration, and which drivers have its interfaces.
    func update(_ device: FakeDevice) {
        let path = device.listed.path
        let folder = "sys/bus/usb/devices"
        for name in Self.names(in: "\(root)/\(folder)") where name.hasPrefix("\(path):") {
            Self.remove("\(root)/\(folder)/\(name)")
        }
        for interface in device.bound {
            link("\(folder)/\(path):\(device.configuration).\(interface)", to: "usbwidget")
        }
        write("\(device.configuration)", to: "\(folder)/\(path)/bConfigurationValue")
    }

    /// Shows a device no longer.
    func remove(_ path: String) {
        let folder = "\(root)/sys/bus/usb/devices"
        for name in Self.names(in: folder) where name == path || name.hasPrefix("\(path):") {
            Self.remove("\(folder)/\(name)")
        }
    }

    private func link(_ folder: String, to driver: String) {
        make(folder)
        make("sys/bus/usb/drivers/\(driver)")
        unsafe symlink("\(root)/sys/bus/usb/drivers/\(driver)", "\(root)/\(folder)/driver")
    }

    private func make(_ folder: String) {
        var whole = root
        for part in folder.split(separator: "/") {
            whole += "/\(part)"
            unsafe mkdir(whole, 0o755)
        }
    }

    private func write(_ text: String, to path: String) {
        if let end = path.lastIndex(of: "/") { make(String(path[..<end])) }
        // Who reads meanwhile finds the old text or the new.
        let new = "\(root)/\(path).new"
        let file = unsafe open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard file >= 0 else { return }
        let line = "\(text)\n"
        _ = unsafe Glibc.write(file, line, line.utf8.count)
        close(file)
        unsafe rename(new, "\(root)/\(path)")
    }

    private static func padded(_ number: UInt8) -> String {
        String(repeating: "0", count: 3 - String(number).count) + String(number)
    }

    private static func remove(_ path: String) {
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            unsafe unlink(path)
            return
        }
        for name in names(in: path) { remove("\(path)/\(name)") }
        unsafe rmdir(path)
    }

    private static func names(in path: String) -> [String] {
        guard let folder = unsafe opendir(path) else { return [] }
        defer { unsafe closedir(folder) }
        var names: [String] = []
        while let entry = unsafe readdir(folder) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { field in
                unsafe field.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }
}
