import ArgumentParser
import CommandSupport
import DeviceControl
import Measurement

extension Ctl {
    /// `ghostplug ctl devices`.
    struct Devices: ControlCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show the devices that run.",
            discussion: """
                For each: its bus id, how far a host has come with it (detached, attached, \
                configured, suspended), its ids, what it is, and its device nodes if \
                'ghostplug plug' has plugged it in.

                EXAMPLES:
                  ghostplug ctl devices
                  ghostplug ctl devices --json | jq -r '.devices[] | select(.model == "drive") | .busid'
                """)

        @OptionGroup var options: ControlOptions

        func request() -> ControlRequest { ControlRequest("devices") }

        func text(for result: JSON) -> String? {
            guard case .array(let devices) = result["devices"], !devices.isEmpty else {
                return "no device; add one with 'ghostplug ctl add DEVICE'"
            }
            var table = TextTable([
                ("BUSID", .leading), ("STATE", .leading), ("ID", .leading), ("SPEED", .leading), ("DEVICE", .leading),
                ("NAME", .leading), ("NODES", .leading),
            ])
            for device in devices {
                table.add([
                    plain(device["busid"]), plain(device["state"]),
                    "\(plain(device["idVendor"])):\(plain(device["idProduct"]))", plain(device["speed"]),
                    plain(device["device"]), plain(device["name"]), Self.nodes(device),
                ])
            }
            return table.text
        }

        private static func nodes(_ device: JSON) -> String {
            guard case .array(let nodes) = device["nodes"] else { return "" }
            return nodes.map { plain($0) }.joined(separator: " ")
        }
    }

    /// `ghostplug ctl add`.
    struct Add: ControlCommand {
        static let configuration = CommandConfiguration(
            abstract: "Add a device, and show its bus id.",
            discussion: """
                The device is written as for 'ghostplug serve'. A server started by \
                'ghostplug plug' also plugs it in; otherwise a host can attach it.

                Paths are the server's: relative ones count from the folder that it was \
                started in.

                EXAMPLES:
                  ghostplug ctl add drive:size=1G
                  ghostplug ctl add keyboard:busid=1-9
                """)

        @OptionGroup var options: ControlOptions

        @Argument(help: "The device, such as drive or drive:size=1G,label=DATA.")
        var device: String

        func request() -> ControlRequest { ControlRequest("add", [("device", .string(device))]) }

        func text(for result: JSON) -> String? { plain(result["busid"]) }
    }

    /// `ghostplug ctl remove`.
    struct Remove: ControlCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remove a device, as if it were pulled out.",
            discussion: """
                A host that has it attached sees it go at once. What the host has written \
                is on stable storage when the command ends.

                EXAMPLES:
                  ghostplug ctl remove 1-2
                """)

        @OptionGroup var options: ControlOptions

        @Argument(help: "The device, as 'ghostplug ctl devices' names it.")
        var busid: String

        func request() -> ControlRequest { ControlRequest("remove", [("busid", .string(busid))]) }

        func text(for result: JSON) -> String? { nil }
    }

    /// `ghostplug ctl stop`.
    struct Stop: ControlCommand {
        static let configuration = CommandConfiguration(
            abstract: "End the server in order, as Ctrl-C does.",
            discussion: """
                Its devices are disconnected, and what was written to them is finished. \
                The command ends when the server has begun to end.

                EXAMPLES:
                  ghostplug ctl stop
                """)

        @OptionGroup var options: ControlOptions

        func request() -> ControlRequest { ControlRequest("stop") }

        func text(for result: JSON) -> String? { nil }
    }

    /// `ghostplug ctl wait`.
    struct Wait: ControlCommand {
        static let configuration = CommandConfiguration(
            abstract: "Wait until a host has come so far with a device.",
            discussion: """
                Ends at once when it is so already. States:

                  detached    no host has the device
                  attached    a host has it, and has not configured it
                  configured  the host's drivers can use it
                  suspended   the host lets it sleep

                EXAMPLES:
                  ghostplug ctl wait 1-1 configured
                  ghostplug ctl wait 1-1 detached --timeout 2.5 || echo 'still there'

                EXIT STATUS:
                  0    it is so
                  69   no server can be reached, or it has no such device
                  75   it was not so within the time
                """)

        @OptionGroup var options: ControlOptions

        @Argument(help: "The device, as 'ghostplug ctl devices' names it.")
        var busid: String

        @Argument(help: "What to wait for: detached, attached, configured, suspended.")
        var state: String

        @Option(help: ArgumentHelp("How long to wait. (default: 30)", valueName: "seconds"))
        var timeout: String?

        func request() -> ControlRequest {
            let limit = timeout.map { [("timeout", JSON.string($0))] } ?? []
            return ControlRequest("wait", [("busid", .string(busid)), ("for", .string(state))] + limit)
        }

        func text(for result: JSON) -> String? { nil }
    }
}
