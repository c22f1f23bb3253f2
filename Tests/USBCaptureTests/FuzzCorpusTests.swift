import Glibc
import Testing

@Suite("The fuzzer's corpus of captures")
struct FuzzCorpusTests {
    private static let folder: String = {
        var parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
        parts.removeLast(3)
        return parts.joined(separator: "/") + "/Fixtures/fuzz/capture"
    }()

    private static let names: [String] = {
        guard let stream = unsafe opendir(folder) else { return [] }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { field in
                unsafe field.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if !name.hasPrefix("."), name != "README.md" { names.append(name) }
        }
        return names.sorted()
    }()

    @Test("is there, and small")
    func size() {
        #expect(Self.names.count > 10)
    }

    @Test("is read without a broken promise", arguments: names)
    func replay(name: String) throws {
        guard let file = unsafe fopen(Self.folder + "/" + name, "rb") else {
            Issue.record("\(name) cannot be opened")
            return
        }
        defer { unsafe fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 100_000)
        let count = unsafe fread(&bytes, 1, bytes.count, file)
        #expect(count < bytes.count)
        try CaptureExercise(Array(bytes[..<count]))
    }
}
