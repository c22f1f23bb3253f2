// libFuzzer has a main function of its own.
#if !FUZZING
    internal import Glibc
    internal import USBCapture

    /// Reads the files and folders that it is given, as the fuzzer does, and says what came of each.
    @main
    enum Driver {
        static func main() {
            let paths = CommandLine.arguments.dropFirst()
            guard let first = paths.first, first != "--help" else {
                print(
                    "Usage: fuzz-capture FILE|FOLDER...\n\nReads captures, and fails where a promise is broken.")
                exit(paths.isEmpty ? 64 : 0)
            }
            var isGood = true
            for path in paths {
                for file in files(path) { isGood = exercise(file) && isGood }
            }
            exit(isGood ? 0 : 1)
        }

        private static func exercise(_ path: String) -> Bool {
            guard let bytes = contents(path) else {
                print("\(path): cannot be read")
                return false
            }
            do throws(BrokenPromise) {
                let result = try CaptureExercise(bytes)
                let traces = try TraceExercise(bytes)
                print(
                    "\(path): \(result.events) events, \(traces.devices) devices, \(traces.entries) entries"
                        + (result.error.map { ", then: \($0)" } ?? ""))
                return true
            } catch {
                print("\(path): \(error)")
                return false
            }
        }

        /// The files of a folder, by name; the path itself when it is none.
        private static func files(_ path: String) -> [String] {
            guard let folder = unsafe opendir(path) else { return [path] }
            defer { unsafe closedir(folder) }
            var names: [String] = []
            while let entry = unsafe readdir(folder) {
                let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { field in
                    unsafe field.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
                }
                if !name.hasPrefix(".") { names.append("\(path)/\(name)") }
            }
            return names.sorted()
        }

        private static func contents(_ path: String) -> [UInt8]? {
            guard let file = unsafe fopen(path, "rb") else { return nil }
            defer { unsafe fclose(file) }
            var bytes: [UInt8] = []
            var chunk = [UInt8](repeating: 0, count: 1 << 16)
            while true {
                let count = unsafe fread(&chunk, 1, chunk.count, file)
                if count == 0 { return bytes }
                bytes += chunk[..<count]
            }
        }
    }
#endif
