import ArgumentParser
import CommandSupport
import DeviceInspection
import SocketIO
import USBCore
import USBIPClient
import USBIPWire

/// `ghostplug inspect`.
struct Inspect: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show every descriptor of a device, and what USB forbids of it.",
        discussion: """
            Works with every USB/IP server, and needs neither root nor a kernel \
            module. The device is imported for as long as that takes: nobody else may \
            have it attached. It is only read, never changed: no configuration is \
            selected, nothing is written to it.

            The text is that of 'lsusb -v', with HID report descriptors item by item, \
            and ends with the issues:

              error    a specification forbids it: the clause is named
              warning  it is allowed, but hosts trip over it, or it is unwise
              notice   worth knowing

            EXAMPLES:
              ghostplug list 127.0.0.1                      which bus ids there are
              ghostplug inspect 127.0.0.1 1-1
              ghostplug inspect --json [::1]:3241 1-1 | jq '.issues'
              ghostplug inspect 192.168.1.7 1-1.2 >device.txt || echo 'breaks a law'

            JSON:
              One object: import (what the server said), device, configurations, bos,
              webUSBLandingPage, microsoftOS2Descriptors, qualifier and
              otherSpeedConfigurations, languages, strings, selectedConfiguration,
              status, issues (severity, path, message, clause); each where there is one.
              Fields have the names of the specification, such as bLength; idVendor,
              idProduct and bcd... are four hexadecimal digits; bytes are hexadecimal.
              A field that names a string, such as iProduct, has its text beside it, in
              iProductText. Inside a descriptor, others are listed in descriptors,
              associations, interfaces, endpoints, capabilities. A configuration's
              classDescriptors are those of HID interfaces, a report descriptor with its
              applications and reports: type, id, bytes and fields (bit, size, count,
              flags, logical, physical, unit, usages).

            EXIT STATUS:
              0    no issue is an error
              1    at least one is; everything is printed all the same
              69   the server cannot be reached, has no such device, or ends the
                   connection
            """)

    @Argument(
        help: ArgumentHelp("The server; the port is 3240 unless given.", valueName: "host[:port]"),
        transform: Self.server)
    var server: HostAndPort

    @Argument(help: ArgumentHelp("The device, as 'ghostplug list' names it.", valueName: "busid"))
    var busID: String

    @Flag(help: "One JSON object instead of text.")
    var json = false

    mutating func run() throws {
        let raw: RawDevice
        do throws(HostError) {
            let device = try RemoteDevice.attach(to: server, busID: busID)
            defer { device.close() }
            raw = try DeviceReading.read(ImportRecord(device.record)) { (setup) throws(HostError) in
                try Self.ask(device, setup)
            }
        } catch {
            throw ImportFailure.words(error, server: server, busID: busID).report()
        }
        let report = DeviceReport(raw)
        do throws(Failure) {
            try WholeFile.printResult(json ? report.json : String(report.text.dropLast()))
        } catch {
            throw error.report()
        }
        if report.hasErrors { throw ExitCode.failure }
    }

    private static func server(_ text: String) throws -> HostAndPort {
        guard let server = HostAndPort(text), server.port != 0 else {
            throw ValidationError("'\(text)' is no server; write HOST, HOST:PORT or [IPV6]:PORT")
        }
        return server
    }

    /// Carries out one request; what the device does with it is an answer, what the server does may be an end.
    private static func ask(_ device: RemoteDevice, _ setup: SetupPacket) throws(HostError) -> ControlAnswer {
        do throws(HostError) {
            return .bytes(try device.controlIn(setup))
        } catch {
            guard case .transferFailed(let failure) = error, failure.status != .shutdown else { throw error }
            switch failure.status {
            case .stalled: return .stalled
            case .timedOut: return .silent
            default: return .failed("\(failure)")
            }
        }
    }
}

extension ImportRecord {
    fileprivate init(_ record: DeviceRecord) {
        self.init(
            busID: record.busID, path: record.path, speed: record.speed, vendorID: record.vendorID,
            productID: record.productID, release: record.release,
            deviceClass: [record.deviceClass.code, record.deviceClass.subclass, record.deviceClass.protocol],
            configurationValue: record.configurationValue, configurationCount: record.configurationCount,
            interfaceCount: record.interfaceCount)
    }
}
