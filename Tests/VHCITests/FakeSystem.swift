import Glibc
import Synchronization

@testable import VHCI

/// A sysfs, a folder of device nodes and a state folder of a test's own, with a kernel that does as it is told.
final class FakeSystem: Sendable {
    let folder: String
    let controller: String
    private let plan = Mutex(Plan())

    private struct Plan {
        var time: Int64 = 0
        var onPause: (@Sendable (Int64) -> Void)?
        var written: [String] = []
        var onWrite: (@Sendable (String, String) -> Int32)?
        var isRoot = true
        var program: ProgramOutcome?
        var programs: [[String]] = []
        var onRun: (@Sendable () -> Void)?
    }

    init() {
        var template = Array("/tmp/vhci-test-XXXXXX".utf8CString)
        _ = unsafe mkdtemp(&template)
        folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        controller = "\(folder)/sys/devices/platform/vhci_hcd.0"
        for name in ["sys", "dev", "run"] { makeFolder("\(folder)/\(name)") }
    }

    deinit { Self.remove(folder) }

    private static func remove(_ path: String) {
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { return }
        if status.st_mode & S_IFMT == S_IFDIR {
            for name in names(in: path) { remove("\(path)/\(name)") }
            unsafe rmdir(path)
        } else {
            unsafe unlink(path)
        }
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

    // MARK: Files

    /// Makes a folder and those above it.
    func makeFolder(_ path: String) {
        var whole = ""
        for part in path.split(separator: "/") {
            whole += "/\(part)"
            unsafe mkdir(whole, 0o755)
        }
    }

    /// Writes a file, and the folders above it.
    func write(_ text: String, to path: String) {
        if let end = path.lastIndex(of: "/") { makeFolder(String(path[..<end])) }
        guard let file = unsafe fopen(path, "w") else { return }
        unsafe fputs(text, file)
        unsafe fclose(file)
    }

    func link(_ path: String, to target: String) {
        if let end = path.lastIndex(of: "/") { makeFolder(String(path[..<end])) }
        unsafe symlink(target, path)
    }

    func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

    func text(_ path: String) -> String? { try? FileAccess.read(path) }

    func removeFile(_ path: String) { Self.remove(path) }

    // MARK: The controller

    var statePath: String { "\(folder)/run/vhci_hcd" }
    var devicePath: String { "\(folder)/dev" }

    /// The controller's files for so many controllers of so many ports in each half, all free.
    func load(controllers: Int = 1, portsPerHalf: Int = 8) {
        write("\(controllers * portsPerHalf * 2)\n", to: "\(controller)/nports")
        for name in ["attach", "detach"] { write("", to: "\(controller)/\(name)") }
        for number in 0..<controllers {
            var lines = [Self.title]
            for index in 0..<portsPerHalf * 2 {
                lines.append(
                    Self.line(
                        index < portsPerHalf ? "hs" : "ss", UInt32(number * portsPerHalf * 2 + index), state: 4))
            }
            write(lines.joined(separator: "\n") + "\n", to: statusFile(number))
        }
    }

    static let title = "hub port sta spd dev      sockfd local_busid"

    static func line(
        _ half: String, _ port: UInt32, state: Int, speed: Int = 0, device: UInt32 = 0, descriptor: Int = 0,
        busID: String = "0-0"
    ) -> String {
        "\(half)  \(padded(port, 4)) \(padded(state, 3)) \(padded(speed, 3)) \(padded(device, 8, 16)) "
            + "\(padded(descriptor, 6)) \(busID)"
    }

    private static func padded(_ number: some BinaryInteger, _ width: Int, _ radix: Int = 10) -> String {
        let digits = String(number, radix: radix)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    func statusFile(_ number: Int) -> String { "\(controller)/status" + (number == 0 ? "" : ".\(number)") }

    /// Puts another line in place of a port's.
    func setPort(_ port: UInt32, state: Int, speed: Int = 3, device: UInt32 = 0x10002, busID: String = "0-0") {
        for number in 0..<64 {
            guard let text = text(statusFile(number)) else { return }
            let lines = text.split(separator: "\n").map { line -> String in
                let fields = line.split(separator: " ")
                guard fields.count == 7, UInt32(fields[1]) == port else { return String(line) }
                guard state == 6 else { return Self.line(String(fields[0]), port, state: state) }
                return Self.line(
                    String(fields[0]), port, state: state, speed: speed, device: device, descriptor: 7, busID: busID)
            }
            write(lines.joined(separator: "\n") + "\n", to: statusFile(number))
        }
    }

    // MARK: What the library sees

    var vhci: VHCI {
        VHCI(root: "\(folder)/sys", devices: devicePath, state: statePath, calls: calls)
    }

    private var calls: SystemCalls {
        SystemCalls(
            write: { path, text in self.take(path, text) },
            run: { arguments in
                let (outcome, body) = self.plan.withLock { plan in
                    plan.programs.append(arguments)
                    return (plan.program, plan.onRun)
                }
                body?()
                return outcome
            },
            now: { self.plan.withLock { $0.time } },
            pause: { milliseconds in
                let (time, body) = self.plan.withLock { plan in
                    plan.time += Int64(milliseconds)
                    return (plan.time, plan.onPause)
                }
                body?(time)
            },
            isRoot: { self.plan.withLock { $0.isRoot } })
    }

    private func take(_ path: String, _ text: String) -> Int32 {
        let name = path.split(separator: "/").last.map(String.init) ?? ""
        let body = plan.withLock { plan in
            plan.written.append("\(name) \(text)")
            return plan.onWrite
        }
        return body?(name, text) ?? 0
    }

    /// What was written to the controller, each with the file's name before it.
    var written: [String] { plan.withLock { $0.written } }

    var programs: [[String]] { plan.withLock { $0.programs } }

    var time: Int64 { plan.withLock { $0.time } }

    /// What the kernel does when a file is written: 0 or an error number.
    func onWrite(_ body: @escaping @Sendable (_ name: String, _ text: String) -> Int32) {
        plan.withLock { $0.onWrite = body }
    }

    /// What happens while the library waits, with the milliseconds since the beginning.
    func onPause(_ body: @escaping @Sendable (Int64) -> Void) { plan.withLock { $0.onPause = body } }

    func setRoot(_ isRoot: Bool) { plan.withLock { $0.isRoot = isRoot } }

    /// What programs answer, and what they do.
    func onRun(_ outcome: ProgramOutcome?, _ body: (@Sendable () -> Void)? = nil) {
        plan.withLock {
            $0.program = outcome
            $0.onRun = body
        }
    }
}
