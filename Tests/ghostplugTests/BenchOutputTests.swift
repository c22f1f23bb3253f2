import CommandSupport
import Glibc
import Testing

@testable import ghostplug

@Suite("What a command was run for")
struct BenchOutputTests {
    @Test("is not lost in silence")
    func full() throws {
        // A device that never has room.
        let file = unsafe open("/dev/full", O_WRONLY | O_CLOEXEC)
        try #require(file >= 0)
        defer { close(file) }
        let error = #expect(throws: OutputError.self) { try StandardOutput.printResult("a line", to: file) }
        #expect(error?.code == ENOSPC && error?.description.contains("No space") == true)
    }

    @Test("need not be read to its end")
    func pipe() throws {
        var ends: [Int32] = [-1, -1]
        try #require(unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
        signal(SIGPIPE, SIG_IGN)
        close(ends[0])
        defer { close(ends[1]) }
        try StandardOutput.printResult("a line", to: ends[1])
    }

    @Test("is not replaced by an empty file before there is anything to write")
    func plot() throws {
        let path = "/tmp/ghostplug-bench-output-\(getpid())"
        try WholeFile.checkWritable(path)
        #expect(unsafe access(path, F_OK) != 0)
        try WholeFile.write("text", to: path)
        defer { unsafe unlink(path) }
        try WholeFile.checkWritable(path)
        #expect(try WholeFile.read(path) == Array("text".utf8))
    }
}
