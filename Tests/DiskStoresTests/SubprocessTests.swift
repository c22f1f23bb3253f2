import Testing

@testable import DiskStores

@Suite("Running a program")
struct SubprocessTests {
    @Test("captures output, status and environment; arguments pass no shell")
    func output() throws {
        let outcome = try #require(try Subprocess.run(["printf", "%s|", "a b", "$HOME", "*"]))
        #expect(outcome.output == "a b|$HOME|*|")
        #expect(outcome.succeeded)
        let failed = try #require(
            try Subprocess.run(["sh", "-c", "echo $WORD >&2; exit 3"], environment: ["WORD": "hello"]))
        #expect(failed.status == 3)
        #expect(failed.output == "hello\n")
        #expect(try Subprocess.run(["sh", "-c", "kill -9 $$"])?.status == 137)
    }

    @Test("keeps output bounded, and reads no input")
    func bounds() throws {
        let outcome = try #require(try Subprocess.run(["seq", "1000000"], outputLimit: 100))
        #expect(outcome.output.utf8.count == 100)
        #expect(outcome.succeeded)
        #expect(try Subprocess.run(["cat"])?.output == "")
    }

    @Test("kills what takes too long, and knows what is missing")
    func limits() throws {
        let outcome = try #require(try Subprocess.run(["sleep", "1000"], timeout: 50))
        #expect(outcome.timedOut && !outcome.succeeded)
        #expect(try Subprocess.run(["no-such-program-here"]) == nil)
        #expect(try Subprocess.run(["/no/such/program"]) == nil)
    }
}
