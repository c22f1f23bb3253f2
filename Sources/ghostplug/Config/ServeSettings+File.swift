import DeviceModels
import Glibc
import Logging
import SocketIO
import USBIPServer
import USBPassthrough
import Yams

extension ServeSettings {
    /// The largest file that is read as a configuration.
    private static let sizeLimit = 1 << 20

    /// Reads a configuration file.
    ///
    /// - Throws: ``ConfigurationError`` that names the file, the line and the key.
    mutating func read(file path: String) throws(ConfigurationError) {
        try read(yaml: try Self.contents(of: path), from: path)
    }

    /// Reads a configuration.
    ///
    /// - Parameter file: the name that errors give.
    mutating func read(yaml text: String, from file: String) throws(ConfigurationError) {
        let root: Node?
        do {
            root = try Yams.compose(yaml: text)
        } catch {
            throw ConfigurationError("\(file): not YAML: \(error)")
        }
        guard let root else { return }
        guard let mapping = root.mapping else {
            throw ConfigurationError("\(Self.place(root, file)): a mapping of settings is expected")
        }
        for (key, value) in mapping {
            let place = Self.place(key, file)
            switch key.string {
            case "devices":
                for entry in try Self.sequence(value, "\(place): devices") {
                    devices.append(try Self.device(entry, file))
                }
            case "match": matches = try Self.matches(value, "\(place): match")
            case "listen":
                server.listen = []
                for entry in try Self.sequence(value, "\(place): listen") {
                    server.listen.append(try Self.address(try Self.scalar(entry, place), "\(place): listen"))
                }
            case "allow":
                server.allow = []
                for entry in try Self.sequence(value, "\(place): allow") {
                    server.allow.append(try Self.range(try Self.scalar(entry, place), "\(place): allow"))
                }
            case "capture-device":
                captureDevices = []
                for entry in try Self.sequence(value, "\(place): capture-device") {
                    captureDevices.append(try Self.scalar(entry, place))
                }
            case .some(let name) where Self.scalarKeys.contains(name):
                try set(name, to: try Self.scalar(value, place), "\(place): \(name)")
            default:
                throw ConfigurationError(
                    "\(place): there is no setting '\(key.string ?? "?")'; there are: "
                        + (["devices", "match", "listen", "allow", "capture-device"] + Self.scalarKeys).joined(
                            separator: ", "))
            }
        }
    }

    private static func matches(_ node: Node, _ place: String) throws(ConfigurationError) -> [DeviceMatch] {
        var matches: [DeviceMatch] = []
        for entry in try sequence(node, place) { matches.append(try match(try scalar(entry, place), place)) }
        return matches
    }

    /// A device: a specification as on the command line, or a mapping with `model` and the model's keys, and for `real`
    /// with `match`.
    private static func device(_ node: Node, _ file: String) throws(ConfigurationError) -> Device {
        let place = place(node, file)
        guard let mapping = node.mapping else { return try device(try scalar(node, place), place) }
        var specification = DeviceSpecification(model: "")
        var matches: (place: String, all: [DeviceMatch]) = ("", [])
        for (key, value) in mapping {
            let place = Self.place(key, file)
            let name = try scalar(key, place)
            if name == "match" {
                matches = (place, try Self.matches(value, "\(place): match"))
            } else if name == "model" {
                specification.model = try scalar(value, "\(place): model")
            } else if let list = value.sequence {
                for entry in list { specification.options.append(.init(name, try scalar(entry, "\(place): \(name)"))) }
            } else {
                specification.options.append(.init(name, try scalar(value, "\(place): \(name)")))
            }
        }
        guard !specification.model.isEmpty else {
            throw ConfigurationError("\(place): a device needs 'model: NAME', such as 'model: drive'")
        }
        // Checked here already, so that the error has the key's own line.
        var line = place
        do throws(ModelError) {
            let model = try ModelRegistry.model(named: specification.model)
            for (key, _) in mapping where !["model", "match"].contains(key.string) {
                line = Self.place(key, file)
                try ModelRegistry.checkKey(key.string ?? "?", of: model)
            }
        } catch {
            throw ConfigurationError("\(line): \(error)")
        }
        let device = Device(specification: specification, origin: place, matches: matches.all)
        guard device.isStar || matches.all.isEmpty else {
            throw ConfigurationError("\(matches.place): match goes with 'model: real' and 'device: \"*\"' only")
        }
        return device
    }

    // MARK: Nodes

    private static func place(_ node: Node, _ file: String) -> String {
        node.mark.map { "\(file):\($0.line)" } ?? file
    }

    private static func scalar(_ node: Node, _ place: String) throws(ConfigurationError) -> String {
        guard let scalar = node.scalar else { throw ConfigurationError("\(place): a single value is expected") }
        return scalar.string
    }

    private static func sequence(_ node: Node, _ place: String) throws(ConfigurationError) -> [Node] {
        if let sequence = node.sequence { return Array(sequence) }
        guard node.scalar != nil else { throw ConfigurationError("\(place): a list is expected") }
        return [node]
    }

    private static func contents(of path: String) throws(ConfigurationError) -> String {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw ConfigurationError("\(path): \(unsafe String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = unsafe piece.withUnsafeMutableBytes { unsafe Glibc.read(descriptor, $0.baseAddress, $0.count) }
            guard count >= 0 else {
                throw ConfigurationError("\(path): \(unsafe String(cString: strerror(errno)))")
            }
            if count == 0 { break }
            bytes += piece[..<count]
            guard bytes.count <= sizeLimit else {
                throw ConfigurationError("\(path): larger than \(sizeLimit >> 20) MiB; that is no configuration")
            }
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw ConfigurationError("\(path): not UTF-8")
        }
        return text
    }
}
