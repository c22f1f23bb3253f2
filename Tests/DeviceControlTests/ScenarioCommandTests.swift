import DeviceControl
import Glibc
import Testing

@Suite("Commands of a scenario", .timeLimit(.minutes(10)))
struct ScenarioCommandTests {
    private func play(_ steps: String) throws -> [ScenarioResult] {
        FakeStage().play(try scenario(#"{"disk": "drive"}"#, steps)).results
    }

    private func step(_ command: String, _ more: String = "") -> String {
        #"{"run": {"command": "\#(command)"\#(more.isEmpty ? "" : ", " + more)}}"#
    }

    @Test(
        "hold when they end as expected",
        arguments: [
            ("true", ""), ("exit 3", #""status": 3"#), ("exit 3", #""status": "any""#),
            ("kill -9 $$", #""status": 137"#),
            ("echo one two", #""output": "one two""#), ("echo wrong >&2", #""output": "wrong""#),
            // What it leaves in the background is not waited for.
            ("sleep 1000 & echo left", #""output": "left""#), ("read -r line || echo empty", #""output": "empty""#),
            // More than a pipe holds, and than is kept.
            ("head -c 3000000 /dev/zero; echo end", #""output": "end""#),
            ("yes | head -n 1", #""output": "y""#),
        ])
    func held(_ command: String, _ more: String) throws {
        let results = try play(step(command, more))
        #expect(results.outcomes == [.held], "\(results.complaint)")
    }

    @Test(
        "fail when they do not, and say what came instead",
        arguments: [
            ("echo broken; false", "", "expected exit status 0; it ended with 1, and printed: broken"),
            ("true", #""status": 2"#, "expected exit status 2; it ended with 0, and printed nothing"),
            ("echo one", #""output": "two""#, "expected output with 'two'; it ended with 0, and printed: one"),
            ("no-such-command-here", "", "ended with 127"),
            ("echo begun; sleep 1000", #""timeout": 0.3"#, "did not end within 0.3 s, and printed: begun"),
            ("while :; do echo x; done", #""timeout": 0.3"#, "did not end within 0.3 s"),
        ])
    func failed(_ command: String, _ more: String, _ complaint: String) throws {
        let results = try play(step(command, more))
        #expect(results.outcomes == [.failed])
        #expect(results.complaint.contains(complaint), "\(results.complaint)")
    }

    @Test("know their devices' nodes and bus ids, which are the shell's variables and nothing more")
    func variables() throws {
        let results = try play(
            step(
                "echo ${disk.node} ${disk.busid} $disk_node '${disk.node}' $(echo ${#disk_nodes})",
                #""output": "/dev/disk-bus disk-bus /dev/disk-bus ${disk_node} 24""#))
        #expect(results.outcomes == [.held], "\(results.complaint)")
    }

    @Test("do not run without a variable that the device does not have")
    func unknownVariable() throws {
        let results = try play(step("echo ${disk.event}"))
        #expect(results.complaint == "disk has no event")
    }

    @Test("get nothing of what is open here")
    func descriptors() throws {
        let file = unsafe open("/dev/null", O_RDONLY)
        defer { close(file) }
        let results = try play(
            step("[ -e /proc/self/fd/\(file) ] && echo open || echo closed", #""output": "closed""#))
        #expect(file > 2 && results.outcomes == [.held], "\(results.complaint)")
    }

    @Test("that nobody can tell the end of, because whoever started us ignores SIGCHLD, fail at once")
    func ignoredChildren() async {
        await #expect(processExitsWith: .success) {
            _ = signal(SIGCHLD, SIG_IGN)
            let steps = #"{"run": {"command": "true", "timeout": 50}}"#
            let start = ContinuousClock.now
            let results = FakeStage().play(try scenario(#"{"disk": "drive"}"#, steps)).results
            #expect(results.outcomes == [.failed] && ContinuousClock.now - start < .seconds(20))
            #expect(results.complaint.contains("cannot tell how the command ended"), "\(results.complaint)")
        }
    }

    @Test("are killed with all that they have started when their time is up")
    func killed() throws {
        let results = try play(
            step("trap '' TERM; (sleep 1000) & echo child $!; wait; sleep 1000", #""timeout": 0.2"#))
        let words = results.complaint.split(separator: " ")
        let child = try #require(words.last.flatMap { Int32($0) }, "\(results.complaint)")
        #expect(results.outcomes == [.failed] && isGone(child))
    }
}

/// Whether a process has ended, though nobody may have taken note of it yet.
private func isGone(_ pid: Int32) -> Bool {
    let end = ContinuousClock.now + .seconds(20)
    while ContinuousClock.now < end {
        if state(of: pid).map({ $0 == "Z" }) ?? true { return true }
        usleep(1000)
    }
    return false
}

/// The letter in `/proc/PID/stat`; nil when there is no such process.
private func state(of pid: Int32) -> Character? {
    let descriptor = unsafe open("/proc/\(pid)/stat", O_RDONLY)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 512)
    let count = unsafe bytes.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
    let text = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    return text.split(separator: ")").last?.drop { $0 == " " }.first
}
