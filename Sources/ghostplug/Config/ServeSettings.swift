import DeviceModels
import Logging
import SocketIO
import USBIPServer

/// What is wrong with a setting, and where it stands.
struct ConfigurationError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// Everything that `serve` can be told, from the file and from the command line.
struct ServeSettings {
    struct Device {
        var specification: DeviceSpecification
        /// Where it was given, for messages: `drive:size=1G`, or `bench.yaml:7`.
        var origin: String
    }

    var devices: [Device] = []
    var server = ServerConfiguration()
    var logLevel = Logger.Level.info
    var logFormat = LogFormat.text

    /// Adds what the command line says.
    mutating func override(
        devices: [String], listen: [String] = [], allow: [String] = [], maxConnections: String? = nil,
        logLevel: String? = nil, logFormat: String? = nil
    ) throws(ConfigurationError) {
        for text in devices { self.devices.append(try Self.device(text, "'\(text)'")) }
        if !listen.isEmpty {
            server.listen = []
            for text in listen { server.listen.append(try Self.address(text, "--listen")) }
        }
        if !allow.isEmpty {
            server.allow = []
            for text in allow { server.allow.append(try Self.range(text, "--allow")) }
        }
        if let maxConnections {
            server.connections = try Self.connections(maxConnections, "--max-connections")
        }
        if let logLevel { self.logLevel = try Self.level(logLevel, "--log-level") }
        if let logFormat { self.logFormat = try Self.format(logFormat, "--log-format") }
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

    static func connections(_ text: String, _ place: String) throws(ConfigurationError) -> Int {
        guard let number = Int(text), (1...100_000).contains(number) else {
            throw ConfigurationError("\(place): '\(text)' is not a number from 1 to 100000")
        }
        return number
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
