import ArgumentParser
import CommandSupport

/// `ghostplug bench`.
struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure a device: rates, latencies, intervals.",
        usage: """
            ghostplug bench HOST[:PORT] BUSID [OPTIONS]
            ghostplug bench MODEL[:KEY=VALUE,…] [OPTIONS]
            """,
        discussion: """
            Works with every USB/IP server, and needs neither root nor a kernel \
            module. With a model it starts a server of its own on a free port, and \
            tells that server's processor time as well.

            Each type, size and number of URBs in flight (depth) is a case. Without \
            --type, bench takes what the device has and what changes nothing: reading \
            its descriptor, and its bulk (vendor-specific interfaces only), interrupt \
            and isochronous IN endpoints. It writes, zeros, only to types asked for by \
            name, and to a drive only with --allow-writes: that destroys what is on it.

            Latency is from a URB's submission to its completion. CPU is this \
            process's processor time, all threads, divided by the URBs. MB are 10^6 \
            bytes. Ctrl-C shows what was measured so far.

            EXAMPLES:
              ghostplug bench zero
              ghostplug bench zero --type bulk-in --size 64,1K,64K,1M --depth 1,32,128
              ghostplug bench 192.168.1.7 1-1 --type control --depth 1 --json
              ghostplug bench zero:pattern=counter --type iso-in --packets 1,8 --depth 1,2,4 --numbered
              ghostplug bench zero:report-every=10 --type interrupt-in --numbered
              ghostplug bench zero --type bulk-in,bulk-out --plot bulk.svg

            JSON:
              One object: version (1), target, device, settings, machine (kernel,
              architecture, processors), startedAt (seconds since 1970), complete,
              interrupted, notes, cases.
              A case: type, endpoint, interface, alternate, size (bytes of a URB),
              depth, packets, nominalIntervalMicroseconds, result.
              A result: seconds, urbs, bytes, urbsPerSecond, megabytesPerSecond,
              latencyMicroseconds (mean, min, p50, p99, p999, max),
              clientCPUMicrosecondsPerURB, serverCPUMicrosecondsPerURB (own servers),
              failures (status, count), intervalMicroseconds (count, mean,
              standardDeviation, p99, min, max, worstDeviation), packetsReturned,
              packetErrors, emptyPackets, numbered (received, lost, gaps, repeated,
              tooShort, ageMicroseconds (mean, min, p50, p99, max)), trouble; each where
              it applies.

            EXIT STATUS:
              1 also when a case that was asked for failed, or Ctrl-C ended the run;
              what was measured is printed all the same.
            """)

    @Argument(
        help: ArgumentHelp("A server and a bus id, or a model such as zero.", valueName: "what"))
    var target: [String]

    @Option(
        help: ArgumentHelp(
            "control, bulk-in, bulk-out, interrupt-in, interrupt-out, iso-in, iso-out; several with commas.",
            valueName: "types"))
    var type: String?

    @Option(
        help: ArgumentHelp(
            "Bytes of a bulk URB, of a packet elsewhere. (default: 64,4K,64K,1M; a packet's own)", valueName: "sizes"))
    var size: String?

    @Option(help: ArgumentHelp("URBs in flight. (default: 1,32)", valueName: "numbers"))
    var depth: String?

    @Option(help: ArgumentHelp("Packets of an isochronous URB. (default: 8)", valueName: "numbers"))
    var packets: String?

    @Option(help: ArgumentHelp("How long each case counts. (default: 2)", valueName: "seconds"))
    var time: String?

    @Option(help: ArgumentHelp("How long each case runs before it counts. (default: 0.2)", valueName: "seconds"))
    var warmup: String?

    @Option(help: ArgumentHelp("How long an endpoint may give nothing. (default: 5)", valueName: "seconds"))
    var timeout: String?

    @Option(help: ArgumentHelp("Only this endpoint, such as 0x81.", valueName: "address"))
    var endpoint: String?

    @Option(help: ArgumentHelp("Only this interface.", valueName: "number"))
    var interface: String?

    @Option(help: ArgumentHelp("Only this alternate setting.", valueName: "number"))
    var alternate: String?

    @Option(help: ArgumentHelp("This configuration; the first unless given.", valueName: "number"))
    var configuration: String?

    @Flag(
        help: ArgumentHelp(
            "Reports begin with a number of 8 bytes, least significant first: count what is lost. Where a time of 8 "
                + "bytes follows (ns, CLOCK_MONOTONIC), show how old they are: on one machine only."))
    var numbered = false

    @Flag(help: "Write to a drive, which destroys what is on it.")
    var allowWrites = false

    @Flag(help: "One JSON object instead of a table.")
    var json = false

    @Option(help: ArgumentHelp("Draw the figures as SVG.", valueName: "file.svg"))
    var plot: String?

    mutating func run() throws {
        do throws(Failure) {
            try BenchRun(settings: try settings(), isJSON: json, plot: plot).run()
        } catch {
            throw error.report()
        }
    }

    private func settings() throws(Failure) -> BenchSettings {
        do throws(ConfigurationError) {
            var settings = try BenchSettings(target: target)
            let options = [
                ("type", type), ("size", size), ("depth", depth), ("packets", packets), ("time", time),
                ("warmup", warmup), ("timeout", timeout), ("endpoint", endpoint), ("interface", interface),
                ("alternate", alternate), ("configuration", configuration),
            ]
            for case (let name, let text?) in options { try settings.set(name, to: text) }
            settings.isNumbered = numbered
            settings.allowsWrites = allowWrites
            return settings
        } catch {
            throw Failure("\(error)", .validationFailure)
        }
    }
}
