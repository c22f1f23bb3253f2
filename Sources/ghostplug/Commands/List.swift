import ArgumentParser
import CommandSupport
import SocketIO
import USBIPClient
import USBIPWire

/// `ghostplug list`.
struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what a USB/IP server offers, as 'usbip list -r' does.",
        discussion: """
            Works with every USB/IP server, and needs neither root nor a kernel \
            module. A device that a client has attached is not in the list.

            EXAMPLES:
              ghostplug list 127.0.0.1
              ghostplug list --json [::1]:3241
            """)

    @Argument(
        help: ArgumentHelp("The server; the port is 3240 unless given.", valueName: "host[:port]"),
        transform: parseServer)
    var server: HostAndPort

    @Flag(help: "One JSON array, an object for each device.")
    var json = false

    mutating func run() throws {
        let entries: [DeviceListEntry]
        do throws(SocketError) {
            entries = try DeviceList.fetch(from: server)
        } catch {
            let hint =
                error.description.contains("refused") ? "; is a server running there? ('ghostplug serve drive')" : ""
            throw Failure("\(error)\(hint)", .unavailable).report()
        }
        do throws(Failure) {
            try WholeFile.printResult(text(for: entries))
        } catch {
            throw error.report()
        }
    }

    private func text(for entries: [DeviceListEntry]) -> String {
        if json { return JSON.array(entries.map(Self.object)).text }
        guard !entries.isEmpty else { return "\(server) has no device to attach" }
        return entries.flatMap(Self.lines).joined(separator: "\n")
    }

    private static func lines(for entry: DeviceListEntry) -> [String] {
        let device = entry.device
        let title =
            "\(device.busID)  \(hex(device.vendorID)):\(hex(device.productID))  \(speedName(device.speed))  "
            + "\(device.path)"
        return [title]
            + entry.interfaces.enumerated().map { number, interface in
                "     interface \(number): class \(hex(interface.code))/\(hex(interface.subclass))/"
                    + "\(hex(interface.protocol))\(className(interface.code))"
            }
    }

    private static func object(_ entry: DeviceListEntry) -> JSON {
        let device = entry.device
        return .object([
            ("busid", .string(device.busID)), ("path", .string(device.path)),
            ("busnum", .number(Int(device.busNumber))), ("devnum", .number(Int(device.deviceNumber))),
            ("speed", .string(speedName(device.speed))), ("idVendor", .string(hex(device.vendorID))),
            ("idProduct", .string(hex(device.productID))), ("bcdDevice", .string(hex(device.release))),
            ("bDeviceClass", .number(Int(device.deviceClass.code))),
            ("bDeviceSubClass", .number(Int(device.deviceClass.subclass))),
            ("bDeviceProtocol", .number(Int(device.deviceClass.protocol))),
            ("bConfigurationValue", .number(Int(device.configurationValue))),
            ("bNumConfigurations", .number(Int(device.configurationCount))),
            (
                "interfaces",
                .array(
                    entry.interfaces.map {
                        .object([
                            ("bInterfaceClass", .number(Int($0.code))),
                            ("bInterfaceSubClass", .number(Int($0.subclass))),
                            ("bInterfaceProtocol", .number(Int($0.protocol))),
                        ])
                    })
            ),
        ])
    }
}

private func parseServer(_ text: String) throws -> HostAndPort {
    guard let server = HostAndPort(text), server.port != 0 else {
        throw ValidationError("'\(text)' is no server; write HOST, HOST:PORT or [IPV6]:PORT")
    }
    return server
}
