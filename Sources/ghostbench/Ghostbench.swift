import ArgumentParser
import CommandSupport

@main
struct Ghostbench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ghostbench",
        abstract: "Measures ghostplug's server against the least that such a server has to do.",
        usage: "ghostbench [--quick] [--hot] [--cold] [--shared] [--both] [--only <case>] … [--json]",
        discussion: """
            A host that checks every answer loads two servers in turn, in processes of
            their own: ghostplug's, and a reference in C that does the minimum (one
            thread, blocking calls, a RAM disk, no device model). Medians are compared.
            What counts are the ratios; the times are this machine's. Only loopback is
            used.

            CONDITIONS:
              hot     host and server have a processor each, and a process at idle
                      priority keeps both awake: no message waits for one to wake up
                      (other sessions may get their turns only between rounds)
              cold    the machine as it is
              shared  host and server share one processor: no message crosses to
                      another, so the server's own cost shows most, and the figures
                      vary least

            CASES:
              tur                                 TEST UNIT READY, one at a time
              read-4k, write-4k                   4 KiB commands at random places
              read-64k, read-1m, write-1m         commands one behind the other
              control-1, control-32, control-256  GET_DESCRIPTOR, so many in flight
              memory-image                        a 64 MiB image, wholly written and
                                                  read
              memory-1000                         a server with 1,000 drives
              polled-200                          200 attached devices, each with a
                                                  report every 10 ms
              keys-200                            200 attached keyboards, whose keys are
                                                  pressed through the control
                                                  interface
              capture                             bulk transfers of 64 bytes and of 1 MiB,
                                                  recorded and not

            EXAMPLES:
              ghostbench                          everything, hot: about two minutes
              ghostbench --quick --shared --only tur --only read-4k
              ghostbench --both --json > bench.json

            EXIT STATUS:
              0    it ran, whatever the figures are
              1    an answer was wrong, or a server failed
              64   the command line is wrong
            """,
        subcommands: [ServeCommand.self, ReferenceCommand.self, SpinCommand.self, CountCommand.self])

    @Flag(help: "Three short rounds instead of five long ones.")
    var quick = false

    @Option(help: ArgumentHelp("Rounds for each case, 1 to 99. (default: 5, quick: 3)", valueName: "number"))
    var rounds: Int?

    @Option(
        help: ArgumentHelp("Seconds for each round and server, 0.05 to 60. (default: 1, quick: 0.4)", valueName: "time")
    )
    var seconds: Double?

    @Flag(help: "The condition; each may be given; --both is hot and cold. (default: --hot where permitted)")
    var conditions: [ConditionFlag] = []

    @Option(help: ArgumentHelp("Only this case; repeatable.", valueName: "case"))
    var only: [Case] = []

    @Flag(help: "Print JSON instead of tables.")
    var json = false

    func validate() throws {
        guard (1...99).contains(rounds ?? 1) else { throw ValidationError("--rounds must be 1 to 99") }
        guard (0.05...60).contains(seconds ?? 1) else { throw ValidationError("--seconds must be 0.05 to 60") }
    }

    func run() throws {
        do {
            let benchmark = Benchmark(
                rounds: rounds ?? (quick ? 3 : 5), seconds: seconds ?? (quick ? 0.4 : 1),
                cases: only.isEmpty ? Case.allCases : Case.allCases.filter(only.contains), isJSON: json)
            try benchmark.run(
                Condition.allCases.filter { conditions.flatMap(\.conditions).contains($0) })
        } catch let failure as Failure {
            Output.message("ghostbench: \(failure)")
            throw ExitCode.failure
        }
    }
}

/// Ends the benchmark with a message.
struct Failure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
