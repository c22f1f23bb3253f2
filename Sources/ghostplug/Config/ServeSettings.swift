import DeviceControl
import DeviceModels
import Logging
import SocketIO
import USBDeviceKit
import USBIPServer
import USBIPSession
import USBPassthrough

/// What is wrong with a setting, and where it stands.
struct ConfigurationError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// Where a server can be controlled.
enum ControlPlace: Equatable {
    /// A socket with this process's number, where `ghostplug ctl` looks.
    case usual
    /// Nowhere.
    case none
    case at(String)

    /// Reads `none` or a path.
    init(_ text: String) { self = text == "none" ? .none : .at(text) }

    /// The socket's path; nil when there is to be none.
    var path: String? {
        get throws(SocketError) {
            switch self {
            case .usual: try ControlFolder().makeSocketPath()
            case .none: nil
            case .at(let path): path
            }
        }
    }
}

/// Everything that `serve` can be told, from the file and from the command line.
struct ServeSettings {
    struct Device {
        var specification: DeviceSpecification
        /// Where it was given, for messages: `drive:size=1G`, or `bench.yaml:7`.
        var origin: String
        /// For `real:*`: what a device must meet, any of these; none for what all have in common.
        var matches: [DeviceMatch] = []
    }

    var devices: [Device] = []
    /// What `real:*` stands for: devices that meet any of these.
    var matches: [DeviceMatch] = []
    var server = ServerConfiguration()
    var control = ControlPlace.usual
    /// The file that records what happens to devices; nil for none.
    var capture: String?
    /// The bus ids of the devices that are recorded; none for all.
    var captureDevices: [String] = []
    /// The file that says how the hosts of replayed devices did, as JUnit XML; nil for none.
    var report: String?
    var logLevel = Logger.Level.info
    var logFormat = LogFormat.text

    /// The settings with a single value: `KEY: VALUE` in the file, `--KEY VALUE` on the command line.
    static let scalarKeys = [
        "max-connections", "max-waiting", "handshake-timeout", "pace", "control", "capture", "report", "log-level",
        "log-format",
    ]

    /// Adds what the command line says.
    ///
    /// - Parameter scalars: values by ``scalarKeys``; nil where the command line says nothing.
    mutating func override(
        devices: [String], matches: [String] = [], listen: [String] = [], allow: [String] = [],
        captureDevices: [String] = [], scalars: [String: String?] = [:]
    ) throws(ConfigurationError) {
        for text in devices { self.devices.append(try Self.device(text, "'\(text)'")) }
        if !matches.isEmpty {
            self.matches = []
            for text in matches { self.matches.append(try Self.match(text, "--match")) }
        }
        if !listen.isEmpty {
            server.listen = []
            for text in listen { server.listen.append(try Self.address(text, "--listen")) }
        }
        if !allow.isEmpty {
            server.allow = []
            for text in allow { server.allow.append(try Self.range(text, "--allow")) }
        }
        if !captureDevices.isEmpty { self.captureDevices = captureDevices }
        for key in Self.scalarKeys {
            if case .some(.some(let text)) = scalars[key] { try set(key, to: text, "--\(key)") }
        }
    }

    /// Sets one of ``scalarKeys``.
    mutating func set(_ key: String, to text: String, _ place: String) throws(ConfigurationError) {
        switch key {
        case "max-connections": server.connections = try Self.integer(text, 1...100_000, place)
        case "max-waiting": server.session.keptBytes = try Self.integer(text, 1...65_536, place) << 20
        case "handshake-timeout": server.handshakeTimeout = Int32(try Self.integer(text, 1...3600, place)) * 1000
        case "control": control = ControlPlace(text)
        case "capture":
            guard !text.isEmpty else { throw ConfigurationError("\(place): the name of a file is expected") }
            capture = text
        case "report":
            guard !text.isEmpty else { throw ConfigurationError("\(place): the name of a file is expected") }
            report = text
        case "pace": server.pace = try Self.pace(text, place)
        case "log-level": logLevel = try Self.level(text, place)
        default: logFormat = try Self.format(text, place)
        }
    }

    // MARK: One value

    static func device(_ text: String, _ place: String) throws(ConfigurationError) -> Device {
        do throws(ModelError) {
            return Device(specification: try DeviceSpecification(parsing: text), origin: place)
        } catch {
            throw ConfigurationError("\(place): \(error)")
        }
    }

    static func address(_ text: String, _ place: String) throws(ConfigurationError) -> HostAndPort {
        guard let address = HostAndPort(text) else {
            throw ConfigurationError(
                "\(place): '\(text)' is no address; write 127.0.0.1:3240, [::1]:3240 or 0.0.0.0:3240")
        }
        return address
    }

    static func range(_ text: String, _ place: String) throws(ConfigurationError) -> AddressRange {
        guard let range = AddressRange(text) else {
            throw ConfigurationError("\(place): '\(text)' is no address block; write 192.168.1.0/24 or fd00::/8")
        }
        return range
    }

    static func integer(
        _ text: String, _ range: ClosedRange<Int>, _ place: String
    ) throws(ConfigurationError) -> Int {
        guard let number = Int(text), range.contains(number) else {
            throw ConfigurationError(
                "\(place): '\(text)' is not a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    static func pace(_ text: String, _ place: String) throws(ConfigurationError) -> Pace {
        guard let pace = Pace(rawValue: text) else {
            throw ConfigurationError("\(place): '\(text)' is neither bus nor free")
        }
        return pace
    }

    static func level(_ text: String, _ place: String) throws(ConfigurationError) -> Logger.Level {
        guard let level = Logger.Level(rawValue: text) else {
            let all = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
            throw ConfigurationError("\(place): '\(text)' is none of \(all)")
        }
        return level
    }

    static func format(_ text: String, _ place: String) throws(ConfigurationError) -> LogFormat {
        guard let format = LogFormat(rawValue: text) else {
            throw ConfigurationError("\(place): '\(text)' is neither text nor json")
        }
        return format
    }
}
