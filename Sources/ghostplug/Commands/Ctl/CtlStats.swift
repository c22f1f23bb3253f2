import ArgumentParser
import CommandSupport
import DeviceControl
import Measurement

extension Ctl {
    /// `ghostplug ctl stats`.
    struct Stats: ControlCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show what has moved through a device, or through each.",
            discussion: """
                A line for each device and for each of its endpoints: URBs that ended, \
                bytes to the host (IN) and from it (OUT), URBs with an error, URBs that \
                the host took back, URBs that wait now, and how long URBs took from \
                arriving to being answered: half of them, 99 in 100, and the longest. An \
                interrupt endpoint's time includes waiting for something to report.

                --json has the whole histogram of each endpoint.

                EXAMPLES:
                  ghostplug ctl stats
                  ghostplug ctl stats 1-1 --json | jq '.devices[0].endpoints[0].latency_us'
                """)

        @OptionGroup var options: ControlOptions

        @Argument(help: "The device, as 'ghostplug ctl devices' names it. (default: every device)")
        var busid: String?

        func request() -> ControlRequest { ControlRequest("stats", busid.map { [("busid", .string($0))] } ?? []) }

        func text(for result: JSON) -> String? {
            guard case .array(let devices) = result["devices"], !devices.isEmpty else { return "no device" }
            var table = TextTable([
                ("DEVICE", .leading), ("URBS", .trailing), ("IN", .trailing), ("OUT", .trailing), ("ERRORS", .trailing),
                ("TAKEN BACK", .trailing), ("WAITING", .trailing), ("MEDIAN", .trailing), ("99 %", .trailing),
                ("LONGEST", .trailing),
            ])
            for device in devices {
                table.add([
                    plain(device["busid"]), plain(device["urbs"]), Self.bytes(device["bytes_in"]),
                    Self.bytes(device["bytes_out"]), plain(device["errors"]), plain(device["cancelled"]),
                    plain(device["in_flight"]),
                ])
                guard case .array(let endpoints) = device["endpoints"] else { continue }
                for endpoint in endpoints { table.add(Self.row(endpoint)) }
            }
            return table.text
        }

        private static func row(_ endpoint: JSON) -> [String] {
            let address = plain(endpoint["endpoint"])
            let isIn = (Int(address.dropFirst(2), radix: 16) ?? 0) & 0x80 != 0
            let bytes = Self.bytes(endpoint["bytes"])
            let latency = endpoint["latency_us"]
            return [
                "  \(address)", plain(endpoint["urbs"]), isIn ? bytes : "", isIn ? "" : bytes,
                plain(endpoint["errors"]), plain(endpoint["cancelled"]), "", Self.time(latency?["p50"]),
                Self.time(latency?["p99"]), Self.time(latency?["max"]),
            ]
        }

        private static func bytes(_ value: JSON?) -> String {
            guard let bytes = value?.double else { return "" }
            let units = ["B", "KiB", "MiB", "GiB", "TiB"]
            var (shown, unit) = (bytes, 0)
            while shown >= 1024, unit < units.count - 1 { (shown, unit) = (shown / 1024, unit + 1) }
            return "\(decimal(shown, unit == 0 ? 0 : 1)) \(units[unit])"
        }

        private static func time(_ microseconds: JSON?) -> String {
            guard let time = microseconds?.double else { return "" }
            if time < 1000 { return "\(decimal(time, 1)) µs" }
            return time < 1_000_000 ? "\(decimal(time / 1000, 1)) ms" : "\(decimal(time / 1_000_000, 1)) s"
        }
    }

    /// `ghostplug ctl unhandled`.
    struct Unhandled: ControlCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show what hosts asked for and did not get.",
            discussion: """
                Each kind of request that a device has stalled, how often, and what its \
                author could do about it; some are usual and harmless. 'ghostplug serve \
                --explain' shows the same at its end.

                EXAMPLES:
                  ghostplug ctl unhandled
                  ghostplug ctl unhandled 1-2 --json
                """)

        @OptionGroup var options: ControlOptions

        @Argument(help: "The device, as 'ghostplug ctl devices' names it. (default: every device)")
        var busid: String?

        func request() -> ControlRequest {
            ControlRequest("unhandled", busid.map { [("busid", .string($0))] } ?? [])
        }

        func text(for result: JSON) -> String? {
            guard case .array(let devices) = result["devices"] else { return nil }
            var table = TextTable([
                ("BUSID", .leading), ("TIMES", .trailing), ("REQUEST", .leading), ("WHAT TO DO", .leading),
            ])
            for device in devices {
                guard case .array(let requests) = device["requests"] else { continue }
                for request in requests {
                    table.add([
                        plain(device["busid"]), plain(request["count"]), plain(request["request"]),
                        plain(request["hint"]),
                    ])
                }
            }
            return table.isEmpty ? "every request was answered" : table.text
        }
    }
}
