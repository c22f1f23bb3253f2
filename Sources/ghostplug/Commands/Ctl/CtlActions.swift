import ArgumentParser
import CommandSupport
import DeviceControl

extension Ctl {
    /// `ghostplug ctl actions`.
    struct Actions: ControlCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show what can be done to a device, or to each.",
            discussion: """
                EXAMPLES:
                  ghostplug ctl actions
                  ghostplug ctl actions 1-2
                  ghostplug ctl actions --json | jq -r '.devices[].actions[].action'
                """)

        @OptionGroup var options: ControlOptions

        @Argument(help: "The device, as 'ghostplug ctl devices' names it. (default: every device)")
        var busid: String?

        func request() -> ControlRequest {
            ControlRequest("actions", busid.map { [("busid", .string($0))] } ?? [])
        }

        func text(for result: JSON) -> String? {
            guard case .array(let devices) = result["devices"], !devices.isEmpty else { return "no device" }
            return devices.map(Self.text).joined(separator: "\n\n")
        }

        private static func text(_ device: JSON) -> String {
            guard case .array(let actions) = device["actions"], !actions.isEmpty else {
                return "\(plain(device["busid"])): nothing"
            }
            var lines = ["\(plain(device["busid"])):"]
            for action in actions {
                lines.append("  \(plain(action["action"]))  \(plain(action["summary"]))")
                guard case .array(let parameters) = action["parameters"] else { continue }
                lines += parameters.map(line)
            }
            return lines.joined(separator: "\n")
        }

        private static func line(_ parameter: JSON) -> String {
            let isNeeded = parameter["default"] == nil || parameter["default"] == .null
            let fallback = isNeeded ? "needed" : "default: \(plain(parameter["default"]))"
            let takes = "\(plain(parameter["values"])); \(fallback)"
            return "    \(plain(parameter["name"]))=  \(plain(parameter["summary"])) (\(takes))"
        }
    }

    /// `ghostplug ctl do`.
    struct Do: ControlCommand {
        static let configuration = CommandConfiguration(
            abstract: "Do anything that can be done to a device.",
            discussion: """
                'ghostplug ctl actions' shows the actions and what each takes. What the \
                action has to tell is printed, a line for each item.

                EXAMPLES:
                  ghostplug ctl do 1-1 write-protect on=yes
                  ghostplug ctl do 1-1 resize size=2G
                  ghostplug ctl do 1-2 type text='Hello' layout=de
                """)

        @OptionGroup var options: ControlOptions

        @Argument(help: "The device, as 'ghostplug ctl devices' names it.")
        var busid: String

        @Argument(help: "What to do.")
        var action: String

        @Argument(help: ArgumentHelp("The action's arguments.", valueName: "key=value"))
        var arguments: [String] = []

        func request() throws(Failure) -> ControlRequest {
            ControlRequest(action, [("busid", .string(busid))] + (try keyValues(arguments)))
        }
    }
}
