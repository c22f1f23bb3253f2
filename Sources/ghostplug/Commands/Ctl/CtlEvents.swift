import ArgumentParser
import CommandSupport
import DeviceControl
import Glibc

extension Ctl {
    /// `ghostplug ctl events`.
    struct Events: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show what happens to devices, as JSON lines.",
            discussion: """
                The last 1024 events, oldest first; with --follow events from now on, \
                until the server ends or Ctrl-C. --since starts after an event that was \
                seen before: 0 for all that are kept.

                Each has event, time (seconds since 1970), seq and, where it is a device's, \
                busid. Events: added, removed, attached, detached, reset, configured, \
                unconfigured, interface, suspended, resumed, leds, scsi, unhandled, and \
                what else a device has to tell. Documentation/Control.md describes them.

                EXAMPLES:
                  ghostplug ctl events
                  ghostplug ctl events --follow | jq -c 'select(.event == "leds")'
                  ghostplug ctl events --follow --since 0 --busid 1-2
                """)

        @OptionGroup var server: ServerOption

        @Flag(help: "Go on with those that come.")
        var follow = false

        @Option(help: ArgumentHelp("Only events after the one with this seq.", valueName: "number"))
        var since: String?

        @Option(help: "Only events of this device.")
        var busid: String?

        /// The arguments of the request, apart from `follow`.
        var members: [(String, JSON)] {
            (since.map { [("since", .string($0))] } ?? []) + (busid.map { [("busid", .string($0))] } ?? [])
        }

        mutating func run() throws {
            do throws(ControlError) {
                let client = try ControlEndpoint.connect(to: server.control)
                defer { client.close() }
                guard follow else {
                    let result = try client.perform(ControlRequest("events", members))
                    guard case .array(let events) = result["events"] else { return }
                    for event in events { try Self.print(event) }
                    return
                }
                // A reader that has gone ends this, even if whoever started this does not care about such signals.
                signal(SIGPIPE, SIG_DFL)
                try client.follow(members) { (event) throws(ControlError) in
                    try Self.print(event)
                    return true
                }
            } catch {
                throw Failure(error).report()
            }
        }

        private static func print(_ event: JSON) throws(ControlError) {
            do throws(OutputError) {
                try StandardOutput.printResult(event.text)
            } catch {
                throw ControlError(.failed, "\(error)")
            }
        }
    }
}
