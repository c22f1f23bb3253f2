import Glibc
import SCSITarget
import Synchronization

@testable import DiskStores

/// A folder of its own for a test, removed with everything in it when the test ends.
final class Scratch {
    let path: String

    init() {
        var template = Array("/tmp/diskstores-XXXXXX".utf8CString)
        _ = unsafe mkdtemp(&template)
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { _ = try? Subprocess.run(["rm", "-rf", path]) }

    subscript(_ name: String) -> String { "\(path)/\(name)" }

    func makeFolder(_ name: String) { unsafe mkdir(self[name], 0o755) }

    func write(_ bytes: [UInt8], to name: String) throws {
        let file = try OpenFile.open(self[name], flags: O_WRONLY | O_CREAT | O_TRUNC)
        try file.write(bytes, at: 0)
    }

    func write(_ text: String, to name: String) throws { try write(Array(text.utf8), to: name) }

    func read(_ name: String) throws -> [UInt8] {
        let file = try OpenFile.open(self[name], flags: O_RDONLY)
        var bytes = [UInt8](repeating: 0, count: Int(try file.status().st_size))
        try file.read(into: &bytes, at: 0)
        return bytes
    }

    func text(_ name: String) throws -> String { String(decoding: try read(name), as: UTF8.self) }

    func exists(_ name: String) -> Bool { unsafe access(self[name], F_OK) == 0 }

    /// The file's room on disk, in bytes.
    func room(_ name: String) throws -> Int {
        Int(try OpenFile.open(self[name], flags: O_RDONLY).status().st_blocks) * 512
    }

    /// The names in a folder, sorted.
    func names(in name: String = "") throws -> [String] {
        let outcome = try Subprocess.run(["ls", "-A", self[name]], environment: ["LC_ALL": "C"])
        return (outcome?.output ?? "").split(separator: "\n").map(String.init)
    }
}

/// A generator whose every number follows from its seed (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }
}

func randomBytes(_ count: Int, seed: UInt64) -> [UInt8] {
    var generator = SeededGenerator(state: seed)
    return (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
}

extension BlockStore {
    func bytes(at offset: UInt64, count: Int) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0xEE, count: count)
        try read(into: &bytes, at: offset)
        return bytes
    }
}

/// The kind of the store error that a call ends with.
func kind(_ call: () throws -> Void) -> StoreError.Kind? {
    do { try call() } catch let error as StoreError { return error.kind } catch {}
    return nil
}

/// The set-up error that a call ends with.
func setupError(_ call: () throws -> Void) -> DiskStoreError? {
    do { try call() } catch let error as DiskStoreError { return error } catch {}
    return nil
}

/// System calls that answer what the script says, in order, and then the truth.
final class ScriptedCalls: Sendable {
    /// What one call does.
    enum Step: Sendable {
        case fail(Int32)
        case take(Int)
    }

    private let script: Mutex<[Step]>
    private let counted = Mutex(0)

    init(_ script: [Step]) { self.script = Mutex(script) }

    var count: Int { counted.withLock { $0 } }

    private func next() -> Step? {
        counted.withLock { $0 += 1 }
        return script.withLock { $0.isEmpty ? nil : $0.removeFirst() }
    }

    var writes: FileCalls {
        var calls = FileCalls.live
        unsafe calls.write = { file, bytes, offset in
            switch self.next() {
            case .fail(let code): return -Int(code)
            case .take(let count):
                let part = unsafe UnsafeRawBufferPointer(rebasing: bytes[..<min(count, bytes.count)])
                return unsafe FileCalls.live.write(file, part, offset)
            case nil: return unsafe FileCalls.live.write(file, bytes, offset)
            }
        }
        return calls
    }

    var reads: FileCalls {
        var calls = FileCalls.live
        unsafe calls.read = { file, buffer, offset in
            switch self.next() {
            case .fail(let code): return -Int(code)
            case .take(let count):
                let part = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[..<min(count, buffer.count)])
                return unsafe FileCalls.live.read(file, part, offset)
            case nil: return unsafe FileCalls.live.read(file, buffer, offset)
            }
        }
        return calls
    }

    var flushes: FileCalls {
        var calls = FileCalls.live
        calls.synchronize = { file in
            if case .fail(let code) = self.next() { return -code }
            return FileCalls.live.synchronize(file)
        }
        return calls
    }

    var punches: FileCalls {
        var calls = FileCalls.live
        calls.punch = { file, offset, length in
            if case .fail(let code) = self.next() { return -code }
            return FileCalls.live.punch(file, offset, length)
        }
        return calls
    }
}
